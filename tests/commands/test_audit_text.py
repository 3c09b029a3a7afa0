"""What the command `audit` prints, and its exit code, by the verdict."""

import json
import re
from pathlib import Path

import pyarrow as pa
import pytest

from gem_core.audit.child import in_process
from gem_core.audit.child.in_process import result_of
from gem_core.audit.child.result import AuditResult
from gem_core.audit.judging.report_json import report_to_json
from gem_core.audit.options import AuditOptions, IdLimits
from gem_core.commands import run_audit
from tests.audit.build import audited, changed, matched_table, write
from tests.commands.audit_command import audit_command


@pytest.mark.parametrize(("name", "code"), [("roads_matched", 0), ("odd", 0), ("bad", 1)])
def test_a_valid_output_gives_0_and_an_invalid_one_1(
    files: Path, name: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A warning is not a failure: the odd file has an extra column."""
    assert audit_command(files / f"{name}.parquet", "--input", files / "roads.parquet") == code
    out, err = capsys.readouterr()
    outcomes = {"roads_matched": "valid", "odd": "valid_with_warnings", "bad": "invalid"}
    assert out.splitlines()[0] == f"{outcomes[name]}: {name}.parquet"
    assert err == ""


def test_the_text_names_the_checks_that_did_not_pass(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audit_command(files / "bad.parquet")
    lines = capsys.readouterr().out.splitlines()
    (error,) = (line for line in lines if line.startswith("error "))
    assert error.startswith("error    gers_id_on_matched: 1 of 12 rows (row 3 id 103). Expected: ")
    assert not any("input_ids_kept" in line for line in lines)
    assert "without --input: columns and ids were not compared with the input" in lines
    assert "without --job: the job's names and statistics were not compared" in lines
    assert not any("road_count" in line or line.startswith("not run") for line in lines)
    assert "--all lists the checks that were not run or not requested" in lines
    assert any(line.startswith("62 checks: ") and "1 failed (1 error" in line for line in lines)
    assert "12 rows: 9 matched (75.00%), 3 unmatched (25.00%)" in lines


def test_each_reason_why_checks_were_not_run_is_told_once(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "job.json").write_text('{"jobRunId": "job-1", "status": "finished"}')
    audit_command(files / "bad.parquet", "--job", files / "job.json")
    (folded,) = (line for line in capsys.readouterr().out.splitlines() if line[:7] == "not run")
    assert folded.startswith("not run  GEM names no output file; GEM names no input file; ")
    assert folded.count("the job's statistics have no roads_matched") == 1  # of three checks


def test_all_lists_the_checks_that_were_not_run(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audit_command(files / "bad.parquet", "--all")
    lines = capsys.readouterr().out.splitlines()
    assert "not requested road_count: there is no answer of GEM about a job" in lines
    assert "not requested input_ids_kept: there is no --input" in lines
    counts = next(line for line in lines if " checks: " in line)
    listed = [line.startswith(("not run ", "not requested ")) for line in lines].count(True)
    numbers = [int(number) for number in re.findall(r"(\d+) not ", counts)]
    assert listed == sum(numbers)


def test_the_verdict_comes_first_and_the_text_fits_the_terminal(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_audit, "terminal_width", lambda: 80)
    words = ("--input", files / "roads.parquet", "--job", files / "job.json")
    for more in ((), ("--all",), words):
        audit_command(files / "bad.parquet", *more)
        lines = capsys.readouterr().out.splitlines()
        assert lines[:2] == ["invalid: bad.parquet", lines[1]]
        assert lines[1].startswith("12 rows: ")
        assert all(len(line) <= 80 for line in lines)


def test_all_rows_but_one_are_not_a_hundred_percent(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The text uses the same words as the page."""
    audit_command(write(files, matched_table(100_001, matched=100_000)).path)
    assert (
        "100,001 rows: 100,000 matched (over 99.99%), 1 unmatched (under 0.01%)\n"
        in capsys.readouterr().out
    )


def test_with_job_and_input_everything_is_compared(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--input", files / "roads.parquet", "--job", files / "job.json")
    assert audit_command(files / "roads_matched.parquet", *words) == 0
    assert "54 passed, 0 failed (0 error, 0 warning, 0 info), 0 not run, 8 not requested\n" in (
        capsys.readouterr().out
    )
    assert audit_command(files / "roads_matched.parquet", *words, "--compare", "columns") == 0
    out = capsys.readouterr().out
    assert "56 passed, 0 failed (0 error, 0 warning, 0 info), 0 not run, 6 not requested\n" in out
    assert "input_as_registered" not in out


def test_a_value_that_is_not_the_inputs(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = write(files, changed(matched_table(), "is_navigable", r3=False)).path
    words = (output, "--input", files / "roads.parquet")
    assert audit_command(*words) == 0
    assert audit_command(*words, "--compare", "columns") == 1
    assert (
        "input_values_kept: 1 of 12 rows: is_navigable in 1 "
        '(row 3 id 103 is_navigable "False", input "True")' in capsys.readouterr().out
    )


def test_ids_go_to_the_folder_that_is_named(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def limits(*_: object, options: AuditOptions, **__: object) -> AuditResult:
        seen.append(options.id_limits)
        return result_of(audited(files, matched_table()))

    monkeypatch.setattr(in_process, "audit_in_process", limits)
    words = ("--ids-memory", "256", "--ids-folder", files, "--ids-disk", "1024")
    audit_command(files / "bad.parquet", *words)
    assert seen == [IdLimits(256 << 20, files, 1 << 30)]


def test_no_file_controls_the_terminal(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The name of the extra column has an escape sequence that clears the screen."""
    table = matched_table().append_column("\x1b[2J\nvalid", pa.array([1] * 12))
    audit_command(write(files, table).path, "--input", files / "roads.parquet")
    out = capsys.readouterr().out
    assert "no_extra_columns: \\x1b[2J\\nvalid" in out
    assert all(line.isprintable() for line in out.splitlines())


def test_json_is_the_report(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--input", files / "roads.parquet", "--job", files / "job.json")
    assert audit_command(files / "roads_matched.parquet", *words, "--json") == 0
    assert json.loads(capsys.readouterr().out) == report_to_json(audited(files, matched_table()))
