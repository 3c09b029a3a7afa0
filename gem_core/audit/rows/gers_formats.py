"""Which format GERS ids have; tested on bytes, in blocks, where all have the same. Pure (numpy)."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.arrow.arrays import Mask, true_at, valid
from gem_core.audit.arrow.text import text_parts
from gem_core.audit.rows.gers import GERS_PATTERN, GersFormat

_BLOCK_ROWS = 8192
"""Tested together: enough that calls cost little, few enough for the second-level cache."""

_PERIOD_ROWS = 256
"""Rows of one template: long enough for numpy's inner loops, short enough for the first-level
cache."""

_ZERO, _A = -10, 39
"""What "0" and "a" become when the template is subtracted: they are 49 apart, as in ASCII."""

_FIRST = ord("-")
"""The first of all characters that a GERS id may have."""


@dataclass(frozen=True, slots=True)
class UniformIds:
    """GERS ids of which all that are not null have one format."""

    format: GersFormat | None
    """None when all are null."""
    lower_case: bool
    """Whether surely no letter is a capital."""


def formats_of(texts: pa.StringArray) -> np.ndarray:
    """The number of each id's format; -1 where a text is null or in no format."""
    found = np.full(len(texts), -1, np.int8)
    not_null = valid(texts)
    if uniform := uniform_format(texts, not_null):
        if uniform.format:
            found[not_null] = uniform.format.number
        return found
    lengths = pc.binary_length(texts)
    is_id = true_at(pc.match_substring_regex(texts, GERS_PATTERN))
    for format_ in GersFormat:
        found[is_id & true_at(pc.equal(lengths, format_.length))] = format_.number
    return found


def uniform_format(texts: pa.StringArray, not_null: Mask) -> UniformIds | None:
    """Whether every text that is not null is a UUID, or every one has 32 hexadecimal digits.

    None also when both formats occur; then each row must be tested. `not_null` tells which rows
    are not null.
    """
    offsets, data = text_parts(texts)
    count = len(texts) - texts.null_count
    if not count:
        return UniformIds(None, lower_case=True)
    length, rest = divmod(len(data), count)
    found = next((each for each in GersFormat if each.length == length), None)
    if rest or found is None:
        return None
    if not np.array_equal(np.diff(offsets) == length, not_null):
        return None
    test = _FormatTest(found)
    step = length * _BLOCK_ROWS
    lower = True
    for at in range(0, len(data), step):
        block = data[at : at + step]
        if not test.passes(block):
            # Digits, hyphens and lower case have this bit already; so may what precedes them.
            if block.min() < _FIRST or not test.passes(block | 0x20):
                return None
            lower = False
    return UniformIds(found, lower_case=lower)


class _FormatTest:
    """Tests lower-case rows of one length that follow each other, in four passes over bytes.

    A template is subtracted, in bytes that wrap around. Digits become -10 to -1, and "a" to "f" 39
    to 44. In the place of a hyphen, "-" becomes -10. No byte is below -10 as a signed number, nor
    below 39 as an unsigned one. So a byte that may still be wrong is too large for its place.
    """

    def __init__(self, format_: GersFormat) -> None:
        self._template, self._most = _template(format_)
        self._width = format_.length
        self._difference = np.empty(format_.length * _BLOCK_ROWS, np.uint8)

    def passes(self, data: np.ndarray) -> bool:
        """Whether all rows have the format; at most a block of them."""
        whole = len(data) - len(data) % len(self._template)
        return self._passes(data[:whole], len(self._template)) and self._passes(
            data[whole:], self._width
        )

    def _passes(self, data: np.ndarray, period: int) -> bool:
        if not len(data):
            return True
        left = self._difference[: len(data)]
        by_place = (-1, period)
        np.subtract(data.reshape(by_place), self._template[:period], out=left.reshape(by_place))
        signed = left.view(np.int8)
        if left.min() < _A or signed.min() < _ZERO:
            return False
        most: np.ndarray = signed.reshape(by_place).max(axis=0)
        return bool((most <= self._most[:period]).all())


@cache
def _template(format_: GersFormat) -> tuple[np.ndarray, np.ndarray]:
    """What is subtracted at each place of some rows, and the most that may be left."""
    subtracted = np.full(format_.length, ord("0") - _ZERO, np.uint8)
    most = np.full(format_.length, _A + ord("f") - ord("a"), np.int8)
    if format_ is GersFormat.UUID:
        hyphens = [8, 13, 18, 23]
        subtracted[hyphens] = ord("-") - _ZERO
        most[hyphens] = _ZERO
    return np.tile(subtracted, _PERIOD_ROWS), np.tile(most, _PERIOD_ROWS)
