"""Reads selected columns and row groups of an output for the page. Edge (reads)."""

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import pyarrow as pa

from gem_core.audit.arrow.types import is_bytes
from gem_core.audit.parquet.footer import DECODED, STORED, Footer
from gem_core.audit.parquet.opened_file import Fault, open_parquet
from gem_core.audit.parquet.reader_errors import DataFault
from gem_core.audit.reading.range_file import RangeFile
from gem_core.audit.reading.source import Source


class ColumnReader:
    """Reads columns of an output. The constructor reads the footer.

    Raises:
        DataFault, MemoryError, OutputError: see `reader_errors.told_apart`.

    """

    def __init__(self, source: Source) -> None:
        self.file = RangeFile(source)
        self._head_bytes = len(source.head)
        opened = open_parquet(self.file)
        if isinstance(opened, Fault):
            raise DataFault(opened.detail)
        self._opened = opened
        self.schema = opened.schema
        self.footer = opened.footer

    def close(self) -> None:
        """Stop reading ahead."""
        self.file.close()

    @property
    def bytes_read(self) -> int:
        """Bytes read from the source so far, without those that came when it was opened."""
        return self.file.bytes_read - self._head_bytes

    def batches(
        self,
        columns: Sequence[str],
        groups: Sequence[int] | None = None,
        *,
        as_dictionary: Collection[str] = (),
    ) -> Iterator[pa.RecordBatch]:
        """Decode flat columns of row groups.

        Args:
            columns: names of flat columns.
            groups: numbers of the row groups, in the order of reading; None is all.
            as_dictionary: those of these columns that are returned as dictionary arrays, if they
                are text or binary. Then a long repeated value needs no more memory than in the
                file.

        Raises:
            DataFault, MemoryError, OutputError: see `reader_errors.told_apart`.

        """
        texts = {name for name in as_dictionary if is_bytes(self.schema.field(name).type)}
        for batch in self._opened.batches(columns, as_dictionary=texts, groups=groups):
            yield _with_dictionaries(batch, texts)


def _with_dictionaries(batch: pa.RecordBatch, names: Collection[str]) -> pa.RecordBatch:
    """Encode those of these columns that pyarrow could not read as dictionaries."""
    for index, field in enumerate(batch.schema):
        if field.name in names and not pa.types.is_dictionary(field.type):
            batch = batch.set_column(index, field.name, batch.column(index).dictionary_encode())
    return batch


def weights(footer: Footer, column: str) -> list[int]:
    """The cost of reading a column in each row group, in bytes. It is the stored size, or a quarter
    of the decoded size if that is more.
    """
    sizes = footer.chunks[:, footer.leaves([column])]
    found: list[int] = (
        np.maximum(sizes[..., STORED], sizes[..., DECODED] // 4).sum(axis=1, dtype=object).tolist()
    )
    return found
