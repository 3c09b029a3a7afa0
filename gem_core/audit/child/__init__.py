"""Audits in a process of their own: the parent reads files, the child judges them."""
