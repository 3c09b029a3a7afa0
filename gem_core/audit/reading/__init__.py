"""Reads the bytes of one pinned version of a file: few requests, bounded memory."""
