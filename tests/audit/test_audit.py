"""The story: what the output's trouble does, what the input's does not, and how much is read."""

from pathlib import Path

import pyarrow as pa
import pytest

from gem_core.audit.audit import audit
from gem_core.audit.ids import id_audit, out_of_order
from gem_core.audit.ids.spill import SpillSpace
from gem_core.audit.judging.report_json import report_to_json
from gem_core.audit.judging.verdict import Verdict
from gem_core.audit.options import AuditOptions, IdLimits
from gem_core.audit.rows.progress import Pass
from gem_core.errors import OutputError
from tests.audit.build import (
    MATCHED_ROWS,
    ROWS,
    audited,
    input_table,
    job,
    large,
    matched_table,
    write,
)
from tests.audit.lines import ERRORS, INPUT_CHECKS, lines
from tests.audit.reading.memory_source import MemorySource


@pytest.mark.parametrize("answers", [0, 1, 2, 3])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_trouble_with_the_output_is_no_verdict(
    tmp_path: Path, error: OutputError, answers: int
) -> None:
    table = large(matched_table(30_000))
    data = write(tmp_path, table, compression="none", row_group_size=9_000).path.read_bytes()
    with pytest.raises(type(error)) as caught:
        audit(MemorySource(data, error, answers), job(), input_source=None)
    assert caught.value is error


def test_ids_on_disk_go_with_whatever_ends_an_audit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = SpillSpace(1 << 20, tmp_path)
    monkeypatch.setattr(id_audit, "SpillSpace", lambda *_: space)

    def stop(*_: object) -> None:
        assert space.held_bytes
        raise KeyboardInterrupt

    ids = pa.array(range(20_000, 0, -1))
    output = write(tmp_path, matched_table(20_000, id=ids))
    limits = IdLimits(2_000)
    with pytest.raises(KeyboardInterrupt) as caught:  # holds every frame, and what is in it
        audit(output, job(), input_source=None, options=AuditOptions(limits), on_rows=stop)
    assert caught.type is KeyboardInterrupt
    assert not space.held_bytes


def test_without_an_input_the_reason_is_in_every_line(tmp_path: Path) -> None:
    output = write(tmp_path, matched_table())
    report = audit(output, job(), input_source=None, input_note="GEM names no input file")
    assert report.outcome == "valid"
    unknown = lines(report, Verdict.NOT_RUN)
    assert unknown == dict.fromkeys(INPUT_CHECKS, "GEM names no input file")
    assert not report.complete
    assert report_to_json(report)["input"]["note"] == "GEM names no input file"


def test_a_comparison_that_nobody_asked_for_leaves_the_verdict_complete(tmp_path: Path) -> None:
    note = "turned off by GEM_INPUT_AUDIT"
    report = audit(
        write(tmp_path, matched_table()),
        job(),
        input_source=None,
        input_note=note,
        options=AuditOptions(with_input=False),
    )
    unasked = {line.name for line in report.checks if not line.judgement.is_asked}
    assert unasked >= INPUT_CHECKS
    assert report.complete
    assert report_to_json(report)["input"]["note"] == note


@pytest.mark.parametrize(
    ("fields", "failed", "unknown"),
    [
        pytest.param({"outputFileName": "other.parquet"}, {"named_by_job"}, set(), id="other-name"),
        pytest.param({"outputFileName": None}, set(), {"named_by_job"}, id="no-name"),
        pytest.param({"inputFileName": "streets.parquet"}, {"name_pattern"}, set(), id="pattern"),
        pytest.param({"inputFileName": None}, set(), {"name_pattern"}, id="no-input-name"),
        pytest.param({"inputFileName": "in/roads.PARQUET"}, set(), set(), id="folder-and-case"),
        pytest.param({"inputFileName": "roads"}, set(), set(), id="no-extension"),
    ],
)
def test_names_are_held_against_the_job(
    tmp_path: Path, fields: dict[str, object], failed: set[str], unknown: set[str]
) -> None:
    report = audited(tmp_path, matched_table(), of=job(**fields))  # type: ignore[arg-type]
    assert report.failed() == failed
    assert set(lines(report, Verdict.NOT_RUN)) == unknown


