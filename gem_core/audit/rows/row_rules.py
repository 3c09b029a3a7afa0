"""What can be wrong with single rows, found a whole batch at a time. Pure (numpy, pyarrow.compute).

A fast look tells whether there is anything to find; only then is each row judged.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.arrow.arrays import Mask, numbers, true_at, valid, valid_just_at
from gem_core.audit.arrow.text import as_text, none_blank
from gem_core.audit.contract import UsableColumns
from gem_core.audit.rows.gers import GERS_FORM, GersForm
from gem_core.audit.rows.gers_forms import well_formed
from gem_core.gem.contracts.contract import Role

_BLANK = r"\A[\s\v\x1c-\x1f\x{85}\p{Z}]*\z"
"""White space of all of Unicode, as Python's `str.isspace` has it; RE2's own is ASCII's."""


class RowRule(StrEnum):
    """One way in which a row can break its promises."""

    STATUS_NULL = "status_null"
    STATUS_WORD = "status_word"
    GERS_MISSING = "gers_missing"
    GERS_ON_UNMATCHED = "gers_on_unmatched"
    GERS_EMPTY_ON_UNMATCHED = "gers_empty_on_unmatched"
    GERS_BLANK = "gers_blank"
    GERS_FORM = "gers_form"
    GERS_OTHER_FORM = "gers_other_form"
    GERS_CAPITALS = "gers_capitals"
    CONFIDENCE_NOT_FINITE = "confidence_not_finite"
    CONFIDENCE_RANGE = "confidence_range"
    CONFIDENCE_MISSING = "confidence_missing"
    CONFIDENCE_LOW = "confidence_low"
    ID_MISSING = "id_missing"


NEEDS = {
    RowRule.STATUS_NULL: {Role.STATUS},
    RowRule.STATUS_WORD: {Role.STATUS},
    RowRule.GERS_MISSING: {Role.GERS_ID, Role.STATUS},
    RowRule.GERS_ON_UNMATCHED: {Role.GERS_ID, Role.STATUS},
    RowRule.GERS_EMPTY_ON_UNMATCHED: {Role.GERS_ID, Role.STATUS},
    RowRule.GERS_BLANK: {Role.GERS_ID, Role.STATUS},
    RowRule.GERS_FORM: {Role.GERS_ID},
    RowRule.GERS_OTHER_FORM: {Role.GERS_ID},
    RowRule.GERS_CAPITALS: {Role.GERS_ID},
    RowRule.CONFIDENCE_NOT_FINITE: {Role.CONFIDENCE},
    RowRule.CONFIDENCE_RANGE: {Role.CONFIDENCE},
    RowRule.CONFIDENCE_MISSING: {Role.CONFIDENCE, Role.STATUS},
    RowRule.CONFIDENCE_LOW: {Role.CONFIDENCE, Role.STATUS},
    RowRule.ID_MISSING: {Role.ID},
}
"""The columns that each rule looks at."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a job says of its rows; a rule whose term is None is left out."""

    confidence_floor: float | None = None
    """Matched rows below it break CONFIDENCE_LOW."""
    gers_form: GersForm | None = None
    """Well-formed ids of the other form break GERS_OTHER_FORM."""

    @property
    def left_out(self) -> frozenset[RowRule]:
        """The rules that cannot be judged without a term."""
        terms = {
            RowRule.CONFIDENCE_LOW: self.confidence_floor,
            RowRule.GERS_OTHER_FORM: self.gers_form,
        }
        return frozenset(rule for rule, term in terms.items() if term is None)


