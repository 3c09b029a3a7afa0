"""Views of Arrow buffers as numpy arrays, nothing copied; and what is fastest seen there. Pure."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from gem_core.audit.gers import GersForm

type Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]
"""One truth value a row."""

_BLOCK_ROWS = 8192
"""Looked at together: enough that calls cost little, few enough for the second-level cache."""

_FIRST, _LAST = ord("-"), ord("f")
"""Of all characters that a form may have; between them the tests of single characters are exact."""

_SPACE = 0x20


def true_at(array: pa.Array) -> Mask:
    """Which rows hold true; null counts as no."""
    held = _bits(array, 1)
    return held & valid(array) if array.null_count else held


def valid(array: pa.Array) -> Mask:
    """Which rows are not null."""
    if not array.null_count:
        return np.ones(len(array), np.bool_)
    return _bits(array, 0)


def valid_just_at(array: pa.Array, rows: Mask) -> bool:
    """Whether these rows are not null and all others are; compared bit by bit."""
    count = len(array)
    if array.null_count != count - np.count_nonzero(rows):
        return False
    if array.null_count in {0, count}:
        return True
    if array.offset % 8:
        return np.array_equal(valid(array), rows)
    start = array.offset // 8
    packed = np.packbits(rows, bitorder="little")
    held = np.frombuffer(array.buffers()[0], np.uint8)[start : start + len(packed)]
    # Bits of the last byte beyond the last row may be anything.
    return np.array_equal(held[: count // 8], packed[: count // 8]) and np.array_equal(
        valid(array[count // 8 * 8 :]), rows[count // 8 * 8 :]
    )


def numbers(array: pa.Array) -> np.ndarray:
    """Values of a column of numbers. Where it is null they mean nothing."""
    kind = np.dtype(array.type.to_pandas_dtype())
    buffer = array.buffers()[1]
    if not len(array) or buffer is None:
        return np.zeros(len(array), kind)
    return np.frombuffer(buffer, kind)[array.offset : array.offset + len(array)]


@dataclass(frozen=True, slots=True)
class WellFormed:
    """What a fast look at GERS ids saw: all that are not null are of one form."""

    form: GersForm | None
    """None when all are null."""
    lower_case: bool
    """Whether surely no letter is a capital."""


def well_formed(texts: pa.StringArray, given: Mask) -> WellFormed | None:
    """Whether every text that is not null is a UUID, or every one has 32 hexadecimal digits.

    None also when both forms occur; then each row must be looked at. `given` are the rows that are
    not null.
    """
    offsets, data = text_parts(texts)
    count = len(texts) - texts.null_count
    if not count:
        return WellFormed(None, lower_case=True)
    length, rest = divmod(len(data), count)
    form = next((form for form in GersForm if form.length == length), None)
    if rest or form is None:
        return None
    if not np.array_equal(np.diff(offsets) == length, given):
        return None
    forms = _Forms(form)
    step = length * _BLOCK_ROWS
    lower = True
    for at in range(0, len(data), step):
        block = data[at : at + step]
        if not forms.hold(block):
            # Lower case, digits and hyphens have this bit already.
            if not forms.hold(block | 0x20, of=block):
                return None
            lower = False
    return WellFormed(form, lower_case=lower)


def none_blank(texts: pa.StringArray) -> bool:
    """Whether surely no text that is not null is empty or begins with white space."""
    offsets, data = text_parts(texts)
    starts, lengths = offsets[:-1] - offsets[0], np.diff(offsets)
    if texts.null_count:
        given = valid(texts)
        starts, lengths = starts[given], lengths[given]
    return bool(np.all(lengths > 0) and np.all(data.take(starts) > _SPACE))


class _Forms:
    """Tests rows of one length laid end to end, in few passes over bytes.

    A digit less "0" is below 10, a letter less "a" as well; the letters beyond "f" and all that
    precedes "-" are caught by the extremes of the block. In the place of a hyphen only "-" passes:
    nine characters before it are caught by the extremes, and the second test never passes.
    """

    def __init__(self, form: GersForm) -> None:
        self._digits, self._letters = _templates(form)
        self._one = np.empty(len(self._digits), np.uint8)
        self._other = np.empty(len(self._digits), np.uint8)

    def hold(self, data: np.ndarray, *, of: np.ndarray | None = None) -> bool:
        """Whether all rows are of the form, in lower case.

        `of` are the rows as they are in the file, when `data` was made from them.
        """
        size = len(data)
        one, other = self._one[:size], self._other[:size]
        if (data if of is None else of).min() < _FIRST or data.max() > _LAST:
            return False
        np.subtract(data, self._digits[:size], out=one)
        np.subtract(data, self._letters[:size], out=other)
        np.minimum(one, other, out=one)
        return int(one.max()) < 10  # noqa: PLR2004 - digits


@cache
def _templates(form: GersForm) -> tuple[np.ndarray, np.ndarray]:
    digits = np.full(form.length, ord("0"), np.uint8)
    letters = np.full(form.length, ord("a"), np.uint8)
    if form is GersForm.UUID:
        hyphens = [8, 13, 18, 23]
        digits[hyphens] = _FIRST - 9
        letters[hyphens] = _LAST + 1
    return np.tile(digits, _BLOCK_ROWS), np.tile(letters, _BLOCK_ROWS)


def text_parts(texts: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
    """The offsets of each text, and the bytes from the first to the last."""
    if not len(texts):
        return np.zeros(1, np.int32), np.zeros(0, np.uint8)
    _, places, content = texts.buffers()
    offsets = np.frombuffer(places, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    if content is None:
        return offsets, np.zeros(0, np.uint8)
    return offsets, np.frombuffer(content, np.uint8)[offsets[0] : offsets[-1]]


def _bits(array: pa.Array, buffer: int) -> Mask:
    first, skipped = divmod(array.offset, 8)
    count = skipped + len(array)
    packed = np.frombuffer(array.buffers()[buffer], np.uint8)[first : first - (-count // 8)]
    return np.unpackbits(packed, count=count, bitorder="little")[skipped:].view(np.bool_)
