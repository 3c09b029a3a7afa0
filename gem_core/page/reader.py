"""Reads chosen columns and row groups of an output for the page. Edge (reads).

Beside the audit's own reader, which is tuned for its four columns and the whole file.
"""

from collections.abc import Collection, Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from gem_core.audit.arrow.text import as_text
from gem_core.audit.arrow.types import is_text
from gem_core.audit.parquet.column_chunks import chunks, coded_by_delta, group_chunks
from gem_core.audit.parquet.decoding import UNREADABLE, decoded, open_file
from gem_core.audit.parquet.opened_file import in_short
from gem_core.audit.parquet.page_bounds import OutOfBounds
from gem_core.audit.reading.range_file import TAIL_BYTES, RangeFile
from gem_core.audit.reading.source import Source

BATCH_ROWS = 65_536
"""Rows in one batch: the surveyed columns are narrow."""

GEOMETRY_BATCH_ROWS = 2_048
"""As above, of geometry: some kilobytes a row."""


class PageDataUnreadable(Exception):
    """The output is broken where the page wants to look; the message says how."""


class ColumnReader:
    """An output whose footer was read.

    Raises:
        PageDataUnreadable: it is no readable Parquet.
        OutputError: the Source could not be read.

    """

    def __init__(self, source: Source) -> None:
        self._file = RangeFile(source)
        try:
            self._file.load_tail(TAIL_BYTES)
            parquet = open_file(self._file)
        except UNREADABLE as error:
            raise self._trouble(error) from None
        self.schema: pa.Schema = parquet.schema_arrow
        self.metadata: pq.FileMetaData = parquet.metadata

    def close(self) -> None:
        """End what is still fetched."""
        self._file.close()

    @property
    def bytes_read(self) -> int:
        """So far."""
        return self._file.bytes_read

    def chunk_bytes(self, column: str) -> list[int]:
        """Weight of a flat column in each row group: stored bytes, or a quarter of the unpacked."""
        return [
            sum(
                weight(chunk)
                for chunk in group_chunks(self.metadata, group)
                if chunk.path_in_schema == column
            )
            for group in range(self.metadata.num_row_groups)
        ]

    def group_rows(self) -> list[int]:
        """Rows of each row group."""
        groups = range(self.metadata.num_row_groups)
        return [self.metadata.row_group(group).num_rows for group in groups]

    def batches(
        self,
        columns: Sequence[str],
        groups: Sequence[int],
        *,
        batch_rows: int = BATCH_ROWS,
        as_dictionary: Collection[str] = (),
    ) -> Iterator[pa.RecordBatch]:
        """Decode flat columns of these row groups, in that order.

        Text in columns `as_dictionary` is not spelled out row by row, so that a long value which
        every row repeats takes no more memory than in the file.

        Raises:
            PageDataUnreadable: the data is broken.
            OutputError: the Source could not be read.

        """
        try:
            texts = {name for name in as_dictionary if is_text(self._type(name))}
            plain = {name for name in texts if coded_by_delta(self.metadata, name)}
            with self._file.planned(chunks(self.metadata, set(columns), groups)) as file:
                for batch in decoded(
                    file,
                    self.metadata,
                    columns,
                    rows=batch_rows,
                    as_dictionary=texts - plain,
                    groups=groups,
                ):
                    yield _coded(batch, plain) if plain else batch
        except (*UNREADABLE, OutOfBounds) as error:
            raise self._trouble(error) from None

    def _type(self, name: str) -> pa.DataType:
        return self.schema.field(name).type

    def _trouble(self, error: BaseException) -> Exception:
        """What the Source raised, in case pyarrow took it for a fault of the file."""
        if self._file.failure:
            return self._file.failure
        return PageDataUnreadable(in_short(error))


def _coded(batch: pa.RecordBatch, names: Collection[str]) -> pa.RecordBatch:
    """Give these columns, spelled out by the reader, as dictionaries after all."""
    for place, name in enumerate(batch.schema.names):
        if name in names:
            batch = batch.set_column(place, name, as_text(batch.column(place)).dictionary_encode())
    return batch


def weight(chunk: pq.ColumnChunkMetaData) -> int:
    """Bytes that a column chunk counts for: as stored, or a quarter of what it unpacks to."""
    return int(max(chunk.total_compressed_size, chunk.total_uncompressed_size // 4))
