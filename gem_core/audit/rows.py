"""What can be wrong with single rows, found a whole batch at a time. Pure (pyarrow.compute)."""

from collections.abc import Collection
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.contract import (
    GERS_ID,
    ID,
    MATCH_CONFIDENCE,
    MATCH_STATUS,
    MATCHED,
    UNMATCHED,
)

GERS_FORM = r"\A(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32})\z"
"""A UUID, or the 32 hexadecimal digits of Overture releases before 2025-06. \\A and \\z, since $
would let a trailing line feed pass."""

_BLANK = r"\A\s*\z"


class RowRule(StrEnum):
    """One way in which a row can break its promises."""

    STATUS_NULL = "status_null"
    STATUS_WORD = "status_word"
    GERS_MISSING = "gers_missing"
    GERS_ON_UNMATCHED = "gers_on_unmatched"
    GERS_EMPTY_ON_UNMATCHED = "gers_empty_on_unmatched"
    GERS_BLANK = "gers_blank"
    GERS_FORM = "gers_form"
    CONFIDENCE_NOT_FINITE = "confidence_not_finite"
    CONFIDENCE_RANGE = "confidence_range"
    CONFIDENCE_MISSING = "confidence_missing"
    CONFIDENCE_LOW = "confidence_low"
    ID_MISSING = "id_missing"


NEEDS = {
    RowRule.STATUS_NULL: {MATCH_STATUS},
    RowRule.STATUS_WORD: {MATCH_STATUS},
    RowRule.GERS_MISSING: {GERS_ID, MATCH_STATUS},
    RowRule.GERS_ON_UNMATCHED: {GERS_ID, MATCH_STATUS},
    RowRule.GERS_EMPTY_ON_UNMATCHED: {GERS_ID, MATCH_STATUS},
    RowRule.GERS_BLANK: {GERS_ID, MATCH_STATUS},
    RowRule.GERS_FORM: {GERS_ID},
    RowRule.CONFIDENCE_NOT_FINITE: {MATCH_CONFIDENCE},
    RowRule.CONFIDENCE_RANGE: {MATCH_CONFIDENCE},
    RowRule.CONFIDENCE_MISSING: {MATCH_CONFIDENCE, MATCH_STATUS},
    RowRule.CONFIDENCE_LOW: {MATCH_CONFIDENCE, MATCH_STATUS},
    RowRule.ID_MISSING: {ID},
}
"""The columns that each rule looks at."""


