"""Exact facts about ids: how many are distinct, and which the input has and the output lacks. Pure
but for ids that go to disk (`id_runs`).

While the ids of both files come in order, as they do from most tools, the two are merged as they
pass. Shuffled integers that fill a range are ticked off. All others are sorted, in memory up to a
bound and on disk beyond it. Whichever way turns out not to fit, the ids are read once more.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from gem_core.audit.buffers import Mask
from gem_core.audit.id_runs import IdRuns, sort_keys
from gem_core.audit.keys import filled, key_type, to_keys
from gem_core.audit.sorted_ids import Distinct, Merge, OutOfOrder
from gem_core.audit.strangers import Strangers
from gem_core.audit.verdict import EXAMPLES, Example

LIMIT_BYTES = 64 << 20
"""Of ids held, both files together."""

_EARLY_BYTES = 8 << 20
"""Of ids in order that are held, in case the order ends early: then nothing is read twice."""


class InputLost(Exception):
    """The input could not be read on; raised by the iterator of its ids. The message says why."""


@dataclass(frozen=True, slots=True)
class IdLimits:
    """What ids may take."""

    memory_bytes: int = LIMIT_BYTES
    """Of both files together."""
    folder: Path | None = None
    """For what does not fit into memory; None is the system's temporary directory."""


@dataclass(frozen=True, slots=True)
class IdFacts:
    """What the ids say. Nulls are left out; every count is exact, or None."""

    rows: int
    """Rows of the output that have an id."""
    distinct: int | None
    distinct_matched: int | None
    """Ids with at least one matched row."""
    not_counted: str
    """Why `distinct` is None, or empty."""
    missing: int | None
    """Distinct ids of the input that the output lacks."""
    invented: int | None
    """Distinct ids of the output that the input lacks."""
    not_compared: str
    """Why `missing` and `invented` are None, or empty."""
    missing_examples: tuple[Example, ...] = ()
    invented_examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class GivenIds:
    """The ids of the input: their type, and the arrays in the file's order."""

    kind: pa.DataType
    read: Callable[[], Iterable[pa.Array]]
    """From the first one; may be called again. May raise InputLost."""


@dataclass(frozen=True, slots=True)
class OutputIds:
    """The ids of the output: their type, and how to read them once more."""

    kind: pa.DataType
    again: Callable[[], Iterable[tuple[pa.Array, Mask]]]
    """All ids with which of their rows are matched, from the first one."""


