"""Opens a Parquet file: magic bytes, footer, schema; then its rows, batch by batch. Edge (reads).

A file that is no readable Parquet is a value (`Fault`, `DataFault`), not an exception.
"""

from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import reduce
from itertools import chain

import pyarrow as pa
import pyarrow.parquet as pq

from gem_core.audit.arrow.types import is_text
from gem_core.audit.contract import ID
from gem_core.audit.parquet.column_chunks import chunks, coded_by_delta, group_chunks
from gem_core.audit.parquet.decoding import decoded, open_file
from gem_core.audit.parquet.integer_range import IntegerRange
from gem_core.audit.parquet.reader_errors import DataFault, Unsupported, told_apart
from gem_core.audit.parquet.threads import ahead, costliest, side_by_side
from gem_core.audit.reading.range_file import TAIL_BYTES, RangeFile

MAGIC = b"PAR1"
MAGIC_ENCRYPTED = b"PARE"
_ENDING = 8
"""Bytes of footer length and magic at the end."""


class FaultKind(StrEnum):
    """At which step a file showed itself to be no readable Parquet, in the order of the steps."""

    EMPTY = "empty"
    MAGIC = "magic"
    ENCRYPTED = "encrypted"
    FOOTER = "footer"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a file could not be opened as Parquet."""

    kind: FaultKind
    detail: str
    is_unfinished: bool = False
    """Whether the file is the beginning of a Parquet file: it may still be being written."""


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A Parquet file whose footer was read."""

    schema: pa.Schema
    """As written, text never shown as a dictionary that the file does not have."""
    rows: int
    """As the footer says."""
    row_groups: int
    chunks_past_footer: int
    """Column chunks that the footer places outside of the data."""
    _file: RangeFile = field(repr=False)
    _metadata: pq.FileMetaData = field(repr=False)

    def costliest(self, columns: Sequence[str]) -> str | None:
        """Of the columns, the one that is worth a thread of its own; None in a small file."""
        with suppress(DataFault), told_apart(self._file):  # `batches` reports what is broken
            return costliest(self._metadata, columns)
        return None

    def id_range(self) -> IntegerRange | None:
        """The range of integer ids as the footer gives it; None when it does not."""
        if pa.types.is_integer(self.schema.field(ID).type):
            with suppress(DataFault), told_apart(self._file):  # as above
                return _id_range(self._metadata)
        return None

    def batches(
        self,
        columns: Sequence[str],
        *,
        apart: str | None = None,
        as_dictionary: Collection[str] = (),
    ) -> Generator[pa.RecordBatch]:
        """Decode these columns to the end, in the file's order of rows.

        The column `apart` is decoded in a thread of its own, a few batches ahead; the rows that
        come are the same. Text of the columns `as_dictionary`, which repeat few values, comes as a
        dictionary where this is faster.

        Raises:
            DataFault: the data is broken, or Unsupported.
            MemoryError: there was too little, which says nothing about the file.
            OutputError: the Source could not be read; as it raised it.

        """
        needed = chunks(self._metadata, set(columns))
        with told_apart(self._file), self._file.planned(needed) as file:
            if apart is None:
                yield from self._decoded(file, columns, as_dictionary)
                return
            others = [name for name in columns if name != apart]
            with ahead(self._decoded(file.beside(), [apart], as_dictionary)) as there:
                here = self._decoded(file, others, as_dictionary)
                for batch in side_by_side(there, here):
                    yield batch.select(list(columns))

    def _decoded(
        self, file: RangeFile, columns: Sequence[str], repeating: Collection[str]
    ) -> Iterator[pa.RecordBatch]:
        as_dictionary = {
            name
            for name in columns
            if name in repeating
            and is_text(self.schema.field(name).type)
            and not coded_by_delta(self._metadata, name)
        }
        return decoded(file, self._metadata, columns, as_dictionary=as_dictionary)


def open_parquet(file: RangeFile) -> OpenedFile | Fault:
    """Read the footer: one request, and a second when it is very long.

    Raises:
        Unsupported: pyarrow cannot read the footer, or has no type for a column.
        MemoryError: there was too little, which says nothing about the file.
        OutputError: the Source could not be read.

    """
    tail = file.load_tail(TAIL_BYTES)
    file.seek(0)
    head, end = file.read(len(MAGIC)), tail[-len(MAGIC) :]
    length = int.from_bytes(tail[-_ENDING : -len(MAGIC)], "little")
    if fault := _fault(file.size(), head, end, length):
        return fault
    file.load_tail(length + _ENDING)
    try:
        with told_apart(file):
            return _opened(file, footer_start=file.size() - length - _ENDING)
    except Unsupported:
        raise
    except DataFault as fault:
        return Fault(FaultKind.FOOTER, str(fault))


def _fault(size: int, head: bytes, end: bytes, footer_bytes: int) -> Fault | None:
    """What the first and last bytes already tell."""
    if not size:
        return Fault(FaultKind.EMPTY, "the file has 0 bytes", is_unfinished=True)
    known = {MAGIC, MAGIC_ENCRYPTED}
    is_short = size < len(MAGIC) + _ENDING
    if is_short or not {head, end} <= known:
        return Fault(
            FaultKind.MAGIC,
            f"{size} bytes, starting {head!r} and ending {end!r}",
            is_unfinished=MAGIC.startswith(head) and (is_short or end not in known),
        )
    if MAGIC_ENCRYPTED in {head, end}:
        return Fault(FaultKind.ENCRYPTED, "the magic bytes are PARE: the footer is encrypted")
    if footer_bytes + _ENDING + len(MAGIC) > size:
        return Fault(FaultKind.FOOTER, f"a footer of {footer_bytes} bytes in a file of {size}")
    return None


def _opened(file: RangeFile, *, footer_start: int) -> OpenedFile:
    parquet = open_file(file)
    metadata = parquet.metadata
    return OpenedFile(
        schema=parquet.schema_arrow,
        rows=int(metadata.num_rows),
        row_groups=int(metadata.num_row_groups),
        chunks_past_footer=sum(
            not 0 < chunk.start <= chunk.end <= footer_start
            for chunk in chain.from_iterable(chunks(metadata))
            if chunk.length  # a row group without rows has chunks without a place
        ),
        _file=file,
        _metadata=metadata,
    )


def _id_range(metadata: pq.FileMetaData) -> IntegerRange | None:
    spans = []
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group).num_rows
        for chunk in group_chunks(metadata, group):
            if chunk.path_in_schema == ID and rows:
                found = chunk.statistics
                if not found or not found.has_min_max:
                    return None
                spans.append(IntegerRange(found.min, found.max))
    return reduce(IntegerRange.covering, spans) if spans else None
