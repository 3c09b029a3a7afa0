"""Brings the rows of two files together that have the same id, batch by batch. Pure.

The output's rows follow the input's: each input row comes once, or several times in a row (a road
that was matched in parts), or not at all. What is in any other order is not paired at all, since
only ids tell which rows belong together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.against_input.equality import differing, without_views
from gem_core.audit.arrow.arrays import true_at
from gem_core.audit.contract import ID
from gem_core.audit.ids.keys import to_keys


class OutOfStep(Exception):
    """From some row on it cannot be told which rows belong together; the message says why."""


@dataclass(frozen=True, slots=True)
class RowSlice:
    """Some rows of a file, and their ids as keys (`keys.to_keys`)."""

    rows: pa.RecordBatch
    keys: pa.Array

    @classmethod
    def of(cls, rows: pa.RecordBatch, key: pa.DataType) -> Self:
        """Take a whole batch. Raises OutOfStep."""
        keys, strangers = to_keys(rows.column(ID), key)
        if strangers:
            raise OutOfStep("there are ids that the input cannot have")
        columns = [without_views(column) for column in rows.columns]
        return cls(pa.record_batch(columns, rows.schema.names), keys)

    def __len__(self) -> int:
        return len(self.keys)

    def cut(self, start: int, count: int | None = None) -> Self:
        """Take some rows; copies nothing."""
        return type(self)(self.rows.slice(start, count), self.keys.slice(start, count))

    def copy_of(self, row: int) -> Self:
        """Take one row, and do not keep the others alive."""
        place = pa.array([row])
        return type(self)(self.rows.take(place), self.keys.take(place))

    def then(self, other: Self) -> Self:
        """Put the other's rows behind these."""
        rows = pa.concat_batches([self.rows, other.rows])
        return type(self)(rows, pa.concat_arrays([self.keys, other.keys]))


def pairs(
    output: Iterator[pa.RecordBatch], input_batches: Iterator[pa.RecordBatch], key: pa.DataType
) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """Give batches of one length whose rows belong together, in the output's order, all of them.

    Args:
        output: batches of the output, with its id.
        input_batches: batches of the input, with its id.
        key: the type to compare ids by (`keys.key_type`).

    Raises:
        OutOfStep: the rows cannot be paired any further.
        Exception: what the iterators raise.

    """
    theirs = _Theirs(input_batches, key)
    done = 0
    for rows in output:
        left = RowSlice.of(rows, key)
        while len(left):
            try:
                partner = theirs.partner(left)
            except OutOfStep as why:
                raise OutOfStep(f"from row {done} on, {why}") from None
            count = partner.num_rows
            yield left.rows.slice(0, count), partner
            left = left.cut(count)
            done += count


class _Theirs:
    """The input, read as far as its partners were asked for."""

    def __init__(self, batches: Iterator[pa.RecordBatch], key: pa.DataType) -> None:
        self._batches = batches
        self._key = key
        self._ahead: RowSlice | None = None
        """Rows that were read and not passed; never empty."""
        self._last: RowSlice | None = None
        """The row that was passed last."""
        self._last_repeats = False
        """Whether the row before it has the same id."""

    def partner(self, ours: RowSlice) -> pa.RecordBatch:
        """Give rows for the first rows of `ours`, as many as are easily had and at least one.

        Raises:
            OutOfStep: there is none for the first one.

        """
        if self._ahead is None:
            self._ahead = self._following()
        if self._ahead and (count := _in_step(ours, self._ahead)):
            return self._pass(self._ahead, count)
        if self._last and (count := _run(ours, self._last)):
            if self._last_repeats:
                raise OutOfStep(_AMBIGUOUS)
            return self._last.rows.take(pa.array(np.zeros(count, np.int64)))
        return self._search(ours)

    def _pass(self, ahead: RowSlice, count: int) -> pa.RecordBatch:
        before = ahead.cut(count - 2, 1) if count > 1 else self._last
        self._last = ahead.copy_of(count - 1)
        self._last_repeats = before is not None and before.keys.equals(self._last.keys)
        self._ahead = ahead.cut(count) if count < len(ahead) else None
        return ahead.rows.slice(0, count)

    def _search(self, ours: RowSlice) -> pa.RecordBatch:
        """Look among the rows at hand, then also in the next batch; rows in between are skipped."""
        for _ in range(2):
            if self._ahead:
                places = self._places(ours, self._ahead)
                if len(places):
                    rows = self._ahead.rows.take(pa.array(places))
                    self._pass(self._ahead, int(places[-1]) + 1)
                    return rows
            more = self._following()
            if more is None:
                break
            self._ahead = self._ahead.then(more) if self._ahead else more
        raise OutOfStep("the output's rows do not follow the order of the input's")

    def _places(self, ours: RowSlice, ahead: RowSlice) -> np.ndarray:
        """Where the first rows of `ours` are ahead, as long as they come in this order."""
        known = [self._last.keys, ahead.keys] if self._last else [ahead.keys]
        if len(pa.concat_arrays(known).unique()) != sum(map(len, known)):
            raise OutOfStep(_AMBIGUOUS)
        found: np.ndarray = pc.fill_null(
            pc.index_in(ours.keys, value_set=ahead.keys, skip_nulls=True), -1
        ).to_numpy()
        astray = (found < 0) | (found < np.maximum.accumulate(found))
        return found[: np.argmax(astray)] if astray.any() else found

    def _following(self) -> RowSlice | None:
        for rows in self._batches:
            if rows.num_rows:
                return RowSlice.of(rows, self._key)
        return None


_AMBIGUOUS = "ids repeat in the input, and the output does not have the same rows one to one"


def _in_step(ours: RowSlice, theirs: RowSlice) -> int:
    """How many first rows have the same ids."""
    count = min(len(ours), len(theirs))
    unlike = differing(ours.keys.slice(0, count), theirs.keys.slice(0, count))
    return count if unlike is None else int(np.argmax(unlike))


def _run(ours: RowSlice, last: RowSlice) -> int:
    """How many first rows have the id of this one row."""
    other = np.flatnonzero(~true_at(pc.equal(ours.keys, last.keys[0])))
    return int(other[0]) if len(other) else len(ours)
