"""Advice for a new Overture release: which outputs it outdates."""
