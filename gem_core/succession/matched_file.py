"""The matches in an output: of each row the road and its GERS id. Edge (reads)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.arrow.arrays import valid
from gem_core.audit.arrow.text import as_text, readable
from gem_core.audit.contract import ID, UsableColumns, promises_of
from gem_core.audit.ids.keys import to_keys
from gem_core.audit.parquet.opened_file import Fault, OpenedFile, open_parquet
from gem_core.audit.reading.range_file import RangeFile
from gem_core.audit.reading.source import Source
from gem_core.audit.rows.row_batch import RowBatch
from gem_core.errors import CourierError
from gem_core.gem.contracts.known import DEFAULT
from gem_core.gem.contracts.layout import Role
from gem_core.gem.job import GemJob
from gem_core.succession.gers_bytes import PACKED, pack

_NO_JOB = GemJob(job_run_id="", contract=DEFAULT.name, status_text="", answer={})
"""The layout follows from the columns alone."""


class CannotCompare(CourierError):
    """Two files cannot be compared; the message says why."""


@dataclass(slots=True)
class Counts:
    """What was read of a file."""

    rows: int = 0
    matched: int = 0
    without_id: int = 0
    """Rows without a road id. They are left out."""
    no_gers_id: int = 0
    """Matched rows whose GERS id is null or in no format. Their roads count as unmatched."""
    no_gers_id_first: str = ""
    """The first of these GERS ids, to show; empty when all are null."""
    foreign_ids: int = 0
    """Rows whose road id the other file cannot have: text that is no integer, beside integers."""


@dataclass(slots=True)
class MatchedFile:
    """An output whose columns can be used."""

    source: Source
    opened: OpenedFile
    usable: UsableColumns
    layout: str
    counts: Counts = field(default_factory=Counts)

    @property
    def id_type(self) -> pa.DataType:
        """Of the road ids."""
        return self.opened.schema.field(ID).type

    def matches(self, key: pa.DataType) -> Iterator[pa.RecordBatch]:
        """Batches with `road` (of type `key`) and `gers` (`PACKED`): a row for each row that has a
        road id. `gers` is null where the row is no match.

        Raises:
            DataFault: the rows cannot be read.
            OutputError: the source cannot be read, or has changed.

        """
        self.counts = Counts()
        schema = pa.schema([("road", key), ("gers", PACKED)])
        for batch in self.opened.batches(
            self.usable.names,
            apart=self.opened.costliest(self.usable.names),
            as_dictionary=self.usable.repeating,
        ):
            rows = RowBatch(batch, self.usable)
            roads, foreign = to_keys(batch.column(ID), key)
            gers = self._gers_ids(rows)
            if roads.null_count:
                self.counts.foreign_ids += len(foreign)
                self.counts.without_id += roads.null_count - len(foreign)
                has_id = pa.array(valid(roads))
                roads, gers = roads.filter(has_id), gers.filter(has_id)
            self.counts.rows += rows.count
            yield pa.RecordBatch.from_arrays([roads, gers], schema=schema)

    def gers_ids(self) -> Iterator[pa.StringArray]:
        """The GERS ids in batches: one for each row, null without a match.

        Raises as `matches` does.
        """
        needed = self.usable.only(Role.GERS_ID, Role.STATUS)
        for batch in self.opened.batches(needed.names, as_dictionary=needed.repeating):
            yield _matched_texts(RowBatch(batch, needed))

    def _gers_ids(self, rows: RowBatch) -> pa.FixedSizeBinaryArray:
        texts = _matched_texts(rows)
        packed = pack(texts)
        matched = int(np.count_nonzero(rows.matched))
        self.counts.matched += matched
        if missing := matched - (len(packed) - packed.null_count):
            self.counts.no_gers_id += missing
            if not self.counts.no_gers_id_first:
                is_other = pc.and_(packed.is_null(), texts.is_valid())
                for text in texts.filter(is_other)[:1]:
                    self.counts.no_gers_id_first = readable(text, cut=60) or ""
        return packed


def _matched_texts(rows: RowBatch) -> pa.StringArray:
    """The GERS ids of the matched rows; null for the others."""
    texts = as_text(rows.gers_ids)
    if not rows.matched.all():
        texts = pc.if_else(pa.array(rows.matched), texts, pa.scalar(None, pa.string()))
    return texts


def open_matched(source: Source, file: RangeFile) -> MatchedFile:
    """Read the footer, and choose the layout by the columns.

    Raises:
        CannotCompare: it is no Parquet file, or lacks a column that is needed.
        OutputError: the source cannot be read.

    """
    opened = open_parquet(file)
    if isinstance(opened, Fault):
        raise CannotCompare(f"{source.name} is not readable Parquet: {opened.detail}")
    promises = promises_of(_NO_JOB, opened.schema)
    if promises is None:
        names = ", ".join(opened.schema.names[:20])
        raise CannotCompare(f"{source.name} is no output of a known layout: it has {names}")
    needed = {Role.ID, Role.GERS_ID, Role.STATUS} & {*promises.columns}
    for role in sorted(needed):
        if problem := promises.columns[role].problem(opened.schema):
            raise CannotCompare(f"{source.name}: {problem}")
    usable = promises.usable(opened.schema).only(*needed)
    return MatchedFile(source, opened, usable, promises.layout.name)


def road_key(old: MatchedFile, new: MatchedFile) -> pa.DataType:
    """The type by which the roads of two files are compared: integers if one of them has these.

    Newer outputs have the ids as text, whatever they were in the input.
    """
    kinds = (old.id_type, new.id_type)
    if any(pa.types.is_uint64(kind) for kind in kinds):
        return pa.string()
    return pa.int64() if any(pa.types.is_integer(kind) for kind in kinds) else pa.string()
