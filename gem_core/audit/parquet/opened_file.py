"""Opens a Parquet file: magic bytes, footer, schema; then its rows, batch by batch. Edge (reads).

A file that is no readable Parquet is a value (`Fault`, `DataFault`), not an exception.
"""

from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import reduce

import pyarrow as pa

from gem_core.audit.arrow.types import is_bytes
from gem_core.audit.contract import ID
from gem_core.audit.parquet.column_chunks import chunks, chunks_outside
from gem_core.audit.parquet.decoding import decoded
from gem_core.audit.parquet.file_schema import schema_of
from gem_core.audit.parquet.footer import Footer
from gem_core.audit.parquet.footer_reading import FooterBroken, read_footer
from gem_core.audit.parquet.integer_range import IntegerRange
from gem_core.audit.parquet.reader_errors import DataFault, told_apart
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
    """By what Parquet says, without hints of the writer; see `types.marked`."""
    rows: int
    """As the footer says."""
    row_groups: int
    chunks_past_footer: int
    """Column chunks that the footer places outside of the data."""
    elsewhere: str
    """The name of another file in which the footer places the data, quoted; or empty."""
    _file: RangeFile = field(repr=False)
    footer: Footer = field(repr=False)

    def costliest(self, columns: Sequence[str]) -> str | None:
        """Of the columns, the one that is worth a thread of its own; None in a small file."""
        return costliest(self.footer, columns)

    def id_range(self) -> IntegerRange | None:
        """The range of integer ids as the footer gives it; None when it does not."""
        if pa.types.is_integer(self.schema.field(ID).type):
            return _id_range(self.footer, self.schema.field(ID).type)
        return None

    def batches(
        self,
        columns: Sequence[str],
        *,
        apart: str | None = None,
        as_dictionary: Collection[str] = (),
        groups: Sequence[int] | None = None,
    ) -> Generator[pa.RecordBatch]:
        """Decode these columns to the end, in the file's order of rows, or of these row groups.

        The column `apart` is decoded in a thread of its own, a few batches ahead; the rows that
        come are the same. Text of the columns `as_dictionary`, which repeat few values, comes as a
        dictionary where this is faster.

        Raises:
            DataFault: the data is broken, or Unsupported.
            MemoryError: there was too little, which says nothing about the file.
            OutputError: the Source could not be read; as it raised it.

        """
        if self.elsewhere:
            raise DataFault(f"the data lies in other files, such as {self.elsewhere}")
        needed = chunks(self.footer, columns, groups)
        with told_apart(self._file), self._file.planned(needed) as file:
            if apart is None:
                yield from self._decoded(file, columns, as_dictionary, groups)
                return
            others = [name for name in columns if name != apart]
            with ahead(self._decoded(file.beside(), [apart], as_dictionary, groups)) as there:
                here = self._decoded(file, others, as_dictionary, groups)
                for batch in side_by_side(there, here):
                    yield batch.select(list(columns))

    def _decoded(
        self,
        file: RangeFile,
        columns: Sequence[str],
        repeating: Collection[str],
        groups: Sequence[int] | None,
    ) -> Iterator[pa.RecordBatch]:
        as_dictionary = {
            name
            for name in columns
            if name in repeating
            and is_bytes(self.schema.field(name).type)
            and self.footer.delta.isdisjoint(self.footer.by_name[name].leaves)
        }
        return decoded(file, self.footer, columns, as_dictionary=as_dictionary, groups=groups)


def open_parquet(file: RangeFile) -> OpenedFile | Fault:
    """Read the footer: one request, and a second when it is very long.

    Raises:
        MemoryError: there was too little, which says nothing about the file.
        OutputError: the Source could not be read.

    """
    tail = file.load_tail(TAIL_BYTES)
    file.seek(0)
    head, end = file.read(len(MAGIC)), tail[-len(MAGIC) :]
    length = int.from_bytes(tail[-_ENDING : -len(MAGIC)], "little")
    if fault := _fault(file.size(), head, end, length):
        return fault
    tail = file.load_tail(length + _ENDING)
    try:
        footer = read_footer(tail[-length - _ENDING : -_ENDING])
    except FooterBroken as broken:
        return Fault(FaultKind.FOOTER, str(broken))
    with told_apart(file):
        return _opened(file, footer)


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


def _opened(file: RangeFile, footer: Footer) -> OpenedFile:
    return OpenedFile(
        schema=schema_of(footer),
        rows=footer.rows,
        row_groups=len(footer.group_rows),
        chunks_past_footer=chunks_outside(footer, file.size() - len(footer.data) - _ENDING),
        elsewhere=footer.elsewhere,
        _file=file,
        footer=footer,
    )


def _id_range(footer: Footer, kind: pa.DataType) -> IntegerRange | None:
    (leaf,) = footer.by_name[ID].leaves
    ranges = []
    for found in footer.statistics(leaf):
        if not found or {len(value) for value in found} - {4, 8}:  # bytes of INT32 and INT64
            return None
        signed = pa.types.is_signed_integer(kind)
        least, most = (int.from_bytes(value, "little", signed=signed) for value in found)
        ranges.append(IntegerRange(least, most))
    return reduce(IntegerRange.covering, ranges) if ranges else None
