"""Writes rows as a Parquet file, in parts. Edge: files."""

from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gem_core.commands.table import plain
from gem_core.commands.terminal import print_error
from gem_core.errors import RequestError


class NewParquetFile:
    """A new file, which takes the place of an earlier one when it is whole. Close it."""

    def __init__(self, path: Path, option: str) -> None:
        """Write nothing yet; `option` names the file, for an error."""
        self._path = path
        self._option = option
        self._unfinished = path.with_name(f"{path.name}.unfinished")
        self._writer: pq.ParquetWriter | None = None

    def add(self, batch: pa.RecordBatch) -> None:
        """Write rows; the first part says which columns. Raises RequestError."""
        try:
            if self._writer is None:
                self._writer = pq.ParquetWriter(self._unfinished, batch.schema, compression="zstd")
            if batch.num_rows:
                self._writer.write_batch(batch)
        except OSError as error:
            raise self._failed(error) from None

    def finish(self) -> None:
        """Put the file in its place, after the last rows, and say so. Raises RequestError."""
        if not self._writer:
            return
        try:
            self._writer.close()
            self._unfinished.replace(self._path)
        except OSError as error:
            raise self._failed(error) from None
        print_error(plain(f"the file for {self._option} was written to {self._path}"))

    def close(self) -> None:
        """Remove what is unfinished. May be called after `finish`."""
        with suppress(OSError):
            if self._writer:
                self._writer.close()
            self._unfinished.unlink(missing_ok=True)

    def _failed(self, error: OSError) -> RequestError:
        return RequestError(f"{self._option}: {self._path}: {error.strerror or error}")
