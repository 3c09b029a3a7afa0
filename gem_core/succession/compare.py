"""The story of a comparison: read both files, join their roads, connect their ids. Edge (reads,
disk).

Each step spreads its rows over partitions on disk, by the value that brings them together in the
next one: by road, by old id, by new id. So the order of the rows does not matter. Memory depends on
the size of a partition, and on the number of pairs. Each pair takes one byte, and 20 more if it
shares an id with another one.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from gem_core.audit.ids.spill import SpillFile, SpillFull, SpillSpace
from gem_core.audit.parquet.reader_errors import DataFault, is_shortage
from gem_core.audit.reading.range_file import RangeFile
from gem_core.audit.reading.source import Source
from gem_core.succession.gers_bytes import PACKED, unpack
from gem_core.succession.kind import KINDS, Kind
from gem_core.succession.matched_file import CannotCompare, MatchedFile, open_matched, road_key
from gem_core.succession.pair_groups import DROPPED_SCHEMA, LINK_SCHEMA, PairGroups
from gem_core.succession.result import Succession
from gem_core.succession.road_join import (
    RoadJoin,
    Roads,
    RoadsNotDistinct,
    gained_schema,
    pair_schema,
)
from gem_core.succession.spread import Spread, partitions_for

DISK_BYTES = 4 << 30
"""By default. Ten million rows in each file need about 1 GiB."""

type OnStep = Callable[[str], None]
"""Is called with what is done now, in words."""

type TakePairs = Callable[[pa.RecordBatch], None]
"""Takes the pairs, batch by batch; see `pair_columns`."""


def pair_columns(road: pa.DataType) -> pa.Schema:
    """The columns of the pairs, as a file has them."""
    return pa.schema(
        [
            ("old_gers_id", pa.string()),
            ("new_gers_id", pa.string()),
            ("kind", pa.dictionary(pa.int8(), pa.string())),
            ("group", pa.int64()),
            ("roads", pa.int64()),
            ("road_ids", pa.list_(road)),
        ]
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """What a comparison may use."""

    disk_bytes: int = DISK_BYTES
    folder: Path | None = None
    """For what lies on disk; None is the system's temporary directory."""


def compare(
    old: Source,
    new: Source,
    *,
    limits: Limits | None = None,
    on_step: OnStep = lambda _: None,
    take_pairs: TakePairs | None = None,
) -> Succession:
    """Compare the outputs of two runs of GEM over the same roads.

    Args:
        old: the output of the earlier run.
        new: the output of the later run.
        limits: the disk that may be used.
        on_step: is called with the progress.
        take_pairs: takes the pairs; without it they are only counted.

    Raises:
        CannotCompare: a file is not as GEM's outputs are, or a limit was reached.
        OutputError: a file cannot be read, or has changed.
        MemoryError: there was too little.

    """
    limits = limits or Limits()
    with ExitStack() as stack:
        files = [stack.enter_context(RangeFile(source)) for source in (old, new)]
        with _explained(limits):
            space = SpillSpace(limits.disk_bytes, limits.folder)
            old_file, new_file = open_matched(old, files[0]), open_matched(new, files[1])
            return _Comparison(old_file, new_file, space, stack, on_step).run(take_pairs)


@contextmanager
def _explained(limits: Limits) -> Iterator[None]:
    try:
        yield
    except SpillFull:
        raise CannotCompare(
            f"the comparison takes more than {limits.disk_bytes >> 20:,} MiB on disk, which is "
            "the limit that --disk sets"
        ) from None
    except (DataFault, RoadsNotDistinct) as error:
        raise CannotCompare(str(error)) from None
    except OSError as error:
        if is_shortage(error):
            raise
        raise CannotCompare(
            f"the temporary directory cannot be used: {error.strerror or error}"
        ) from None


