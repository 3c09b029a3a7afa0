"""Which rows of a batch break which rule. Pure (numpy, pyarrow.compute).

A quick test of the whole batch shows whether a row can break a rule at all; only then is each row
tested.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.arrow.arrays import Mask, true_at, valid
from gem_core.audit.arrow.text import as_text, surely_none_blank
from gem_core.audit.rows.gers import GERS_PATTERN, GersFormat
from gem_core.audit.rows.gers_formats import uniform_format
from gem_core.audit.rows.row_batch import RowBatch, as_double
from gem_core.audit.rows.row_rules import RowRule, Terms

_BLANK = r"\A[\s\v\x1c-\x1f\x{85}\p{Z}]*\z"
"""White space of all of Unicode, as in Python's `str.isspace`; RE2's own class has only ASCII."""

type Faults = Iterator[tuple[RowRule, Mask]]


def faults(batch: RowBatch, terms: Terms) -> dict[RowRule, Mask]:
    """For each rule that is broken, which rows break it."""
    found = (
        *_status_faults(batch),
        *_gers_id_faults(batch, terms.gers_format),
        *confidence_faults(batch, terms.confidence_floor),
        *_linear_faults(batch),
        *_id_faults(batch),
    )
    return {rule: mask for rule, mask in found if mask.any()}


def _status_faults(batch: RowBatch) -> Faults:
    if batch.status is None:
        return
    if np.count_nonzero(batch.matched) + np.count_nonzero(batch.unmatched) == batch.count:
        return
    has_status = valid(batch.status)
    yield RowRule.STATUS_PRESENT, ~has_status
    yield RowRule.STATUS_VALUES, has_status & ~(batch.matched | batch.unmatched)


def _gers_id_faults(batch: RowBatch, expected: GersFormat | None) -> Faults:
    if batch.gers_ids is None:
        return
    has = batch.has_gers_id
    malformed = blank = empty = np.zeros(batch.count, np.bool_)
    uniform = uniform_format(batch.gers_ids, has)
    if uniform is None:
        lengths = pc.binary_length(batch.gers_ids)
        malformed = has & ~_matches(batch.gers_ids, GERS_PATTERN)
        blank = _matches(batch.gers_ids, _BLANK)
        empty = true_at(pc.equal(lengths, 0))
        if expected:
            other = has & ~malformed & true_at(pc.not_equal(lengths, expected.length))
            yield RowRule.GERS_ID_FORMAT_OF_RELEASE, other
    elif expected and uniform.format not in {expected, None}:
        yield RowRule.GERS_ID_FORMAT_OF_RELEASE, has
    if uniform is None or not uniform.lower_case:
        # Not by pc.ascii_lower, which reads beyond a text that does not begin its buffer.
        yield RowRule.GERS_ID_LOWER_CASE, _matches(batch.gers_ids, "[A-F]") & ~malformed
    if uniform and has is batch.matched:
        return
    yield RowRule.GERS_ID_FORMAT, malformed & ~blank
    if not batch.tells_matches:
        return
    empty_on_unmatched = batch.unmatched & empty
    yield RowRule.GERS_ID_ON_MATCHED, batch.matched & ~has
    yield RowRule.NO_GERS_ID_ON_UNMATCHED, batch.unmatched & has & ~blank
    yield RowRule.UNMATCHED_GERS_ID_NULL, empty_on_unmatched
    yield RowRule.GERS_ID_NOT_BLANK, blank & ~empty_on_unmatched


def confidence_faults(batch: RowBatch, floor: float | None) -> Faults:
    """Which rows break a rule of confidences; `floor` is None without a threshold."""
    if batch.confidence is None:
        return
    all_fine = batch.matched_confidences
    if all_fine is None:
        out_of_range = batch.has_confidence & ~batch.in_range
        finite = np.isfinite(batch.confidence)
        yield RowRule.CONFIDENCE_FINITE, out_of_range & ~finite
        yield RowRule.CONFIDENCE_RANGE, out_of_range & finite
    if not batch.tells_matches:
        return
    if all_fine is None:
        yield RowRule.CONFIDENCE_ON_MATCHED, batch.matched & ~batch.has_confidence
    if floor is not None and (all_fine is None or not np.all(all_fine >= floor)):
        low = batch.matched & batch.in_range & (batch.confidence < floor)
        yield RowRule.CONFIDENCE_THRESHOLD, low


def _linear_faults(batch: RowBatch) -> Faults:
    if batch.linear_start is None or batch.linear_end is None:
        return
    has_start, has_end = valid(batch.linear_start), valid(batch.linear_end)
    start, end = as_double(batch.linear_start), as_double(batch.linear_end)
    with np.errstate(invalid="ignore"):
        good_start = np.isfinite(start) & (start >= 0)
        good_end = np.isfinite(end) & (end >= 0)
        is_bad = (has_start & ~good_start) | (has_end & ~good_end)
        yield RowRule.LINEAR_REFERENCE_VALUES, is_bad
        yield RowRule.LINEAR_REFERENCE_ORDER, has_start & has_end & ~is_bad & (start > end)


def _id_faults(batch: RowBatch) -> Faults:
    if batch.ids is None:
        return
    missing = ~valid(batch.ids) if batch.ids.null_count else np.zeros(batch.count, np.bool_)
    if not pa.types.is_integer(batch.ids.type):
        texts = as_text(batch.ids)
        if not surely_none_blank(texts):
            missing |= _matches(texts, _BLANK)
    yield RowRule.ID_PRESENT, missing


def _matches(texts: pa.StringArray, pattern: str) -> Mask:
    return true_at(pc.match_substring_regex(texts, pattern))