def test_progress_has_the_number_of_rows_of_the_footer(tmp_path: Path) -> None:
    output = write(tmp_path, matched_table(), row_group_size=5)
    seen: list[tuple[Pass, int, int]] = []
    audit(output, job(), input_source=None, on_rows=lambda *found: seen.append(found))
    assert seen[-1] == (Pass.CHECKED, ROWS, ROWS)


def test_shuffled_ids_that_fill_their_range_are_never_sorted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The footers of both files tell the range."""
    monkeypatch.delattr(out_of_order, "IntegerSort")
    ids = pa.array([100 + n * 7 % ROWS for n in range(ROWS)])
    report = audited(tmp_path, matched_table(id=ids))
    assert report.facts.ids
    assert (report.facts.ids.distinct, report.facts.ids.missing) == (ROWS, 0)
    assert report.facts.ids.distinct_matched == MATCHED_ROWS


def test_memory_holds_few_pieces_of_a_file(tmp_path: Path) -> None:
    """Rows and bytes are counted across row groups that were read in many pieces."""
    table = large(matched_table(30_000))
    output = write(tmp_path, table, compression="none", row_group_size=4_000)
    input_ = write(tmp_path, input_table(30_000), "roads.parquet", row_group_size=7_000)
    report = audited(tmp_path, output, input_=input_, of=job({"num_roads_processed": 30_000}))
    assert report.failed() == set()
    facts = report_to_json(report)
    assert (facts["output"]["rows"], facts["output"]["rowGroups"]) == (30_000, 8)
    assert facts["input"]["rows"] == 30_000
    assert report.bytes_read < output.size_bytes / 2


@pytest.mark.parametrize("disorder", ["output", "input"])
def test_ids_that_take_more_disk_than_is_allowed_cost_their_checks(
    tmp_path: Path, disorder: str
) -> None:
    rows = 20_000
    up, down = pa.array(range(rows)), pa.array(range(rows - 1, -1, -1))
    report = audit(
        write(tmp_path, matched_table(rows, id=down if disorder == "output" else up)),
        job(),
        input_source=write(
            tmp_path, input_table(rows, id=down if disorder == "input" else up), "roads.parquet"
        ),
        options=AuditOptions(IdLimits(1000, tmp_path, 10_000)),
    )
    not_run = lines(report, Verdict.NOT_RUN)
    assert ("ids_unique" in not_run) == (disorder == "output")
    assert "more than 10,000 bytes on disk" in not_run["input_ids_kept"]
    assert report.over_limit == not_run["input_ids_kept"]
    assert (report.complete, report.temporary_problem) == (False, "")
    assert "gers_id_format" in lines(report, Verdict.PASSED)


@pytest.mark.parametrize("disorder", ["output", "input"])
def test_a_full_disk_says_nothing_about_the_output(tmp_path: Path, disorder: str) -> None:
    """Ids out of order need room; without it their checks are not run, and the others are."""
    rows = 20_000
    up, down = pa.array(range(rows)), pa.array(range(rows, 0, -1))
    table = matched_table(rows, id=down if disorder == "output" else up)
    input_ = input_table(rows, id=down if disorder == "input" else up)
    report = audit(
        write(tmp_path, table, row_group_size=1000),
        job(),
        input_source=write(tmp_path, input_, "roads.parquet", row_group_size=1000),
        options=AuditOptions(IdLimits(1, tmp_path / "gone")),
    )
    assert "cannot be used" in lines(report, Verdict.NOT_RUN)["ids_unique"]
    assert "cannot be used" in report_to_json(report)["input"]["note"]
    assert "gers_id_format" in lines(report, Verdict.PASSED)
    assert report.rows == rows
