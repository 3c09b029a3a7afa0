"""The checked columns of one batch, and which of its rows are matched. Pure (numpy, pyarrow)."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.arrow.arrays import Mask, numbers, true_at, valid, valid_exactly_at
from gem_core.audit.arrow.text import as_text
from gem_core.audit.contract import UsableColumns
from gem_core.gem.contracts.layout import Role


class RowBatch:
    """The checked columns of one batch. A column that is not usable is None."""

    def __init__(
        self, batch: pa.RecordBatch, usable: UsableColumns, *, in_percent: bool = False
    ) -> None:
        """With `in_percent`, confidences are divided by 100."""

        def column(role: Role) -> pa.Array | None:
            return batch.column(usable.columns[role]) if role in usable.columns else None

        self._column = column
        self.count = batch.num_rows
        self.ids = column(Role.ID)
        self.gers_ids = _converted(as_text, column(Role.GERS_ID))
        self.status = column(Role.STATUS)
        self.tells_matches = usable.tells_matches
        self.matched, self.unmatched = self._by_status(usable)
        self.linear_start = column(Role.LINEAR_START)
        self.linear_end = column(Role.LINEAR_END)
        confidence = column(Role.CONFIDENCE)
        self.confidence = _converted(as_double, confidence)
        if in_percent and self.confidence is not None:
            self.confidence = self.confidence / 100
        self.has_gers_id = self._not_null(self.gers_ids)
        """`matched` itself when just the matched rows have one; so for `has_confidence`."""
        self.has_confidence = self._not_null(confidence)
        self.matched_confidences: np.ndarray | None = None
        """Those of the matched rows, if every one of them has one, no other row does, and all are
        within 0 to 1. Then no row needs a closer look."""
        self.in_range = self.matched
        """Which rows have a confidence within 0 to 1."""
        if self.confidence is not None:
            if self.has_confidence is self.matched:
                self.matched_confidences = _if_in_range(
                    self.confidence.take(np.flatnonzero(self.matched))
                )
            if self.matched_confidences is None:
                self.in_range = _in_range(self.confidence) & self.has_confidence

    def values_of(self, roles: Sequence[Role]) -> list[pa.Array]:
        """The values of these columns as they are in the file, without columns that are absent."""
        return [column for role in roles if (column := self._column(role)) is not None]

    def confidences(self) -> np.ndarray | None:
        """The confidences within 0 to 1 of the matched rows; None without the columns."""
        if self.confidence is None or not self.tells_matches:
            return None
        if self.matched_confidences is not None:
            return self.matched_confidences
        return self.confidence[self.in_range & self.matched]

    @property
    def matched_with_gers_id(self) -> Mask | None:
        """Which matched rows have a GERS id; None without the columns."""
        if self.gers_ids is None or not self.tells_matches:
            return None
        return self.matched & self.has_gers_id

    def _not_null(self, values: pa.Array | None) -> Mask:
        if values is None or valid_exactly_at(values, self.matched):
            return self.matched
        return valid(values)

    def _by_status(self, usable: UsableColumns) -> tuple[Mask, Mask]:
        """Which rows are matched, and which are unmatched."""
        matched, unmatched = usable.matched, usable.unmatched
        if self.status is None:
            no_row = np.zeros(self.count, np.bool_)
            return ~no_row if usable.row_per_match else no_row, no_row
        if not pa.types.is_dictionary(self.status.type):
            return _one_of(self.status, matched), _one_of(self.status, unmatched)
        # As bytes, since text may be invalid UTF-8.
        words = self.status.dictionary.view(pa.binary()).to_pylist()
        codes = numbers(self.status.indices)
        if self.status.null_count:
            # The code of a null row may be out of bounds; a code beyond all words is neither.
            codes = np.where(valid(self.status), codes, len(words))
        return _coded_as(words, matched, codes), _coded_as(words, unmatched, codes)


def _coded_as(words: list[bytes | None], these: Sequence[str], codes: np.ndarray) -> Mask:
    wanted = {word.encode() for word in these}
    hits = [code for code, each in enumerate(words) if each in wanted]
    if len(hits) == 1:
        found: Mask = codes == hits[0]
        return found
    return np.isin(codes, hits)


def _one_of(texts: pa.Array, words: Sequence[str]) -> Mask:
    found = [true_at(pc.equal(as_text(texts), word)) for word in words]
    return np.logical_or.reduce(found) if len(found) > 1 else found[0]


def _in_range(confidence: np.ndarray) -> Mask:
    """Which are within 0 to 1. NaN compares as neither, infinities are outside."""
    with np.errstate(invalid="ignore"):
        within: Mask = (confidence >= 0) & (confidence <= 1)
    return within


def _if_in_range(confidence: np.ndarray) -> np.ndarray | None:
    """The same values when all are within 0 to 1. The extremes decide; they are NaN if one is."""
    if not len(confidence) or (confidence.min() >= 0 and confidence.max() <= 1):
        return confidence
    return None


def _converted[T](convert: Callable[[pa.Array], T], array: pa.Array | None) -> T | None:
    return None if array is None else convert(array)


def as_double(column: pa.Array) -> np.ndarray:
    """The numbers of a column; at nulls they have no meaning."""
    return numbers(column).astype(np.float64, copy=False)
