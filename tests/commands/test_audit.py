"""`python -m gem_core audit` uses all of its arguments, or the exit code says that it could not."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from gem_core.audit.audit import audit
from gem_core.audit.child import in_process
from gem_core.audit.judging.checks import COMPARISONS
from gem_core.audit.judging.report import Report
from gem_core.audit.judging.verdict import Verdict
from gem_core.commands.exit_codes import TERMINATED
from gem_core.outcome import Outcome
from tests.audit.build import changed, input_table, job, matched_table, write
from tests.commands.audit_command import audit_command

ROOT = Path(__file__).resolve().parents[2]


def no_parquet(folder: Path) -> None:
    (folder / "roads.parquet").write_bytes(b"id")


def empty(folder: Path) -> None:
    (folder / "roads.parquet").write_bytes(b"")


def without_ids(folder: Path) -> None:
    write(folder, input_table(id=None), "roads.parquet")


def broken(folder: Path) -> None:
    """Damage the rows, but not the footer."""
    data = bytearray((folder / "roads.parquet").read_bytes())
    data[4:200] = bytes(196)
    (folder / "roads.parquet").write_bytes(data)


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (no_parquet, "the input is not readable Parquet: "),
        (empty, "the input is not readable Parquet: "),
        (without_ids, "the input's ids cannot be compared: "),
        (broken, "the input's data is broken: "),
    ],
)
def test_an_input_that_cannot_be_compared_is_no_success(
    files: Path,
    spoil: Callable[[Path], None],
    why: str,
    *,
    as_json: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(files)
    more = ["--json"] if as_json else []
    assert (
        audit_command(files / "roads_matched.parquet", "--input", files / "roads.parquet", *more)
        == 2
    )
    out, err = capsys.readouterr()
    assert err.startswith(f"could not be compared with --input: {why}")
    assert len(err.splitlines()) == 1
    outcome = json.loads(out)["outcome"] if as_json else out.partition(":")[0]
    assert outcome in {"valid", "valid_with_warnings"}


def test_an_invalid_file_gives_1_even_if_the_input_is_unreadable(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    no_parquet(files)
    write(files, changed(matched_table(), "gers_id", r3=None))
    assert audit_command(files / "roads_matched.parquet", "--input", files / "roads.parquet") == 1
    assert capsys.readouterr().err == ""


def test_not_audited_is_neither_success_nor_failure(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def not_judged(*args: Any, **options: Any) -> Report:  # noqa: ANN401 - as audit has them
        return replace(audit(*args, **options), outcome=Outcome.NOT_AUDITED)

    monkeypatch.setattr(in_process, "audit", not_judged)
    assert audit_command(files / "roads_matched.parquet") == 2
    assert capsys.readouterr().out.startswith("not_audited: ")


@pytest.mark.parametrize(
    ("output", "why"),
    [
        (matched_table().take(list(reversed(range(12)))), "from row 1 on"),
        (
            matched_table().append_column("geometry", matched_table()["geometry"]),
            "columns that cannot be compared: geometry",
        ),
    ],
    ids=["order", "twice"],
)
def test_values_that_cannot_be_compared_are_no_success(
    files: Path, output: pa.Table, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(files, output)
    words = ["--input", files / "roads.parquet"]
    assert audit_command(files / "roads_matched.parquet", *words) == 0
    assert audit_command(files / "roads_matched.parquet", *words, "--compare", "columns") == 2
    assert why in capsys.readouterr().err


def test_the_input_checks_are_those_that_need_an_input(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def not_run(*words: object) -> set[str]:
        assert audit_command(files / "roads_matched.parquet", "--json", *words) == 0
        lines = json.loads(capsys.readouterr().out)["checks"]["all"]
        return {line["name"] for line in lines if line["verdict"] == Verdict.NOT_RUN}

    with_all = not_run("--input", files / "roads.parquet", "--compare", "columns")
    assert not_run() - with_all == COMPARISONS


def test_the_number_of_input_rows_is_printed(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audit_command(files / "roads_matched.parquet", "--input", files / "roads.parquet")
    assert "input: 12 rows" in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("status", ["failed", "running", "paused"])
def test_details_of_an_unfinished_job_cause_a_warning(
    files: Path, status: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = dict(job().answer) | {"status": status, "inputFileName": 5}
    (files / "job.json").write_text(json.dumps(answer))
    assert audit_command(files / "roads_matched.parquet", "--job", files / "job.json") == 0
    err = capsys.readouterr().err.splitlines()
    assert (
        f"--job: the status of the job is {status}, not finished: "
        "the file may belong to an earlier job"
    ) in err
    assert "--job: inputFileName: expected a string, got int" in err


def test_details_of_a_finished_job_cause_no_warning(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit_command(files / "roads_matched.parquet", "--job", files / "job.json") == 0
    assert capsys.readouterr().err == ""


def test_invalid_details_are_refused_with_the_reason(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = files / "job.json"
    path.write_text(json.dumps({"jobRunId": "job-1"}))
    assert audit_command(files / "roads_matched.parquet", "--job", path) == 2
    assert (
        f"--job: {path} is not GEM's answer about a job: the answer has no status"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_a_page_overwrites_no_file_that_is_read_under_another_name(
    files: Path, link: Callable[[Path, Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    data = (files / "roads_matched.parquet").read_bytes()
    link(files / "roads_matched.parquet", files / "page.html")
    assert audit_command(files / "roads_matched.parquet", "--html", files / "page.html") == 2
    assert "--html: this would overwrite" in capsys.readouterr().err
    assert (files / "roads_matched.parquet").read_bytes() == data


def test_a_page_goes_into_a_pipe_without_a_name(files: Path) -> None:
    """Bash creates one for `--html >(gzip > page.gz)`."""
    read, write_ = os.pipe()
    with ThreadPoolExecutor(1) as pool, os.fdopen(write_, "wb"), os.fdopen(read, "rb") as pipe:
        page = pool.submit(pipe.readline)
        assert audit_command(files / "roads_matched.parquet", "--html", f"/dev/fd/{write_}") == 0
        assert page.result().lower().startswith(b"<!doctype html>")


def test_sigterm_ends_the_process_normally(files: Path) -> None:
    """Temporary files are deleted only at a normal exit."""
    os.mkfifo(files / "page.html")
    output, page = files / "roads_matched.parquet", files / "page.html"
    words: list[str | Path] = [sys.executable, "-m", "gem_core", "audit", output, "--html", page]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()  # of the report; now it waits for a reader of the page
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == TERMINATED
