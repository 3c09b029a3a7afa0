"""The input file. Trouble with it becomes a note, and never fails the output."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from gem_core.audit.against_input.columns import compare_columns
from gem_core.audit.against_input.input_facts import InputFacts
from gem_core.audit.against_input.values import InputRows
from gem_core.audit.contract import ID, ID_PROMISE
from gem_core.audit.ids.facts import InputIds, InputLost
from gem_core.audit.parquet.opened_file import Fault, OpenedFile, open_parquet
from gem_core.audit.parquet.reader_errors import DataFault, Unsupported
from gem_core.audit.reading.range_file import RangeFile
from gem_core.audit.reading.source import Source
from gem_core.errors import OutputError

_NO_NOTE = "there is no input file to compare with"


@dataclass(frozen=True, slots=True)
class InputFile:
    """An input that was opened, or the reason why it was not."""

    note: str
    """Why its rows are not compared, or empty."""
    name: str | None = None
    opened: OpenedFile | None = None
    file: RangeFile | None = None

    def close(self) -> None:
        """Stop fetching it."""
        if self.file:
            self.file.close()

    def ids(self) -> InputIds | None:
        """Its ids; None when there is a note."""
        if self.note or not self.opened:
            return None
        opened = self.opened
        kind = opened.schema.field(ID).type
        return InputIds(
            kind, lambda: (batch.column(ID) for batch in _batches(opened, [ID])), opened.id_range()
        )

    def rows(self) -> InputRows | None:
        """Its rows; None when there is a note."""
        if self.note or not self.opened:
            return None
        return InputRows(self.opened.schema, partial(_batches, self.opened))

    def facts(self, output: pa.Schema, added: Collection[str]) -> InputFacts:
        """What is known of it, after both files were read; arguments as in `compare_columns`."""
        return InputFacts(
            note=self.note,
            name=self.name,
            rows=self.opened.rows if self.opened else None,
            columns=compare_columns(output, self.opened.schema, added) if self.opened else None,
            bytes_read=self.file.bytes_read if self.file else 0,
            requests=self.file.requests if self.file else 0,
            lost=bool(self.file and self.file.failure),
        )


def open_input_file(source: Source | None, note: str) -> InputFile:
    """Read the input's footer. `note` says why there is no source."""
    if source is None:
        return InputFile(note or _NO_NOTE)
    file = RangeFile(source)
    try:
        opened = open_parquet(file)
    except OutputError as error:
        return InputFile(f"the input could not be read: {error}", source.name, file=file)
    if isinstance(opened, Fault):
        return InputFile(
            f"the input is not readable Parquet: {opened.detail}", source.name, file=file
        )
    problem = ID_PROMISE.problem(opened.schema)
    reason = f"the input's ids cannot be compared: {problem}" if problem else ""
    return InputFile(reason, source.name, opened, file)


def _batches(opened: OpenedFile, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    try:
        yield from opened.batches(columns)
    except OutputError as error:
        raise InputLost(f"the input could not be read to its end: {error}") from None
    except Unsupported as error:
        raise InputLost(f"pyarrow cannot read the input to its end: {error}") from None
    except DataFault as error:
        raise InputLost(f"the input's data is broken: {error}") from None
