"""Outputs whose values were compared with those of the input."""

from pathlib import Path

import pyarrow as pa

from gem_core.audit.judging.report import Report
from gem_core.audit.judging.verdict import Judgement
from tests.audit.build import audited, input_table
from tests.audit.lines import line_of


def line(row: int) -> str:
    """The geometry of a row of the input."""
    return str(input_table()["geometry"][row].as_py())


def judged(report: Report) -> Judgement:
    return line_of(report, "input_values_kept").judgement


def compared(folder: Path, output: pa.Table, input_: pa.Table | None = None) -> Judgement:
    return judged(audited(folder, output, input_=input_, with_values=True))
