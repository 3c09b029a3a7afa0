"""Exact facts about ids: how many are distinct, and which the input has and the output lacks.

While the ids of both files come in order, as they do from most tools, the two are merged as they
pass. While they come in the same order, whichever it is, they are equal. What remains is for
`unordered`. Whichever way turns out not to fit, the ids are read once more.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from gem_core.audit.arrow.arrays import Mask
from gem_core.audit.ids.bitmap import bitmap_range
from gem_core.audit.ids.facts import IdFacts, IdLimits, InputIds, InputLost, OutputIds
from gem_core.audit.ids.in_order import (
    Difference,
    IdCount,
    Merge,
    OutOfOrder,
    SameSequence,
    ordered,
)
from gem_core.audit.ids.keys import filled, key_type, to_keys
from gem_core.audit.ids.non_integers import NonIntegerIds
from gem_core.audit.ids.out_of_order import OutOfOrderIds, SortMaker, difference
from gem_core.audit.rows.example import EXAMPLES, Example

_EARLY_BYTES = 8 << 20
"""Of ids in order that are held, in case the order ends early: then nothing is read twice."""


class IdAudit:
    """Takes the ids of an output batch by batch, and pulls the input's as far as needed."""

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
        each = limits.memory_bytes // (2 if input_ids else 1)
        self._new_runs = SortMaker(self._key, each, limits.folder)
        self._strangers = NonIntegerIds(limits.memory_bytes // 4)
        self._limit_of_strangers = limits.memory_bytes // 4
        self._rows = 0
        self._count = IdCount()
        self._early: list[tuple[pa.Array, Mask]] | None = []
        """Ids in order so far; None once they were let go."""
        self._merge = Merge(ordered(self._input_keys())) if input_ids else None
        self._same: SameSequence | None = None
        self._unordered: OutOfOrderIds | None = None
        self._not_compared = not_compared

    def add(self, ids: pa.Array, matched: Mask) -> None:
        """Take the ids of one batch, and which of its rows are matched.

        Raises:
            OSError: the temporary directory is full or cannot be written.

        """
        keys, strangers = to_keys(ids, self._key)
        self._strangers.add(strangers, matched)
        keys, matched = filled(keys, matched)
        self._rows += len(keys)
        if not self._unordered:
            try:
                self._pass(keys, matched)
            except OutOfOrder:
                self._begin_again()
        if self._unordered:
            self._unordered.add(keys, matched)
            if self._same:
                with self._giving_up():
                    self._same.add(keys)

    def finish(self) -> IdFacts:
        """Everything is read: count, and compare.

        Raises:
            OSError: the temporary directory is full or cannot be written.
            Exception: what `OutputIds.again` raises.

        """
        try:
            if self._unordered:
                self._unordered.complete()
            found = self._passed()
            if not found and not self._not_compared:
                with self._giving_up():
                    found = self._compare()
            return self._facts(found)
        finally:
            self.close()

    def close(self) -> None:
        """Give up what is held on disk; nothing may be added any more."""
        if self._unordered:
            self._unordered.close()

    def _pass(self, keys: pa.Array, matched: Mask) -> None:
        """Count and merge ids in order. Raises OutOfOrder."""
        distinct = self._count.add(keys, matched)
        if self._early is not None:
            self._early.append((keys, matched))
            if sum(held.nbytes for held, _ in self._early) > _EARLY_BYTES:
                self._early = None
        if self._merge:
            with self._giving_up():
                self._merge.add(distinct)

    def _begin_again(self) -> None:
        """Leave the way of ids in order."""
        self._merge = None
        self._unordered = OutOfOrderIds(self._new_runs, self._span, self._keys_again)
        if self._early is None:
            self._unordered.skip()
            return
        if self._input_ids and not self._not_compared:
            self._same = SameSequence(self._input_keys())
        for keys, matched in self._early:
            self._unordered.add(keys, matched)
            if self._same:
                with self._giving_up():
                    self._same.add(keys)
        self._early = None

    def _passed(self) -> Difference | None:
        """What was found while the ids passed."""
        with self._giving_up():
            if self._merge:
                return self._merge.finish()
            if self._same:
                return self._same.finish()
        return None

    def _compare(self) -> Difference:
        """Compare once more, from the first id, what could not be while it passed."""
        if self._unordered:
            return self._unordered.difference(self._input_keys)
        return difference(
            lambda: ordered(keys for keys, _ in self._keys_again()),
            self._input_keys,
            self._new_runs,
        )

    def _facts(self, found: Difference | None) -> IdFacts:
        distinct, of_matched = (self._unordered or self._count).counts()
        strange, strange_matched = self._strangers.counts()
        odd = self._strangers.first(EXAMPLES)
        beyond = ""
        if not self._strangers.known:
            found = None
            beyond = (
                "the output has more texts that can be no id of the input than fit in "
                f"{self._limit_of_strangers} bytes"
            )
        return IdFacts(
            rows=self._rows + self._strangers.rows,
            distinct=None if beyond else distinct + strange,
            distinct_matched=None if beyond else of_matched + strange_matched,
            not_counted=beyond,
            missing=found.missing if found else None,
            invented=found.invented + strange if found else None,
            not_compared="" if found else self._not_compared or beyond,
            missing_examples=_examples(found.missing_first) if found else (),
            invented_examples=_examples((*found.invented_first, *odd)) if found else (),
        )

    @contextmanager
    def _giving_up(self) -> Iterator[None]:
        """Stop comparing where the input is in another order, or cannot be read on."""
        try:
            yield
        except OutOfOrder:
            self._merge = self._same = None
        except InputLost as lost:
            self._merge = self._same = None
            self._not_compared = str(lost)

    def _keys_again(self) -> Iterator[tuple[pa.Array, Mask]]:
        for ids, matched in self._output.again():
            yield filled(to_keys(ids, self._key)[0], matched)

    def _input_keys(self) -> Iterator[pa.Array]:
        for ids in self._input_ids.read() if self._input_ids else ():
            keys, _ = to_keys(ids, self._key)
            yield keys.drop_null()


def _examples(ids: tuple[str, ...]) -> tuple[Example, ...]:
    return tuple(Example(id=text) for text in ids[:EXAMPLES])