class Rows:
    """The judged columns of one batch. Those that are not usable are None."""

    def __init__(self, batch: pa.RecordBatch, usable: Collection[str]) -> None:
        def column(name: str) -> pa.Array | None:
            return batch.column(name) if name in usable else None

        self.count = batch.num_rows
        ids, gers, confidence = column(ID), column(GERS_ID), column(MATCH_CONFIDENCE)
        self.ids = ids
        self.gers = None if gers is None else as_text(gers)
        self.confidence = None if confidence is None else pc.cast(confidence, pa.float64())
        self.status = column(MATCH_STATUS)
        nobody = pa.repeat(pa.scalar(value=False), self.count)
        self.matched = nobody if self.status is None else _true(pc.equal(self.status, MATCHED))
        self.unmatched = nobody if self.status is None else _true(pc.equal(self.status, UNMATCHED))

    def faults(self, confidence_floor: float | None) -> dict[RowRule, pa.BooleanArray]:
        """For each rule that can be looked at, which rows break it.

        CONFIDENCE_LOW is left out without a floor.
        """
        found = {
            **self._status_faults(),
            **self._gers_faults(),
            **self._confidence_faults(confidence_floor),
            **self._id_faults(),
        }
        usable = {
            name
            for name, column in (
                (ID, self.ids),
                (GERS_ID, self.gers),
                (MATCH_CONFIDENCE, self.confidence),
                (MATCH_STATUS, self.status),
            )
            if column is not None
        }
        return {rule: mask for rule, mask in found.items() if NEEDS[rule] <= usable}

    def confidences(self) -> pa.Array | None:
        """The finite confidences within 0 to 1 of the matched rows; None without the columns."""
        if self.confidence is None or self.status is None:
            return None
        return self.confidence.filter(pc.and_(self.matched, _in_range(self.confidence)))

    def matched_gers(self) -> pa.Array | None:
        """The gers_ids of the matched rows that have one; None without the columns."""
        if self.gers is None or self.status is None:
            return None
        return self.gers.filter(self.matched).drop_null()

    def _status_faults(self) -> dict[RowRule, pa.BooleanArray]:
        if self.status is None:
            return {}
        null = self.status.is_null()
        known = pc.or_(self.matched, self.unmatched)
        return {
            RowRule.STATUS_NULL: null,
            RowRule.STATUS_WORD: pc.invert(pc.or_(null, known)),
        }

    def _gers_faults(self) -> dict[RowRule, pa.BooleanArray]:
        if self.gers is None:
            return {}
        null = self.gers.is_null()
        misfit = pc.invert(pc.or_(null, _matches(self.gers, GERS_FORM)))
        blank, empty = misfit, misfit
        if misfit.true_count:
            blank = _matches(self.gers, _BLANK)
            empty = _true(pc.equal(pc.binary_length(self.gers), 0))
        empty_on_unmatched = pc.and_(self.unmatched, empty)
        return {
            RowRule.GERS_MISSING: pc.and_(self.matched, null),
            RowRule.GERS_ON_UNMATCHED: pc.and_not(self.unmatched, pc.or_(null, blank)),
            RowRule.GERS_EMPTY_ON_UNMATCHED: empty_on_unmatched,
            RowRule.GERS_BLANK: pc.and_not(blank, empty_on_unmatched),
            RowRule.GERS_FORM: pc.and_not(misfit, blank),
        }

    def _confidence_faults(self, floor: float | None) -> dict[RowRule, pa.BooleanArray]:
        if self.confidence is None:
            return {}
        given = self.confidence.is_valid()
        finite = _true(pc.is_finite(self.confidence))
        within = _in_range(self.confidence)
        faults = {
            RowRule.CONFIDENCE_NOT_FINITE: pc.and_not(given, finite),
            RowRule.CONFIDENCE_RANGE: pc.and_not(finite, within),
            RowRule.CONFIDENCE_MISSING: pc.and_not(self.matched, given),
        }
        if floor is not None:
            low = pc.and_(within, _true(pc.less(self.confidence, floor)))
            faults[RowRule.CONFIDENCE_LOW] = pc.and_(self.matched, low)
        return faults

    def _id_faults(self) -> dict[RowRule, pa.BooleanArray]:
        if self.ids is None:
            return {}
        missing = self.ids.is_null()
        if not pa.types.is_integer(self.ids.type):
            missing = pc.or_(missing, _matches(as_text(self.ids), _BLANK))
        return {RowRule.ID_MISSING: missing}


def as_text(array: pa.Array) -> pa.Array:
    """Decode text columns to plain strings, which all compute functions take."""
    return array if pa.types.is_string(array.type) else array.cast(pa.string())


def readable(value: pa.Scalar, *, cut: int | None = 100) -> str | None:
    """Show a value as text: short unless told otherwise, and also when it is no valid UTF-8."""
    if not value.is_valid:
        return None
    if pa.types.is_integer(value.type):
        return str(value.as_py())
    return bytes(value.cast(pa.binary()).as_py()).decode(errors="replace")[:cut]


def _true(mask: pa.BooleanArray) -> pa.BooleanArray:
    """Null counts as no."""
    return pc.fill_null(mask, fill_value=False) if mask.null_count else mask


def _matches(texts: pa.StringArray, pattern: str) -> pa.BooleanArray:
    return _true(pc.match_substring_regex(texts, pattern))


def _in_range(confidence: pa.DoubleArray) -> pa.BooleanArray:
    """Tell which are within 0 to 1. NaN compares as neither, infinities are beyond."""
    return _true(pc.and_(pc.greater_equal(confidence, 0.0), pc.less_equal(confidence, 1.0)))
