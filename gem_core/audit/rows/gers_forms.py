"""Whether texts are GERS ids, looked at as bytes by the block. Pure (numpy)."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from gem_core.audit.arrow.arrays import Mask
from gem_core.audit.arrow.text import text_parts
from gem_core.audit.rows.gers import GersForm

_BLOCK_ROWS = 8192
"""Looked at together: enough that calls cost little, few enough for the second-level cache."""


_PERIOD_ROWS = 256
"""Of one template: long enough for numpy's inner loops, short enough for the first-level cache."""


_ZERO, _A = -10, 39
"""What "0" and "a" become in a test of forms: they are 49 apart, as in ASCII."""

_FIRST = ord("-")
"""The first of all characters that a form may have."""


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
            # Digits, hyphens and lower case have this bit already; so may have what comes before.
            if block.min() < _FIRST or not forms.hold(block | 0x20):
                return None
            lower = False
    return WellFormed(form, lower_case=lower)


class _Forms:
    """Tests lower-case rows of one length laid end to end, in four passes over bytes.

    A template is taken off, as bytes that wrap around: digits become -10 to -1, "a" to "f" 39 to
    44, and in the place of a hyphen "-" becomes -10. Nothing is below -10 as a signed number nor
    below 39 as an unsigned one, so all that may still be wrong is too large for its place.
    """

    def __init__(self, form: GersForm) -> None:
        self._template, self._most = _template(form)
        self._width = form.length
        self._taken_off = np.empty(form.length * _BLOCK_ROWS, np.uint8)

    def hold(self, data: np.ndarray) -> bool:
        """Whether all rows are of the form; at most a block of them."""
        whole = len(data) - len(data) % len(self._template)
        return self._hold(data[:whole], len(self._template)) and self._hold(
            data[whole:], self._width
        )

    def _hold(self, data: np.ndarray, period: int) -> bool:
        if not len(data):
            return True
        left = self._taken_off[: len(data)]
        by_place = (-1, period)
        np.subtract(data.reshape(by_place), self._template[:period], out=left.reshape(by_place))
        signed = left.view(np.int8)
        if left.min() < _A or signed.min() < _ZERO:
            return False
        most: np.ndarray = signed.reshape(by_place).max(axis=0)
        return bool((most <= self._most[:period]).all())


@cache
def _template(form: GersForm) -> tuple[np.ndarray, np.ndarray]:
    """What is taken off each place of some rows, and the most that may be left."""
    taken = np.full(form.length, ord("0") - _ZERO, np.uint8)
    most = np.full(form.length, _A + ord("f") - ord("a"), np.int8)
    if form is GersForm.UUID:
        hyphens = [8, 13, 18, 23]
        taken[hyphens] = ord("-") - _ZERO
        most[hyphens] = _ZERO
    return np.tile(taken, _PERIOD_ROWS), np.tile(most, _PERIOD_ROWS)
