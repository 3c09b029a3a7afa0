"""Whole numbers that people write: in settings, queries and arguments. Pure."""

import re

_DIGITS = re.compile("[0-9]{1,9}")
"""Python reads other alphabets' digits too, and no number of more than 4,300 of them."""


def read_count(text: str, *, least: int = 1, most: int) -> int:
    """A whole number from `least` to `most`.

    Raises:
        ValueError: it is none; the sentence goes on after the name of what was read. It does not
            repeat the text, which may be a secret in the wrong place.

    """
    if not _DIGITS.fullmatch(text) or not least <= int(text) <= most:
        raise ValueError(f"is not a whole number of {least} to {most}")
    return int(text)
