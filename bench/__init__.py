"""Measures the audit beside merely decoding its columns, and beside other tools. Never deployed.

`make bench` runs it in an environment of its own, since it needs the other tools.
"""