class IdAudit:
    """Takes the ids of an output batch by batch, and pulls the input's as far as needed."""

    def __init__(
        self,
        output: OutputIds,
        given: GivenIds | None,
        *,
        not_compared: str = "",
        limits: IdLimits | None = None,
    ) -> None:
        """Without `given`, `not_compared` says why."""
        limits = limits or IdLimits()
        self._key = key_type(output.kind, given.kind if given else None)
        self._again = output.again
        self._given = given
        self._limits = limits
        self._strangers = Strangers(limits.memory_bytes // 4)
        self._rows = 0
        self._count = _Count()
        self._runs: IdRuns | None = None
        self._early: list[tuple[pa.Array, Mask]] | None = []
        """Ids in order so far; None once they were let go."""
        self._read_again = False
        self._merge = Merge(self._ordered(self._keys_of_given())) if given else None
        self._not_compared = not_compared

    def add(self, ids: pa.Array, matched: Mask) -> None:
        """Take the ids of one batch, and which of its rows are matched."""
        keys, strangers = to_keys(ids, self._key)
        self._strangers.add(strangers, matched)
        keys, matched = filled(keys, matched)
        self._rows += len(keys)
        if self._runs:
            self._runs.add(keys, matched)
        if self._runs or self._read_again:
            return
        try:
            distinct = self._count.add(keys, matched)
        except OutOfOrder:
            self._out_of_order(keys, matched)
            return
        self._hold_early(keys, matched)
        if self._merge:
            with self._giving_up():
                self._merge.add(distinct)

    def finish(self) -> IdFacts:
        """Everything is read: count, and compare.

        Raises:
            OSError: the temporary directory is full or cannot be written.
            Exception: what `OutputIds.again` raises.

        """
        try:
            return self._finish()
        finally:
            self.close()

    def close(self) -> None:
        """Give up what is held on disk; nothing may be added any more."""
        if self._runs:
            self._runs.close()

    def _finish(self) -> IdFacts:
        if self._read_again:
            self._runs = self._new_runs()
            for ids, matched in self._again():
                self._runs.add(*filled(to_keys(ids, self._key)[0], matched))
        if self._merge:
            with self._giving_up():
                self._merge.finish()
        if not self._merge and not self._not_compared:
            counted = self._count
            try:
                self._merge = self._compare()
            except InputLost as lost:
                self._not_compared = str(lost)
                self._count = counted
        if not self._merge and self._runs:
            for _ in self._output_in_order():
                pass  # counts
        known, merge = self._strangers.known, self._merge
        strange, strange_matched = self._strangers.counts()
        beyond = "" if known else self._beyond
        merge = merge if known else None
        odd = self._strangers.first(EXAMPLES)
        return IdFacts(
            rows=self._rows + self._strangers.rows,
            distinct=self._count.all.count + strange if known else None,
            distinct_matched=self._count.of_matched.count + strange_matched if known else None,
            not_counted=beyond,
            missing=merge.missing if merge else None,
            invented=merge.invented + strange if merge else None,
            not_compared="" if merge else self._not_compared or beyond,
            missing_examples=_examples(merge.missing_first) if merge else (),
            invented_examples=_examples(merge.invented_first + odd) if merge else (),
        )

    @property
    def _beyond(self) -> str:
        return (
            "the output has more texts that can be no id of the input than fit in "
            f"{self._limits.memory_bytes // 4} bytes"
        )

    def _compare(self) -> Merge:
        """Compare once more, from the first id, what could not be merged while it passed."""
        try:
            return self._merged(self._ordered(self._keys_of_given()))
        except OutOfOrder:
            with self._new_runs() as runs:
                for keys in self._keys_of_given():
                    runs.add(keys, None)
                return self._merged(self._ordered(keys for _, keys in runs.in_order()))

    def _merged(self, given: Iterator[pa.Array]) -> Merge:
        merge = Merge(given)
        for keys in self._output_in_order():
            merge.add(keys)
        merge.finish()
        return merge

    def _output_in_order(self) -> Iterator[pa.Array]:
        """Go through the output's distinct ids, counting them anew."""
        self._count = _Count()
        if not self._runs:
            for ids, matched in self._again():
                yield self._count.add(*filled(to_keys(ids, self._key)[0], matched))
            return
        for matched_keys, others in self._runs.in_order():
            yield self._count.add_parted(matched_keys, others)

    def _out_of_order(self, keys: pa.Array, matched: Mask) -> None:
        self._merge = None
        if self._early is None:
            self._read_again = True
            return
        self._runs = self._new_runs()
        for early in self._early:
            self._runs.add(*early)
        self._early = None
        self._runs.add(keys, matched)

    def _hold_early(self, keys: pa.Array, matched: Mask) -> None:
        if self._early is None:
            return
        self._early.append((keys, matched))
        if sum(held.nbytes for held, _ in self._early) > _EARLY_BYTES:
            self._early = None

    def _new_runs(self) -> IdRuns:
        files = 2 if self._given else 1
        return IdRuns(self._limits.memory_bytes // files, self._limits.folder)

    @contextmanager
    def _giving_up(self) -> Iterator[None]:
        """The merge ends where the input is out of order, or cannot be read on."""
        try:
            yield
        except OutOfOrder:
            self._merge = None
        except InputLost as lost:
            self._merge = None
            self._not_compared = str(lost)

    def _keys_of_given(self) -> Iterator[pa.Array]:
        for ids in self._given.read() if self._given else ():
            keys, _ = to_keys(ids, self._key)
            yield keys.drop_null()

    @staticmethod
    def _ordered(arrays: Iterable[pa.Array]) -> Iterator[pa.Array]:
        """Leave the distinct ones. Raises OutOfOrder."""
        distinct = Distinct()
        for keys in arrays:
            yield distinct.add(keys)


class _Count:
    """Distinct ids that come in order, and those that have a matched row."""

    def __init__(self) -> None:
        self.all = Distinct()
        self.of_matched = Distinct()

    def add(self, keys: pa.Array, matched: Mask) -> pa.Array:
        """Fold ids and which of their rows are matched; gives back the distinct ones."""
        fresh = self.all.add(keys)
        if len(fresh) == len(keys):
            # No repeats, so no need to look at the ids of the matched rows.
            self.of_matched.add_distinct(keys, matched)
        else:
            self.of_matched.add(keys.filter(pa.array(matched)))
        return fresh

    def add_parted(self, matched: pa.Array, others: pa.Array) -> pa.Array:
        """Fold ids of matched rows and of others, each in order."""
        self.of_matched.add(matched)
        if not len(matched) or not len(others):
            return self.all.add(matched if len(matched) else others)
        return self.all.add(sort_keys(pa.concat_arrays([matched, others])))


def _examples(ids: list[str]) -> tuple[Example, ...]:
    return tuple(Example(id=text) for text in ids[:EXAMPLES])
