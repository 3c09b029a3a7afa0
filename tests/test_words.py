"""Documents and help have short sentences: readers whose second language is English follow them."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gem_core.__main__ import command_line

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "examples/*/*.md", "devkit/*/*.md")
    for page in ROOT.glob(pattern)
)
MOST_WORDS = 30
"""In one sentence. Code counts as one word, a link as its text."""

_FENCE = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
_ITEM = re.compile(r"^\s*(?:[*-]|\d+\.)\s+", re.MULTILINE)


def paragraphs(page: str) -> Iterator[str]:
    """Each paragraph and each item of a list; no code, no headings and no tables."""
    for text in re.split(r"\n\s*\n", _FENCE.sub("\n", page)):
        lines = [line for line in text.splitlines() if not re.match(r"\s*(?:\||#)", line)]
        yield from _ITEM.split("\n".join(lines))


def sentences(paragraph: str) -> list[str]:
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", " ".join(paragraph.split()))
    return re.split(r"(?<=[.!?])[)*\"”]*\s", re.sub(r"`[^`]*`", "CODE", text))


def too_long(paragraph: str) -> list[str]:
    """Words are what has a letter or a digit."""
    return [
        sentence
        for sentence in sentences(paragraph)
        if len(re.findall(r"\S*\w\S*", sentence)) > MOST_WORDS
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_sentence_of_a_document_is_long(page: Path) -> None:
    long = [s for text in paragraphs(page.read_text("utf-8")) for s in too_long(text)]
    assert long == [], f"sentences of more than {MOST_WORDS} words: make two of each"


def help_texts(parser: argparse.ArgumentParser) -> Iterator[str]:
    """All that the help of a command and of its own commands says, line by line where it is a list.

    Some commands have no text of one kind.
    """
    for text in (parser.description, parser.epilog, *(each.help for each in parser._actions)):
        yield from re.split(r"\n\s*\n|\n {2}(?=\S)", text or "")
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from help_texts(command)


def test_no_sentence_of_the_help_is_long() -> None:
    texts = list(help_texts(command_line()))
    assert len(texts) > 100
    long = [sentence for text in texts for sentence in too_long(text)]
    assert long == [], f"sentences of more than {MOST_WORDS} words: make two of each"


def test_a_long_sentence_is_found() -> None:
    """Also when code, a list, a table and a link are around it."""
    long = f"It {'really ' * MOST_WORDS}works."
    page = (
        f"# A {long}\n\n| {long} |\n\n```\n{long}\n```\n* `code. b` [a](b.md). {long} And so on.\n"
    )
    assert [s for text in paragraphs(page) for s in too_long(text)] == [long]
