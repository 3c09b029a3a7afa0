"""Compares every value of the input's columns with the output's. Edge (reads).

Rows are paired by id (`pairing`). One batch of each file is in memory, and a second one of the
input where the output leaves out rows.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from gem_core.audit.against_input.columns import comparable_columns
from gem_core.audit.against_input.equality import differing
from gem_core.audit.against_input.pairing import CannotPair, pairs
from gem_core.audit.contract import ID, ID_PROMISE
from gem_core.audit.ids.facts import InputLost
from gem_core.audit.ids.keys import key_type
from gem_core.audit.parquet.opened_file import OpenedFile
from gem_core.audit.parquet.reader_errors import DataFault, Unsupported, is_shortage
from gem_core.audit.parquet.threads import LARGE_ROWS, ahead
from gem_core.audit.rows.example import EXAMPLES, Example
from gem_core.audit.rows.offenders import Offenders
from gem_core.audit.rows.progress import OnRows, Pass


@dataclass(frozen=True, slots=True)
class ValueFacts:
    """What became of the input's values."""

    rows: int = 0
    """The number of output rows that were compared."""
    differing: Offenders = field(default_factory=Offenders)
    """Rows of the output that differ from the input's in any column. An example has the first
    column that differs."""
    columns: Mapping[str, Offenders] = field(default_factory=dict)
    """The same for each column that has such rows."""
    left_out_columns: tuple[str, ...] = ()
    """Columns of the input that cannot be compared."""
    stopped: str = ""
    """Why the rows after those were not compared, or empty."""
    unpaired: str = ""
    """The same, if it is that the files' rows cannot be paired; else empty."""


@dataclass(slots=True)
class _Fold:
    """Folds paired batches into facts."""

    names: tuple[str, ...]
    rows: int = 0
    differing: Offenders = field(default_factory=Offenders)
    columns: dict[str, Offenders] = field(default_factory=dict)

    def add(self, output_rows: pa.RecordBatch, input_rows: pa.RecordBatch) -> None:
        """Compare two batches of one length, row by row.

        A column keeps only the examples of the report: a file may have thousands of columns.
        """
        anywhere = np.zeros(output_rows.num_rows, np.bool_)
        ids = output_rows.column(ID)
        left = self.differing.left
        found: list[Example] = []
        for name in self.names:
            now, was = output_rows.column(name), input_rows.column(name)
            unlike = differing(now, was)
            if unlike is None:
                continue
            before = self.columns.get(name, Offenders())
            self.columns[name] = before.adding(unlike, self.rows, ids, [now], was)
            first = Offenders(keep=left).adding(unlike & ~anywhere, self.rows, ids, [now], was)
            found += (replace(example, column=name) for example in first.examples)
            anywhere |= unlike
        found.sort(key=lambda example: example.row or 0)
        self.differing = self.differing.with_more(int(np.count_nonzero(anywhere)), found[:left])
        self.rows += output_rows.num_rows


@dataclass(frozen=True, slots=True)
class InputRows:
    """The rows of an input whose ids are usable."""

    schema: pa.Schema
    read: Callable[[Sequence[str]], Iterator[pa.RecordBatch]]
    """Reads columns from the first row on. May raise InputLost."""


def compare_values(
    output: OpenedFile,
    input_rows: InputRows,
    added: Collection[str],
    on_rows: OnRows | None,
    *,
    two_threads: bool,
    keep: int = EXAMPLES,
) -> ValueFacts:
    """Read both files to the end, without the columns that GEM added.

    Args:
        output: the output, opened.
        input_rows: the input's rows.
        added: the names of the columns that GEM adds.
        on_rows: called with the progress after every batch.
        keep: how many of the rows that differ to keep.
        two_threads: decode a large input in a thread of its own; the result is the same.

    Raises:
        DataFault: the output's data is broken.
        OutputError: the output could not be read.

    """
    if problem := ID_PROMISE.problem(output.schema):
        return ValueFacts(stopped=f"rows can be paired only by their ids, and {problem}")
    names = comparable_columns(output.schema, input_rows.schema, added)
    fold = _Fold(tuple(name for name in names if name != ID), differing=Offenders(keep=keep))
    stopped = unpaired = ""
    try:
        stopped = _compare(output, input_rows, fold, on_rows, two_threads=two_threads)
    except CannotPair as why:
        stopped = unpaired = str(why)
    if not stopped and fold.rows != output.rows:
        # pyarrow passes over pages of a type that it does not know.
        raise DataFault(
            f"{fold.rows} rows were read in all columns, the footer states {output.rows}"
        )
    compared = {ID, *fold.names}
    return ValueFacts(
        rows=fold.rows,
        differing=fold.differing,
        columns=fold.columns,
        left_out_columns=tuple(
            name for name in dict.fromkeys(input_rows.schema.names) if name not in compared
        ),
        stopped=stopped,
        unpaired=unpaired,
    )


def _compare(
    output: OpenedFile,
    input_rows: InputRows,
    fold: _Fold,
    on_rows: OnRows | None,
    *,
    two_threads: bool,
) -> str:
    """Compare all rows, and return why this stopped early, or nothing. Raises CannotPair."""
    columns = [ID, *fold.names]
    key = key_type(output.schema.field(ID).type, input_rows.schema.field(ID).type)
    rows = input_rows.read(columns)
    in_thread = ahead(rows) if two_threads and output.rows >= LARGE_ROWS else nullcontext(rows)
    try:
        with in_thread as input_batches:
            for output_batch, input_batch in pairs(output.batches(columns), input_batches, key):
                fold.add(output_batch, input_batch)
                if on_rows:
                    on_rows(Pass.COMPARED, fold.rows, output.rows)
    except InputLost as why:
        return str(why)
    except Unsupported as why:
        return f"pyarrow cannot read the output to its end: {why}"
    except pa.ArrowException as why:
        if is_shortage(why):
            raise
        # Of the comparison itself: reading has exceptions of its own.
        return f"from row {fold.rows} on, pyarrow cannot compare the values: {why}"
    return ""
