"""Compares the ids of two files, array by array; memory does not grow with the files. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.arrow.searching import positions_in
from gem_core.audit.ids.in_order import OutOfOrder
from gem_core.audit.ids.keys import first_of, is_less
from gem_core.audit.rows.example import EXAMPLES


@dataclass(frozen=True, slots=True)
class Difference:
    """How the ids of the output differ from those of the input."""

    missing: int = 0
    """Distinct ids of the input that the output lacks."""
    extra: int = 0
    """Distinct ids of the output that the input lacks."""
    missing_first: tuple[str, ...] = ()
    """The smallest few."""
    extra_first: tuple[str, ...] = ()


class Merge:
    """Compares the distinct ids of two files in order, array by array."""

    def __init__(self, input_keys: Iterator[pa.Array]) -> None:
        self._input_keys = input_keys
        self._left: pa.Array | None = None
        """Ids of the input that were read and not yet compared."""
        self._missing = 0
        self._extra = 0
        self._missing_first: list[str] = []
        self._extra_first: list[str] = []

    def add(self, keys: pa.Array) -> None:
        """Compare the next ids of the output. Raises what the input's iterator raises."""
        while len(keys):
            if self._left is None or not len(self._left):
                self._left = next(self._input_keys, None)
            if self._left is None:
                self._add_extra(keys)
                return
            if not len(self._left):
                continue
            limit = self._left[-1] if is_less(self._left[-1:], keys[-1:]) else keys[-1]
            of_output = pc.less_equal(keys, limit).true_count
            of_input = pc.less_equal(self._left, limit).true_count
            self._compare(keys[:of_output], self._left[:of_input])
            keys, self._left = keys[of_output:], self._left[of_input:]

    def finish(self) -> Difference:
        """The output has no more ids: all ids that the input still has are missing."""
        if self._left is not None:
            self._add_missing(self._left)
        for keys in self._input_keys:
            self._add_missing(keys)
        return Difference(
            self._missing, self._extra, tuple(self._missing_first), tuple(self._extra_first)
        )

    def _compare(self, output_keys: pa.Array, input_keys: pa.Array) -> None:
        if not output_keys.equals(input_keys):
            self._add_extra(_without(output_keys, input_keys))
            self._add_missing(_without(input_keys, output_keys))

    def _add_extra(self, keys: pa.Array) -> None:
        self._extra += len(keys)
        self._extra_first += first_of(keys, EXAMPLES - len(self._extra_first))

    def _add_missing(self, keys: pa.Array) -> None:
        self._missing += len(keys)
        self._missing_first += first_of(keys, EXAMPLES - len(self._missing_first))


class SameSequence:
    """Tests whether two files have the same ids in the same order, in whatever order."""

    def __init__(self, input_keys: Iterator[pa.Array]) -> None:
        self._input_keys = input_keys
        self._left: pa.Array | None = None
        """Ids of the input that were read and not yet compared."""

    def add(self, keys: pa.Array) -> None:
        """Compare the next ids of the output.

        Raises:
            OutOfOrder: they are not the input's next ids.

        """
        while len(keys):
            while not self._left:
                self._left = next(self._input_keys, None)
                if self._left is None:
                    raise OutOfOrder
            count = min(len(keys), len(self._left))
            if not keys[:count].equals(self._left[:count]):
                raise OutOfOrder
            keys, self._left = keys[count:], self._left[count:]

    def finish(self) -> Difference:
        """The output has no more ids. Raises OutOfOrder if the input has."""
        if self._left or any(len(keys) for keys in self._input_keys):
            raise OutOfOrder
        return Difference()


def _without(keys: pa.Array, others: pa.Array) -> pa.Array:
    """The keys that are not among the others; both are distinct and in order."""
    return keys.filter(pc.is_null(positions_in(others, keys)))
