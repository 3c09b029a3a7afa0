"""Exact facts about ids: how many are distinct, and which the input has and the output lacks.

As long as the ids of both files are in order, as most tools write them, they are merged while they
are read. As long as both files have the same ids in the same order, they are equal. All else is
left to `out_of_order`. When an assumption turns out to be wrong, the ids are read again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from gem_core.audit.arrow.arrays import Mask
from gem_core.audit.ids.bitmap import bitmap_range
from gem_core.audit.ids.comparison import Difference, Merge, SameSequence
from gem_core.audit.ids.facts import IdFacts, InputIds, InputLost, OutputIds
from gem_core.audit.ids.in_order import IdCount, OutOfOrder, ordered
from gem_core.audit.ids.keys import key_type, to_keys, without_nulls
from gem_core.audit.ids.non_integers import NonIntegerIds
from gem_core.audit.ids.out_of_order import OutOfOrderIds, SortMaker, difference
from gem_core.audit.ids.spill import SpillFull, SpillSpace
from gem_core.audit.options import IdLimits
from gem_core.audit.rows.example import EXAMPLES, Example

_EARLY_BYTES = 8 << 20
"""Memory for the first ids in order: when the order ends early, nothing is read twice."""


class IdAudit:
    """Takes the ids of an output batch by batch, and reads the input's as far as needed."""

    def __init__(
        self,
        output: OutputIds,
        input_ids: InputIds | None,
        *,
        not_compared: str = "",
        limits: IdLimits | None = None,
    ) -> None:
        """Without `input_ids`, `not_compared` says why."""
        limits = limits or IdLimits()
        self._key = key_type(output.kind, input_ids.kind if input_ids else None)
        self._output = output
        self._input_ids = input_ids
        self._span = bitmap_range(self._key, output, input_ids, limits.memory_bytes)
        bytes_of_one = limits.memory_bytes // (2 if input_ids else 1)
        space = SpillSpace(limits.disk_bytes, limits.folder)
        self._new_sort = SortMaker(self._key, bytes_of_one, space)
        self._non_integers = NonIntegerIds(limits.memory_bytes // 4)
        self._rows = 0
        self._count = IdCount()
        self._early: list[tuple[pa.Array, Mask]] | None = []
        """The first ids, all in order; None when they became too many."""
        self._early_bytes = 0
        self._merge = Merge(ordered(self._input_keys())) if input_ids else None
        self._same: SameSequence | None = None
        self._out_of_order: OutOfOrderIds | None = None
        self._not_compared = not_compared
        self._too_large = ""
        """That the ids take more disk than is allowed; empty while they do not."""

    def add(self, ids: pa.Array, matched: Mask) -> None:
        """Take the ids of one batch, and which of its rows are matched.

        Raises:
            OSError: the temporary directory is full or cannot be written.

        """
        keys, non_integers = to_keys(ids, self._key)
        self._non_integers.add(non_integers, matched)
        keys, matched = without_nulls(keys, matched)
        self._rows += len(keys)
        if not self._out_of_order:
            try:
                self._add_in_order(keys, matched)
            except OutOfOrder:
                self._out_of_order = self._begin_out_of_order()
        if self._out_of_order:
            self._add_out_of_order(self._out_of_order, keys, matched)

    def finish(self) -> IdFacts:
        """Count and compare, after the last id.

        Raises:
            OSError: the temporary directory is full or cannot be written.
            Exception: what `OutputIds.again` raises.

        """
        try:
            if self._out_of_order and not self._too_large:
                with self._within_disk():
                    self._out_of_order.complete()
            found = self._compared_while_reading()
            if not found and not self._not_compared and not self._too_large:
                with self._comparing(), self._within_disk():
                    found = self._compare()
            return self._facts(found)
        finally:
            self.close()

    def close(self) -> None:
        """Remove what is on disk; nothing may be added any more."""
        if self._out_of_order:
            self._out_of_order.close()

    def _add_in_order(self, keys: pa.Array, matched: Mask) -> None:
        """Count and merge ids in order. Raises OutOfOrder."""
        distinct = self._count.add(keys, matched)
        if self._early is not None:
            self._early.append((keys, matched))
            self._early_bytes += keys.nbytes
            if self._early_bytes > _EARLY_BYTES:
                self._early = None
        if self._merge:
            with self._comparing():
                self._merge.add(distinct)

    def _begin_out_of_order(self) -> OutOfOrderIds:
        """Begin again, without an order, with the first ids or after reading all again."""
        self._merge = None
        ids = OutOfOrderIds(self._new_sort, self._span, self._keys_again)
        if self._early is None:
            ids.skip()
            return ids
        if self._input_ids and not self._not_compared:
            self._same = SameSequence(self._input_keys())
        for keys, matched in self._early:
            self._add_out_of_order(ids, keys, matched)
        self._early = None
        return ids

    def _add_out_of_order(self, ids: OutOfOrderIds, keys: pa.Array, matched: Mask) -> None:
        if not self._too_large:
            with self._within_disk():
                ids.add(keys, matched)
        if self._same:
            with self._comparing():
                self._same.add(keys)

    def _compared_while_reading(self) -> Difference | None:
        """The difference, if the ids could be compared while they were read."""
        with self._comparing():
            if self._merge:
                return self._merge.finish()
            if self._same:
                return self._same.finish()
        return None

    def _compare(self) -> Difference:
        """Read the ids again and compare them, from the first one."""
        if self._out_of_order:
            return self._out_of_order.difference(self._input_keys)
        return difference(
            lambda: ordered(keys for keys, _ in self._keys_again()),
            self._input_keys,
            self._new_sort,
        )

    def _facts(self, found: Difference | None) -> IdFacts:
        counts = (self._out_of_order or self._count).counts()
        others, others_matched = self._non_integers.counts()
        too_many = ""
        if not self._non_integers.known:
            found = None
            too_many = (
                "the output has more ids that are not integers, as those of the input are, than "
                f"fit in {self._non_integers.limit_bytes} bytes"
            )
        if too_many or not counts:
            distinct, of_matched, not_counted = None, None, too_many or self._too_large
        else:
            distinct, of_matched = counts[0] + others, counts[1] + others_matched
            not_counted = ""
        extra_first = (*found.extra_first, *self._non_integers.first(EXAMPLES)) if found else ()
        return IdFacts(
            rows=self._rows + self._non_integers.rows,
            distinct=distinct,
            distinct_matched=of_matched,
            not_counted=not_counted,
            missing=found.missing if found else None,
            extra=found.extra + others if found else None,
            not_compared="" if found else self._not_compared or too_many or self._too_large,
            over_limit=too_many or self._too_large,
            missing_examples=_examples(found.missing_first) if found else (),
            extra_examples=_examples(extra_first),
        )

    @contextmanager
    def _comparing(self) -> Iterator[None]:
        """Stop comparing when the input is in another order, or cannot be read any further."""
        try:
            yield
        except OutOfOrder:
            self._merge = self._same = None
        except InputLost as lost:
            self._merge = self._same = None
            self._not_compared = str(lost)

    @contextmanager
    def _within_disk(self) -> Iterator[None]:
        """Stop when the ids take more disk than is allowed: then they are not counted, or not
        compared.
        """
        try:
            yield
        except SpillFull as full:
            self._too_large = str(full)

    def _keys_again(self) -> Iterator[tuple[pa.Array, Mask]]:
        for ids, matched in self._output.again():
            yield without_nulls(to_keys(ids, self._key)[0], matched)

    def _input_keys(self) -> Iterator[pa.Array]:
        for ids in self._input_ids.read() if self._input_ids else ():
            keys, _ = to_keys(ids, self._key)
            yield keys.drop_null()


def _examples(ids: tuple[str, ...]) -> tuple[Example, ...]:
    return tuple(Example(id=text) for text in ids[:EXAMPLES])