@dataclass(slots=True)
class _Comparison:
    """One comparison."""

    old: MatchedFile
    new: MatchedFile
    space: SpillSpace
    stack: ExitStack
    on_step: OnStep
    roads: Roads = field(default_factory=Roads)
    groups: PairGroups = field(default_factory=PairGroups)
    most_on_disk: int = 0

    def run(self, take_pairs: TakePairs | None) -> Succession:
        key = road_key(self.old, self.new)
        count = partitions_for(max(self.old.opened.rows, self.new.opened.rows))
        by_old, gained = self._join(key, count)
        pairs = self._stored(_pair_list(key)) if take_pairs else None
        by_new, dropped = self._by_old(by_old, pairs, count)
        gained_ids = self._stored(_gained_list(key)) if take_pairs else None
        self._by_new((by_new, gained, dropped), gained_ids)
        self.on_step("connecting ids")
        self.groups.finish()
        if take_pairs and pairs and gained_ids:
            self.on_step("writing pairs")
            for batch in _described(self.groups, pairs, gained_ids, key):
                take_pairs(batch)
        return Succession(
            old=self.old,
            new=self.new,
            roads=self.roads,
            groups=self.groups.counts,
            pairs=self.groups.pairs,
            largest=self.groups.largest,
            dropped_elsewhere=self.groups.dropped_elsewhere,
            disk_bytes=self.most_on_disk,
        )

    def _join(self, key: pa.DataType, count: int) -> tuple[Spread, Spread]:
        """Spread the rows of both files by road, and join the roads of each partition."""
        by_road = [self._read(file, key, count) for file in (self.old, self.new)]
        by_old = self._spread(pair_schema(key), count)
        gained = self._spread(gained_schema(key), count)
        for number, (old, new) in enumerate(zip(*by_road, strict=True)):
            self.on_step(f"joining roads, {100 * number // count}%")
            join = RoadJoin(old, new)
            self.roads += join.roads()
            for batch in join.pairs():
                by_old.add(batch)
            gained.add(join.gained())
        self._close(*by_road)
        return by_old, gained

    def _read(self, file: MatchedFile, key: pa.DataType, count: int) -> Spread:
        spread = self._spread(pa.schema([("road", key), ("gers", PACKED)]), count)
        for batch in file.matches(key):
            spread.add(batch)
            percent = 100 * file.counts.rows // max(file.opened.rows, 1)
            self.on_step(f"reading {file.source.name}, {percent}%")
        return spread

    def _by_old(self, by_old: Spread, pairs: "_Stored | None", count: int) -> tuple[Spread, Spread]:
        """Find the distinct pairs of each partition, and spread them by new id; and the dropped
        ids.
        """
        by_new, dropped = self._spread(LINK_SCHEMA, count), self._spread(DROPPED_SCHEMA, count)
        for number, rows in enumerate(by_old):
            self.on_step(f"pairing ids, {100 * number // count}%")
            found, links, lost = self.groups.add_by_old(rows)
            by_new.add(links)
            dropped.add(lost)
            if pairs:
                pairs.add(found)
        self._close(by_old)
        return by_new, dropped

    def _by_new(self, spreads: tuple[Spread, Spread, Spread], gained_ids: "_Stored | None") -> None:
        for parts in zip(*spreads, strict=True):
            found = self.groups.add_by_new(*parts)
            if gained_ids:
                gained_ids.add(found)
        self._close(*spreads)

    def _spread(self, schema: pa.Schema, count: int) -> Spread:
        spread = Spread(self.space, schema, count)
        self.stack.callback(spread.close)
        return spread

    def _stored(self, schema: pa.Schema) -> "_Stored":
        stored = _Stored(schema, self.space.file())
        self.stack.callback(stored.file.close)
        return stored

    def _close(self, *spreads: Spread) -> None:
        self.most_on_disk = max(self.most_on_disk, self.space.held_bytes)
        for spread in spreads:
            spread.close()


@dataclass(slots=True)
class _Stored:
    """Batches on disk, in their order."""

    schema: pa.Schema
    file: SpillFile
    pieces: list[tuple[int, int]] = field(default_factory=list)

    def add(self, batch: pa.RecordBatch) -> None:
        data = batch.serialize()
        self.pieces.append((self.file.tell(), data.size))
        self.file.write(data)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for offset, length in self.pieces:
            data = pa.allocate_buffer(length)
            self.file.read_at(offset, data)
            yield pa.ipc.read_record_batch(data, self.schema)


def _pair_list(road: pa.DataType) -> pa.Schema:
    return pa.schema([("old", PACKED), ("new", PACKED), ("road_ids", pa.list_(road))])


def _gained_list(road: pa.DataType) -> pa.Schema:
    return pa.schema([("new", PACKED), ("road_ids", pa.list_(road))])


def _described(
    groups: PairGroups, pairs: _Stored, gained: _Stored, road: pa.DataType
) -> Iterator[pa.RecordBatch]:
    """All pairs, then the gained ids, as `pair_columns` says."""
    words = pa.array([kind.value for kind in KINDS])
    schema = pair_columns(road)
    at = 0

    def batch(
        old: pa.Array, new: pa.Array, kinds: pa.Array, group: pa.Array, roads: pa.Array
    ) -> pa.RecordBatch:
        kind = pa.DictionaryArray.from_arrays(kinds, words)
        return pa.RecordBatch.from_arrays(
            [old, new, kind, group, roads.value_lengths().cast(pa.int64()), roads], schema=schema
        )

    for rows in pairs:
        kinds, numbers = groups.kinds_of(at, rows.num_rows)
        yield batch(
            unpack(rows["old"]),
            unpack(rows["new"]),
            pa.array(kinds.astype("int8")),
            pa.array(numbers),
            rows["road_ids"],
        )
        at += rows.num_rows
    for rows in gained:
        count = rows.num_rows
        yield batch(
            pa.nulls(count, pa.string()),
            unpack(rows["new"]),
            pa.array([KINDS.index(Kind.GAINED)] * count, pa.int8()),
            pa.array(range(at, at + count), pa.int64()),
            rows["road_ids"],
        )
        at += count
