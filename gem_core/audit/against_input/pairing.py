"""Pairs the rows of two files by their ids, batch by batch. Pure.

The output's rows must follow the input's. Each input row occurs once, several times in a row (a
road that was matched in parts), or not at all. Rows in any other order are not paired.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.against_input.equality import differing
from gem_core.audit.arrow.arrays import true_at
from gem_core.audit.arrow.searching import positions_in
from gem_core.audit.contract import ID
from gem_core.audit.ids.keys import to_keys


class CannotPair(Exception):
    """From some row on, rows cannot be paired; the message says why."""


@dataclass(frozen=True, slots=True)
class RowSlice:
    """Some rows of a file, and their ids as keys (`keys.to_keys`)."""

    rows: pa.RecordBatch
    keys: pa.Array

    @classmethod
    def of(cls, rows: pa.RecordBatch, key: pa.DataType) -> Self:
        """Make one of a whole batch. Raises CannotPair."""
        keys, non_integers = to_keys(rows.column(ID), key)
        if non_integers:
            raise CannotPair("there are ids that the input cannot have")
        return cls(rows, keys)

    def __len__(self) -> int:
        return len(self.keys)

    def cut(self, start: int, count: int | None = None) -> Self:
        """Some of the rows; copies nothing."""
        return type(self)(self.rows.slice(start, count), self.keys.slice(start, count))

    def copy_of(self, row: int) -> Self:
        """A copy of one row, which does not keep the others alive."""
        position = pa.array([row])
        return type(self)(self.rows.take(position), self.keys.take(position))

    def then(self, other: Self) -> Self:
        """These rows and, after them, the other's."""
        rows = pa.concat_batches([self.rows, other.rows])
        return type(self)(rows, pa.concat_arrays([self.keys, other.keys]))


def pairs(
    output: Iterator[pa.RecordBatch], input_batches: Iterator[pa.RecordBatch], key: pa.DataType
) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """Yield pairs of batches of one length whose rows belong together: all rows of the output.

    Args:
        output: batches of the output, with its id.
        input_batches: batches of the input, with its id.
        key: the type to compare ids by (`keys.key_type`).

    Raises:
        CannotPair: the rows cannot be paired any further.
        Exception: what the iterators raise.

    """
    input_rows = _InputRows(input_batches, key)
    done = 0
    for rows in output:
        left = RowSlice.of(rows, key)
        while len(left):
            try:
                found = input_rows.of(left)
            except CannotPair as why:
                raise CannotPair(f"from row {done} on, {why}") from None
            count = found.num_rows
            yield left.rows.slice(0, count), found
            left = left.cut(count)
            done += count


class _InputRows:
    """The rows of the input, read as far as they were asked for."""

    def __init__(self, batches: Iterator[pa.RecordBatch], key: pa.DataType) -> None:
        self._batches = batches
        self._key = key
        self._ahead: RowSlice | None = None
        """Rows that were read and not yet passed; never empty."""
        self._last: RowSlice | None = None
        """The row that was passed last."""
        self._last_repeats = False
        """Whether the row before it has the same id."""

    def of(self, output_rows: RowSlice) -> pa.RecordBatch:
        """The input's rows for the first of these, at least one: as many as are easily found.

        Raises:
            CannotPair: there is no row for the first one.

        """
        if self._ahead is None:
            self._ahead = self._next()
        if self._ahead and (count := _same_ids(output_rows, self._ahead)):
            return self._pass(self._ahead, count)
        if self._last and (count := _with_id_of(self._last, output_rows)):
            if self._last_repeats:
                raise CannotPair(_AMBIGUOUS)
            return self._last.rows.take(pa.array(np.zeros(count, np.int64)))
        return self._search(output_rows)

    def _pass(self, ahead: RowSlice, count: int) -> pa.RecordBatch:
        before = ahead.cut(count - 2, 1) if count > 1 else self._last
        self._last = ahead.copy_of(count - 1)
        self._last_repeats = before is not None and before.keys.equals(self._last.keys)
        self._ahead = ahead.cut(count) if count < len(ahead) else None
        return ahead.rows.slice(0, count)

    def _search(self, output_rows: RowSlice) -> pa.RecordBatch:
        """Search the rows that were read, then the next batch too; skip the rows in between."""
        for _ in range(2):
            if self._ahead:
                positions = self._positions(output_rows, self._ahead)
                if len(positions):
                    rows = self._ahead.rows.take(pa.array(positions))
                    self._pass(self._ahead, int(positions[-1]) + 1)
                    return rows
            more = self._next()
            if more is None:
                break
            self._ahead = self._ahead.then(more) if self._ahead else more
        raise CannotPair("the output's rows do not follow the order of the input's")

    def _positions(self, output_rows: RowSlice, ahead: RowSlice) -> np.ndarray:
        """Where the ids of the first rows are in `ahead`, as long as they are in its order."""
        before = [self._last.keys] if self._last else []
        known = pa.concat_arrays([*before, ahead.keys])
        order = pc.sort_indices(known)  # null is last
        ordered = known.take(order)
        not_null = len(known) - known.null_count
        if known.null_count > 1 or pc.any(pc.equal(ordered[1:], ordered[:-1])).as_py():
            raise CannotPair(_AMBIGUOUS)
        places = order.take(positions_in(ordered[:not_null], output_rows.keys))
        found = np.asarray(pc.fill_null(places.cast(pa.int64()), -1)) - len(before)
        wrong = (found < 0) | (found < np.maximum.accumulate(found))
        return found[: np.argmax(wrong)] if wrong.any() else found

    def _next(self) -> RowSlice | None:
        for rows in self._batches:
            if rows.num_rows:
                return RowSlice.of(rows, self._key)
        return None


_AMBIGUOUS = "ids repeat in the input, and the output does not have the same rows one to one"


def _same_ids(output_rows: RowSlice, input_rows: RowSlice) -> int:
    """How many first rows have the same ids."""
    count = min(len(output_rows), len(input_rows))
    unlike = differing(output_rows.keys.slice(0, count), input_rows.keys.slice(0, count))
    return count if unlike is None else int(np.argmax(unlike))


def _with_id_of(row: RowSlice, output_rows: RowSlice) -> int:
    """How many first rows of the output have the id of this one row."""
    other = np.flatnonzero(~true_at(pc.equal(output_rows.keys, row.keys[0])))
    return int(other[0]) if len(other) else len(output_rows)
