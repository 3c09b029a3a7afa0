"""Exact counts of ids, in any order and in bounded memory."""
