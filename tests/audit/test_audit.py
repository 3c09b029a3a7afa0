"""The story: what the output's trouble does, what the input's does not, and how much is read."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from gem_core.audit.audit import audit, not_opened_report
from gem_core.audit.ids import id_audit, out_of_order
from gem_core.audit.ids.spill import SpillSpace
from gem_core.audit.judging.checks import CHECKS
from gem_core.audit.judging.not_opened import NotOpened, Obstacle
from gem_core.audit.judging.report import Report
from gem_core.audit.judging.report_json import report_to_json
from gem_core.audit.judging.verdict import Verdict
from gem_core.audit.options import AuditOptions, IdLimits
from gem_core.audit.rows.progress import Pass
from gem_core.errors import OutputChanged, OutputError, OutputMissing, OutputUnreachable
from tests.audit.build import (
    LINEAR,
    MATCHED_ROWS,
    OVERTURE,
    ROWS,
    audited,
    input_table,
    job,
    large,
    matched_table,
    write,
    write_bytes,
)
from tests.audit.reading.memory_source import MemorySource

INPUT_CHECKS = {
    "input_columns_kept",
    "input_types_kept",
    "input_types_not_widened",
    "input_order_kept",
    "no_extra_columns",
    "no_name_clash",
    "input_ids_kept",
    "no_extra_ids",
}
ID_CHECKS = {"input_ids_kept", "no_extra_ids"}
NOT_ASKED = {"input_as_registered", "input_values_kept", "input_rows_paired"} | LINEAR | OVERTURE


def lines(report: Report, verdict: Verdict) -> dict[str, str]:
    return {
        line.name: line.judgement.detail
        for line in report.checks
        if line.verdict is verdict and line.name not in NOT_ASKED
    }


ERRORS = [OutputChanged("replaced"), OutputUnreachable("503"), OutputMissing("gone")]


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


def test_no_input_and_no_reason_has_a_reason(tmp_path: Path) -> None:
    report = audit(write(tmp_path, matched_table()), job(), input_source=None)
    assert set(lines(report, Verdict.NOT_RUN).values()) == {
        "there is no input file to compare with"
    }


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_input_that_cannot_be_opened_fails_nothing(tmp_path: Path, error: OutputError) -> None:
    report = audited(tmp_path, matched_table(), input_=MemorySource(b"x" * 99, error))
    assert report.outcome == "valid"
    unknown = lines(report, Verdict.NOT_RUN)
    assert unknown == dict.fromkeys(INPUT_CHECKS, f"the input could not be read: {error}")


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_input_that_is_lost_on_the_way_fails_nothing(tmp_path: Path, error: OutputError) -> None:
    table = large(input_table(30_000)).append_column("more", large(input_table(30_000)).column(2))
    data = write(tmp_path, table, compression="none", row_group_size=9_000).path.read_bytes()
    report = audited(tmp_path, matched_table(), input_=MemorySource(data, error, 3))
    unknown = lines(report, Verdict.NOT_RUN)
    assert unknown == dict.fromkeys(ID_CHECKS, f"the input could not be read to its end: {error}")
    assert report.failed() == {"input_columns_kept"}


def test_an_input_that_is_no_parquet_fails_nothing(tmp_path: Path) -> None:
    input_ = write_bytes(tmp_path, b"id\n1\n", "roads.parquet")
    report = audited(tmp_path, matched_table(), input_=input_)
    assert report.outcome == "valid"
    unknown = lines(report, Verdict.NOT_RUN)
    assert set(unknown) == INPUT_CHECKS
    assert all(text.startswith("the input is not readable Parquet") for text in unknown.values())


def test_an_input_with_broken_data_fails_nothing(tmp_path: Path) -> None:
    data = bytearray(write(tmp_path, input_table()).path.read_bytes())
    data[4:30] = bytes(26)
    input_ = write_bytes(tmp_path, bytes(data), "roads.parquet")
    report = audited(tmp_path, matched_table(), input_=input_)
    assert report.outcome == "valid"
    unknown = lines(report, Verdict.NOT_RUN)
    assert set(unknown) == ID_CHECKS
    assert all(text.startswith("the input's data is broken") for text in unknown.values())
    found = report_to_json(report)["input"]
    assert found["note"].startswith("the input's data is broken")
    assert (found["idsCompared"], found["valuesCompared"]) == (False, False)
    assert found["requests"] > 0


@pytest.mark.parametrize(
    ("id_", "why"),
    [(None, "there is no column id"), (pa.array([1.5] * ROWS), "id is double")],
)
def test_an_input_without_usable_ids_is_compared_by_columns(
    tmp_path: Path, id_: pa.Array | None, why: str
) -> None:
    report = audited(tmp_path, matched_table(), input_=input_table(id=id_))
    unknown = lines(report, Verdict.NOT_RUN)
    assert set(unknown) == ID_CHECKS
    assert all(why in text for text in unknown.values())
    assert report.failed() == {"no_extra_columns" if id_ is None else "input_types_kept"}


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
def test_names(
    tmp_path: Path, fields: dict[str, object], failed: set[str], unknown: set[str]
) -> None:
    report = audited(tmp_path, matched_table(), of=job(**fields))  # type: ignore[arg-type]
    assert report.failed() == failed
    assert set(lines(report, Verdict.NOT_RUN)) == unknown


@pytest.mark.parametrize(
    ("expected", "found", "verdict"),
    [
        ("roads.parquet", "roads.parquet", Verdict.PASSED),
        ("streets.parquet", "roads.parquet", Verdict.FAILED),
        ("roads.parquet", None, Verdict.NOT_RUN),
        (None, "roads.parquet", Verdict.NOT_RUN),
    ],
)
def test_the_input_is_held_against_the_registration(
    tmp_path: Path, expected: str | None, found: str | None, verdict: Verdict
) -> None:
    of = replace(job(), input_name=found)
    output = write(tmp_path, matched_table())
    report = audit(output, of, input_source=None, expected_input=expected)
    [line] = [line for line in report.checks if line.name == "input_as_registered"]
    assert line.verdict is verdict


CHANGED = NotOpened(Obstacle.CHANGED, "it was overwritten each time")
NAMES_ONLY = {"names_usable", "matched_parts_sum", "shares_sum", "statistics_readable"}


def test_an_output_that_never_holds_still(tmp_path: Path) -> None:
    report = not_opened_report(job(), CHANGED, write(tmp_path, matched_table()))
    assert report.outcome == "invalid"
    assert report.failed() == {"unchanged_while_read"}
    assert (report.bytes_read, report.requests) == (0, 0)
    assert report_to_json(report)["input"]["note"].startswith("not read, since the output changed")
    assert set(lines(report, Verdict.PASSED)) == NAMES_ONLY | {
        "exists",
        "named_by_job",
        "name_pattern",
    }
    assert report_to_json(report)["output"]["rows"] is None


def test_an_output_that_no_audit_survived_keeps_its_size(tmp_path: Path) -> None:
    output = write(tmp_path, matched_table())
    report = not_opened_report(job(), NotOpened(Obstacle.ENDED_EARLY, "ten began"), output)
    assert report.outcome == "not_audited"
    assert report.failed() == {"auditable"}
    assert report_to_json(report)["output"]["bytes"] == output.size_bytes
    assert (report.bytes_read, report.requests) == (0, 0)


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


def test_names_that_lead_astray() -> None:
    why = NotOpened(Obstacle.NAMES, "GEM's file name '../x' is more than a plain file name")
    report = not_opened_report(job(), why, None)
    assert report.outcome == "invalid"
    assert report.failed() == {"names_usable"}
    assert (report.bytes_read, report.requests) == (0, 0)
    assert set(lines(report, Verdict.PASSED)) == NAMES_ONLY - {"names_usable"}
    assert len(report.checks) == len(CHECKS)


def test_text_ids_for_an_input_of_integers_are_the_same_ids(tmp_path: Path) -> None:
    texts = pa.array([str(100 + n) for n in range(ROWS)])
    report = audited(tmp_path, matched_table(id=texts))
    assert report.failed() == {"input_types_kept"}
    assert report_to_json(report)["input"]["idsCompared"]


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
