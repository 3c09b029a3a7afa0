"""Reads selected columns and row groups of an output for the page. Edge (reads).

The audit has its own reader, which is optimized for its four columns and the whole file.
"""

from collections.abc import Collection, Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from gem_core.audit.arrow.text import as_text
from gem_core.audit.arrow.types import is_text
from gem_core.audit.parquet.column_chunks import chunks, coded_by_delta, group_chunks
from gem_core.audit.parquet.decoding import decoded, open_file
from gem_core.audit.parquet.reader_errors import told_apart
from gem_core.audit.reading.range_file import TAIL_BYTES, RangeFile
from gem_core.audit.reading.source import Source


class ColumnReader:
    """Reads columns of an output. The constructor reads the footer.

    Raises:
        DataFault, MemoryError, OutputError: see `reader_errors.told_apart`.

    """

    def __init__(self, source: Source) -> None:
        self.file = RangeFile(source)
        self._head_bytes = len(source.head)
        self.file.load_tail(TAIL_BYTES)
        with told_apart(self.file):
            parquet = open_file(self.file)
            self.schema: pa.Schema = parquet.schema_arrow
        self.metadata: pq.FileMetaData = parquet.metadata

    def close(self) -> None:
        """Stop reading ahead."""
        self.file.close()

    @property
    def bytes_read(self) -> int:
        """Bytes read from the source so far, without those that came when it was opened."""
        return self.file.bytes_read - self._head_bytes

    def chunk_bytes(self, column: str) -> list[int]:
        """The `weight` of a flat column in each row group, in bytes."""
        return [
            sum(
                weight(chunk)
                for chunk in group_chunks(self.metadata, group)
                if chunk.path_in_schema == column
            )
            for group in range(self.metadata.num_row_groups)
        ]

    def group_rows(self) -> list[int]:
        """Number of rows of each row group."""
        groups = range(self.metadata.num_row_groups)
        return [self.metadata.row_group(group).num_rows for group in groups]

    def batches(
        self,
        columns: Sequence[str],
        groups: Sequence[int],
        *,
        as_dictionary: Collection[str] = (),
    ) -> Iterator[pa.RecordBatch]:
        """Decode flat columns of row groups.

        Args:
            columns: names of flat columns.
            groups: numbers of the row groups, in the order of reading.
            as_dictionary: text columns that are returned as dictionary arrays, so that a long
                repeated value needs no more memory than in the file.

        Raises:
            DataFault, MemoryError, OutputError: see `reader_errors.told_apart`.

        """
        with told_apart(self.file):
            texts = {name for name in as_dictionary if is_text(self._type(name))}
            delta = {name for name in texts if coded_by_delta(self.metadata, name)}
            with self.file.planned(chunks(self.metadata, set(columns), groups)) as file:
                for batch in decoded(
                    file,
                    self.metadata,
                    columns,
                    as_dictionary=texts - delta,
                    groups=groups,
                ):
                    yield _with_dictionaries(batch, delta) if delta else batch

    def _type(self, name: str) -> pa.DataType:
        return self.schema.field(name).type


def _with_dictionaries(batch: pa.RecordBatch, names: Collection[str]) -> pa.RecordBatch:
    """Encode these columns, which pyarrow cannot read as dictionaries, as dictionary arrays."""
    for index, name in enumerate(batch.schema.names):
        if name in names:
            batch = batch.set_column(index, name, as_text(batch.column(index)).dictionary_encode())
    return batch


def weight(chunk: pq.ColumnChunkMetaData) -> int:
    """The cost of reading a column chunk, in bytes: its stored size, or a quarter of its
    uncompressed size if that is more.
    """
    return int(max(chunk.total_compressed_size, chunk.total_uncompressed_size // 4))
