"""Compares the audit with only decoding its columns, and with other tools. Never deployed.

`make bench` runs it in a separate environment, because it needs the other tools.
"""
