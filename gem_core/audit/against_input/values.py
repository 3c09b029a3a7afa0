"""Compares every value of the input's columns with the output's, streamed. Edge (reads).

Rows are paired by id (`pairing`); of the two files one batch each is held, and a second one of the
input's where rows were left out.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from gem_core.audit.against_input.columns import followed
from gem_core.audit.against_input.equality import differing
from gem_core.audit.against_input.pairing import OutOfStep, pairs
from gem_core.audit.contract import ID, ID_PROMISE
from gem_core.audit.ids.facts import InputLost
from gem_core.audit.ids.keys import key_type
from gem_core.audit.parquet.opened_file import OpenedFile, Unsupported
from gem_core.audit.parquet.threads import LARGE_ROWS, ahead
from gem_core.audit.rows.offenders import Offenders
from gem_core.audit.rows.progress import OnRows, Pass


@dataclass(frozen=True, slots=True)
class ValueFacts:
    """What became of the input's values."""

    rows: int = 0
    """Of the output that were compared."""
    differing: Offenders = field(default_factory=Offenders)
    """Rows of the output with a value in any column that is not the input's."""
    columns: Mapping[str, Offenders] = field(default_factory=dict)
    """The same for each column that has such a row."""
    not_followed: tuple[str, ...] = ()
    """Columns of the input that were left out."""
    stopped: str = ""
    """Why the rows after those were not compared, or empty."""


@dataclass(slots=True)
class _Fold:
    """Takes paired batches."""

    names: tuple[str, ...]
    rows: int = 0
    differing: Offenders = field(default_factory=Offenders)
    columns: dict[str, Offenders] = field(default_factory=dict)

    def add(self, ours: pa.RecordBatch, theirs: pa.RecordBatch) -> None:
        """Compare two batches of one length, row by row."""
        anywhere = np.zeros(ours.num_rows, np.bool_)
        ids = ours.column(ID)
        for name in self.names:
            unlike = differing(ours.column(name), theirs.column(name))
            if unlike is not None:
                anywhere |= unlike
                before = self.columns.get(name, Offenders())
                self.columns[name] = before.and_those(unlike, self.rows, ids)
        self.differing = self.differing.and_those(anywhere, self.rows, ids)
        self.rows += ours.num_rows


@dataclass(frozen=True, slots=True)
class InputRows:
    """The rows of an input whose ids are usable."""

    schema: pa.Schema
    read: Callable[[Sequence[str]], Iterator[pa.RecordBatch]]
    """Takes column names; from the first row. May raise InputLost."""


def compare_values(
    output: OpenedFile,
    input_rows: InputRows,
    added: Collection[str],
    on_rows: OnRows | None,
    *,
    two_threads: bool,
) -> ValueFacts:
    """Read both files to the end, but for the columns that GEM added.

    Args:
        output: the output, opened.
        input_rows: the input's rows.
        added: the names of the columns that GEM adds.
        on_rows: told of progress after every batch.
        two_threads: decode a large input in a thread of its own; what is found is the same.

    Raises:
        DataFault: the output's data is broken.
        OutputError: the output could not be read.

    """
    if problem := ID_PROMISE.problem(output.schema):
        return ValueFacts(stopped=f"only ids tell which rows belong together, and {problem}")
    names = tuple(name for name in followed(output.schema, input_rows.schema, added) if name != ID)
    fold = _Fold(names)
    columns = [ID, *names]
    compared = set(columns)
    key = key_type(output.schema.field(ID).type, input_rows.schema.field(ID).type)
    rows = input_rows.read(columns)
    beside = ahead(rows) if two_threads and output.rows >= LARGE_ROWS else nullcontext(rows)
    stopped = ""
    try:
        with beside as theirs:
            for mine, yours in pairs(output.batches(columns), theirs, key):
                fold.add(mine, yours)
                if on_rows:
                    on_rows(Pass.COMPARED, fold.rows, output.rows)
    except (OutOfStep, InputLost) as why:
        stopped = str(why)
    except Unsupported as why:
        stopped = f"pyarrow cannot read the output on: {why}"
    except pa.ArrowException as why:
        # Of the comparison itself: reading has exceptions of its own.
        stopped = f"from row {fold.rows} on, pyarrow cannot compare the values: {why}"
    return ValueFacts(
        rows=fold.rows,
        differing=fold.differing,
        columns=fold.columns,
        not_followed=tuple(
            name for name in dict.fromkeys(input_rows.schema.names) if name not in compared
        ),
        stopped=stopped,
    )
