"""Help in the width of the terminal: paragraphs, and lists such as the exit codes. Pure."""

import argparse
import re
from typing import override

from gem_core.commands.table import wrapped

_ITEM = re.compile(r" {2}\S+ +")
"""A line that begins an item of a list; its text continues in lines that are indented more."""


class HelpFormat(argparse.HelpFormatter):
    """Keeps paragraphs and lists apart, which argparse joins."""

    @override
    def _fill_text(self, text: str, width: int, indent: str) -> str:
        blocks: list[str] = []
        for line in text.splitlines():
            if not blocks or not line or not blocks[-1] or _ITEM.match(line):
                blocks.append(line)
            else:
                blocks[-1] += f" {line.strip()}"
        return "\n".join(line for block in blocks for line in _filled(block, width)) + "\n"


def _filled(block: str, width: int) -> list[str]:
    item = _ITEM.match(block)
    return wrapped(block, width, indent=len(item[0]) if item else 0)
