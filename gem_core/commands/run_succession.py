"""Runs the command `succession`. Edge: terminal, files."""

import sys
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from gem_core.commands.exit_codes import DONE, NO_PAGE
from gem_core.commands.memory import limit_memory, shortage_explained
from gem_core.commands.open_source import open_source
from gem_core.commands.options import ReportOptions
from gem_core.commands.page_file import check_output_file, check_report, write_page
from gem_core.commands.parquet_file import NewParquetFile
from gem_core.commands.progress import ProgressLine
from gem_core.commands.succession_text import succession_lines
from gem_core.commands.terminal import print_json, print_lines
from gem_core.succession.compare import Limits, compare
from gem_core.succession.page import RoadSample, draw_succession
from gem_core.wiring.environment import now


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments of the command."""

    old: str
    """File or address, like `new`."""
    new: str
    pairs: Path | None
    report: ReportOptions


def run(request: Request) -> int:
    """Compare, print the result, write the files. Returns the exit code.

    Raises:
        CourierError: the files cannot be compared; the message gives the reason.

    """
    options = request.report
    check_report(options, [request.old, request.new])
    if request.pairs:
        check_output_file(request.pairs, [request.old, request.new], option="--pairs")
    old, new = open_source(request.old), open_source(request.new)
    file = NewParquetFile(request.pairs, "--pairs") if request.pairs else None
    sample = RoadSample() if options.html else None

    def take(pairs: pa.RecordBatch) -> None:
        if file:
            file.add(pairs)
        if sample:
            sample.add(pairs)

    limit_memory()
    with (
        shortage_explained(),
        ProgressLine(sys.stderr) as progress,
        closing(file) if file else nullcontext(),
    ):
        result = compare(
            old,
            new,
            limits=Limits(options.disk_mib << 20, options.folder),
            on_step=progress.show,
            take_pairs=take if file or sample else None,
        )
        if file:
            file.finish()
    found = result.to_json()
    if options.as_json:
        print_json(found)
    else:
        print_lines(succession_lines(found))
    if options.html and sample:
        drawn = write_page(options.html, lambda: draw_succession(result, sample, now()))
        return DONE if drawn else NO_PAGE
    return DONE