class Rows:
    """The judged columns of one batch. Those that are not usable are None."""

    def __init__(self, batch: pa.RecordBatch, usable: UsableColumns) -> None:
        def column(role: Role) -> pa.Array | None:
            return batch.column(usable.columns[role]) if role in usable.columns else None

        self._usable = usable
        self.count = batch.num_rows
        self.ids = column(Role.ID)
        self.gers = _or_none(as_text, column(Role.GERS_ID))
        self.status = column(Role.STATUS)
        self.matched, self.unmatched = self._words()
        confidence = column(Role.CONFIDENCE)
        self.confidence = _or_none(_double, confidence)
        self._has_gers = self._given(self.gers)
        self._has_confidence = self._given(confidence)
        self._of_matched: np.ndarray | None = None
        """Confidences of the matched rows, if these have one, no others have, all in range."""
        self._within = self.matched
        if self.confidence is not None:
            if self._has_confidence is self.matched:
                self._of_matched = _if_in_range(self.confidence.take(np.flatnonzero(self.matched)))
            if self._of_matched is None:
                self._within = _in_range(self.confidence) & self._has_confidence

    def faults(self, terms: Terms) -> dict[RowRule, Mask]:
        """For each rule that is broken, by which rows."""
        found = [
            *self._status_faults(),
            *self._gers_faults(terms.gers_form),
            *self._confidence_faults(terms.confidence_floor),
            *self._id_faults(),
        ]
        return {rule: mask for rule, mask in found if mask.any()}

    def confidences(self) -> np.ndarray | None:
        """The finite confidences within 0 to 1 of the matched rows; None without the columns."""
        if self.confidence is None or self.status is None:
            return None
        if self._of_matched is not None:
            return self._of_matched
        return self.confidence[self._within & self.matched]

    @property
    def matched_with_gers(self) -> Mask | None:
        """Which matched rows have a gers_id; None without the columns."""
        if self.gers is None or self.status is None:
            return None
        return self.matched & self._has_gers

    def _given(self, values: pa.Array | None) -> Mask:
        """Which rows have a value: `matched` itself when they are just those."""
        if values is None or valid_just_at(values, self.matched):
            return self.matched
        return valid(values)

    def _words(self) -> tuple[Mask, Mask]:
        """Which rows are matched, and which are unmatched."""
        if self.status is None:
            nobody = np.zeros(self.count, np.bool_)
            return nobody, nobody
        matched, unmatched = self._usable.matched, self._usable.unmatched
        if not pa.types.is_dictionary(self.status.type):
            return _equal(self.status, matched), _equal(self.status, unmatched)
        # As bytes, since text may be no valid UTF-8.
        words = self.status.dictionary.view(pa.binary()).to_pylist()
        codes = numbers(self.status.indices)
        if self.status.null_count:
            # What a null row points to may be out of bounds; one word more is none of the two.
            codes = np.where(valid(self.status), codes, len(words))
        return _codes_of(words, matched, codes), _codes_of(words, unmatched, codes)

    def _status_faults(self) -> Iterator[tuple[RowRule, Mask]]:
        if self.status is None:
            return
        told = np.count_nonzero(self.matched) + np.count_nonzero(self.unmatched)
        if told == self.count:
            return
        given = valid(self.status)
        yield RowRule.STATUS_NULL, ~given
        yield RowRule.STATUS_WORD, given & ~(self.matched | self.unmatched)

    def _gers_faults(self, expected: GersForm | None) -> Iterator[tuple[RowRule, Mask]]:
        if self.gers is None:
            return
        has = self._has_gers
        misfit = blank = empty = np.zeros(self.count, np.bool_)
        seen = well_formed(self.gers, has)
        if seen is None:
            lengths = pc.binary_length(self.gers)
            misfit = has & ~_matches(self.gers, GERS_FORM)
            blank = _matches(self.gers, _BLANK)
            empty = true_at(pc.equal(lengths, 0))
            if expected:
                other = has & ~misfit & true_at(pc.not_equal(lengths, expected.length))
                yield RowRule.GERS_OTHER_FORM, other
        elif expected and seen.form not in {expected, None}:
            yield RowRule.GERS_OTHER_FORM, has
        if seen is None or not seen.lower_case:
            # Not by pc.ascii_lower, which reads beyond a text that does not begin its buffer.
            yield RowRule.GERS_CAPITALS, _matches(self.gers, "[A-F]") & ~misfit
        if seen and has is self.matched:
            return
        yield RowRule.GERS_FORM, misfit & ~blank
        if self.status is None:
            return
        empty_on_unmatched = self.unmatched & empty
        yield RowRule.GERS_MISSING, self.matched & ~has
        yield RowRule.GERS_ON_UNMATCHED, self.unmatched & has & ~blank
        yield RowRule.GERS_EMPTY_ON_UNMATCHED, empty_on_unmatched
        yield RowRule.GERS_BLANK, blank & ~empty_on_unmatched

    def _confidence_faults(self, floor: float | None) -> Iterator[tuple[RowRule, Mask]]:
        if self.confidence is None:
            return
        given, within = self._has_confidence, self._within
        if self._of_matched is None:
            beyond = given & ~within
            finite = np.isfinite(self.confidence)
            yield RowRule.CONFIDENCE_NOT_FINITE, beyond & ~finite
            yield RowRule.CONFIDENCE_RANGE, beyond & finite
        if self.status is None:
            return
        if self._of_matched is None:
            yield RowRule.CONFIDENCE_MISSING, self.matched & ~given
        elif floor is None or np.all(self._of_matched >= floor):
            return
        if floor is not None:
            yield RowRule.CONFIDENCE_LOW, self.matched & within & (self.confidence < floor)

    def _id_faults(self) -> Iterator[tuple[RowRule, Mask]]:
        if self.ids is None:
            return
        blank = None
        if not pa.types.is_integer(self.ids.type):
            texts = as_text(self.ids)
            blank = None if none_blank(texts) else _matches(texts, _BLANK)
        if self.ids.null_count or blank is not None:
            missing = ~valid(self.ids)
            yield RowRule.ID_MISSING, missing if blank is None else missing | blank


def _codes_of(words: list[bytes | None], word: str, codes: np.ndarray) -> Mask:
    hits = [code for code, each in enumerate(words) if each == word.encode()]
    if len(hits) == 1:
        found: Mask = codes == hits[0]
        return found
    return np.isin(codes, hits)


def _equal(texts: pa.Array, word: str) -> Mask:
    return true_at(pc.equal(as_text(texts), word))


def _in_range(confidence: np.ndarray) -> Mask:
    """Tell which are within 0 to 1. NaN compares as neither, infinities are beyond."""
    with np.errstate(invalid="ignore"):
        within: Mask = (confidence >= 0) & (confidence <= 1)
    return within


def _if_in_range(confidence: np.ndarray) -> np.ndarray | None:
    """Give them back when all are within 0 to 1; the extremes tell, and are NaN if one is."""
    if not len(confidence) or (confidence.min() >= 0 and confidence.max() <= 1):
        return confidence
    return None


def _matches(texts: pa.StringArray, pattern: str) -> Mask:
    return true_at(pc.match_substring_regex(texts, pattern))


def _or_none[T](convert: Callable[[pa.Array], T], array: pa.Array | None) -> T | None:
    return None if array is None else convert(array)


def _double(confidence: pa.Array) -> np.ndarray:
    return numbers(confidence).astype(np.float64, copy=False)
