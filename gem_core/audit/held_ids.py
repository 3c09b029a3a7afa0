"""Ids of one file: folded as they pass while in order, and held to be sorted as long as they fit.

Pure.
"""

from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa

from gem_core.audit.sorted_ids import Distinct, OutOfOrder
from gem_core.audit.sorting import sorted_ranges


class Budget:
    """Bytes that the ids of both files may take together."""

    def __init__(self, limit_bytes: int) -> None:
        self._left = limit_bytes

    def take(self, count: int) -> bool:
        """Claim bytes; False, and nothing claimed, when they are not left."""
        if count > self._left:
            return False
        self._left -= count
        return True

    def give_back(self, count: int) -> None:
        """Free claimed bytes."""
        self._left += count


class Strangers:
    """Distinct texts among the output's ids that can be no id of the input."""

    _BYTES_EACH = 200
    """About what one entry of a dict costs, beside its characters."""

    def __init__(self, budget: Budget) -> None:
        self.rows = 0
        self.held = True
        """Whether the distinct ones are known."""
        self._budget = budget
        self._matched: dict[str, bool] = {}

    def add(self, strangers: Mapping[int, str], matched: pa.BooleanArray) -> None:
        """Take those of one batch, by position in it."""
        self.rows += len(strangers)
        for position, text in strangers.items():
            if text not in self._matched and self.held:
                self.held = self._budget.take(self._BYTES_EACH + len(text))
            if self.held:
                before = self._matched.get(text, False)
                self._matched[text] = before or bool(matched[position].as_py())

    def counts(self) -> tuple[int, int]:
        """Distinct texts, and distinct texts that have a matched row."""
        return len(self._matched), sum(self._matched.values())

    def first(self, count: int) -> list[str]:
        """Show a few."""
        return [text[:100] for text, _ in zip(self._matched, range(count), strict=False)]


class IdColumn:
    """The ids of one file, added in the file's order."""

    def __init__(self, budget: Budget, *, before: "IdColumn | None" = None) -> None:
        """`before` lets go of its ids when these need the room."""
        self.rows = 0
        self.in_order = True
        self.held = True
        """Whether all ids are still in memory."""
        self._budget = budget
        self._before = before
        self._taken = 0
        self._keys: list[pa.Array] = []
        self._matched: list[pa.BooleanArray] = []
        self._all = Distinct()
        self._of_matched = Distinct()

    @property
    def known(self) -> bool:
        """Whether the exact counts can be told."""
        return self.in_order or self.held

    def add(self, keys: pa.Array, matched: pa.BooleanArray) -> pa.Array | None:
        """Take the next ids (no nulls) and which of their rows are matched.

        Gives back the distinct ones among them, or None once the ids are out of order.
        """
        self.rows += len(keys)
        self._hold(keys, matched)
        if not self.in_order:
            return None
        try:
            self._of_matched.add(keys.filter(matched))
            return self._all.add(keys)
        except OutOfOrder:
            self.in_order = False
            return None

    def counts(self) -> tuple[int, int]:
        """Distinct ids, and distinct ids that have a matched row.

        For ids that came in order, or once `again` went through all of them.
        """
        return self._all.count, self._of_matched.count

    def again(self) -> Iterator[pa.Array]:
        """Go through the held ids once more, in order: the distinct ones, counted on the way."""
        self._all, self._of_matched = Distinct(), Distinct()
        parts: Iterable[tuple[pa.Array, pa.BooleanArray]] = (
            zip(self._keys, self._matched, strict=True)
            if self.in_order
            else sorted_ranges(self._keys, self._matched)
        )
        for keys, matched in parts:
            self._of_matched.add(keys.filter(matched))
            yield self._all.add(keys)

    def let_go(self) -> None:
        """Hold no ids from now on; what is folded stays folded."""
        self.held = False
        self._keys.clear()
        self._matched.clear()
        self._budget.give_back(self._taken)
        self._taken = 0

    def _hold(self, keys: pa.Array, matched: pa.BooleanArray) -> None:
        if not self.held:
            return
        size = keys.nbytes + matched.nbytes
        taken = self._budget.take(size)
        if not taken and self._before:
            self._before.let_go()
            taken = self._budget.take(size)
        if not taken:
            self.let_go()
            return
        self._taken += size
        self._keys.append(keys)
        self._matched.append(matched)
