"""Runs the command `audit` in this process."""

from gem_core.__main__ import main


def audit_command(*words: object) -> int:
    return main(["audit", "--in-process", *map(str, words)])
