"""Exact facts about ids: how many are distinct, and which the input has and the output lacks. Pure.

While the ids of both files come in order, as they do from most tools, the two are merged as they
pass. Otherwise they are sorted in memory and merged, up to a bound. Beyond the bound the answer is
"not known", never a guess.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa

from gem_core.audit.held_ids import Budget, IdColumn, Strangers
from gem_core.audit.keys import filled, key_type, to_keys
from gem_core.audit.sorted_ids import Merge, OutOfOrder
from gem_core.audit.verdict import EXAMPLES, Example

LIMIT_BYTES = 128 << 20
"""Of ids held, both files together: 16 million integers. Beside the pieces and batches of the
reader that stays under 600 MiB."""


class InputLost(Exception):
    """The input could not be read on; raised by the iterator of its ids. The message says why."""


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
    arrays: Iterable[pa.Array]
    """May raise InputLost."""


class IdAudit:
    """Takes the ids of an output batch by batch, and pulls the input's as far as needed."""

    def __init__(
        self,
        kind: pa.DataType,
        given: GivenIds | None,
        *,
        not_compared: str = "",
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        """Without `given`, `not_compared` says why."""
        self._key = key_type(kind, given.kind if given else None)
        self._beyond = (
            f"the ids are not in order and need more than the {limit_bytes} bytes of memory "
            "that are set aside for an exact count"
        )
        budget = Budget(limit_bytes)
        self._given = IdColumn(budget)
        self._output = IdColumn(budget, before=self._given)
        self._strangers = Strangers(budget)
        self._given_keys = self._convert(given.arrays if given else ())
        self._merge = Merge(self._given_in_order()) if given else None
        self._not_compared = not_compared

    def add(self, ids: pa.Array, matched: pa.BooleanArray) -> None:
        """Take the ids of one batch, and which of its rows are matched."""
        keys, strangers = to_keys(ids, self._key)
        self._strangers.add(strangers, matched)
        distinct = self._output.add(*filled(keys, matched))
        if distinct is None:
            self._merge = None
        if self._merge:
            with self._giving_up():
                self._merge.add(distinct)

    def finish(self) -> IdFacts:
        """Everything is read: count, and compare."""
        if self._merge:
            with self._giving_up():
                self._merge.finish()
        if not self._merge and not self._not_compared:
            with self._giving_up():
                self._merge = self._compare_held()
        if not self._merge and not self._output.in_order and self._output.held:
            for _ in self._output.again():
                pass  # counts
        known = self._output.known and self._strangers.held
        merge = self._merge if known else None
        ids, ids_matched = self._output.counts()
        strange, strange_matched = self._strangers.counts()
        odd = self._strangers.first(EXAMPLES)
        return IdFacts(
            rows=self._output.rows + self._strangers.rows,
            distinct=ids + strange if known else None,
            distinct_matched=ids_matched + strange_matched if known else None,
            not_counted="" if known else self._beyond,
            missing=merge.missing if merge else None,
            invented=merge.invented + strange if merge else None,
            not_compared="" if merge else self._not_compared or self._beyond,
            missing_examples=_examples(merge.missing_first) if merge else (),
            invented_examples=_examples(merge.invented_first + odd) if merge else (),
        )

    def _compare_held(self) -> Merge | None:
        """Compare with the help of memory; None when the ids do not fit."""
        while self._output.held and self._given.held:
            keys = next(self._given_keys, None)
            if keys is None:
                break
            self._given.add(keys, _nobody(keys))
        else:
            return None
        merge = Merge(self._given.again())
        for keys in self._output.again():
            merge.add(keys)
        merge.finish()
        return merge

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

    def _convert(self, arrays: Iterable[pa.Array]) -> Iterator[pa.Array]:
        for ids in arrays:
            keys, _ = to_keys(ids, self._key)
            yield keys.drop_null()

    def _given_in_order(self) -> Iterator[pa.Array]:
        for keys in self._given_keys:
            distinct = self._given.add(keys, _nobody(keys))
            if distinct is None:
                raise OutOfOrder
            yield distinct


def _nobody(keys: pa.Array) -> pa.BooleanArray:
    return pa.repeat(pa.scalar(value=False), len(keys))


def _examples(ids: list[str]) -> tuple[Example, ...]:
    return tuple(Example(id=text) for text in ids[:EXAMPLES])
