"""The progress line: drawn on a terminal only, and erased at the end."""

import io
import sys
from pathlib import Path

import pytest

from gem_core.__main__ import main
from gem_core.audit.rows.progress import Pass
from gem_core.commands.progress import ProgressLine
from tests.audit.build import input_table, matched_table, write
from tests.commands.terminal import Terminal


def test_progress_is_drawn_on_a_terminal_and_erased() -> None:
    stream = Terminal()
    with ProgressLine(stream) as progress:
        progress.rows(Pass.CHECKED, 1_000, 3_000)
        progress.rows(Pass.CHECKED, 1_001, 3_000)
        progress.rows(Pass.CHECKED, 3_000, 3_000)
        progress.rows(Pass.COMPARED, 3_000, 3_000)
        progress.show("drawing the page")
    shown = [part.removesuffix("\x1b[K") for part in stream.getvalue().split("\r")]
    assert shown == [
        "",
        " 33% [#######.................] of 3,000 rows checked",
        "100% [########################] judging",
        "100% [########################] of 3,000 rows compared",
        "drawing the page",
        "",
    ]


def test_progress_does_not_judge_before_all_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With values to compare, that is at the end of the second pass."""
    write(tmp_path, input_table(), "roads.parquet")
    write(tmp_path, matched_table())
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    words = [str(tmp_path / name) for name in ("roads_matched.parquet", "roads.parquet")]
    main(["audit", words[0], "--input", words[1], "--compare", "columns"])
    shown = [part.removesuffix("\x1b[K") for part in stream.getvalue().split("\r")]
    assert shown == [
        "",
        "100% [########################] of 12 rows checked",
        "100% [########################] judging",
        "",
    ]


@pytest.mark.parametrize("totals", [(0, 0), (5, 3)])
def test_progress_takes_any_numbers(totals: tuple[int, int]) -> None:
    """A broken footer may have any number of rows."""
    stream = Terminal()
    with ProgressLine(stream) as progress:
        progress.rows(Pass.CHECKED, *totals)
    assert "100%" in stream.getvalue()


def test_no_terminal_no_progress() -> None:
    stream = io.StringIO()
    with ProgressLine(stream) as progress:
        progress.rows(Pass.CHECKED, 1, 2)
    assert stream.getvalue() == ""
