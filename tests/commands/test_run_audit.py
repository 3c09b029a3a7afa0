"""`python -m gem_core audit`: exit codes for scripts, text for people, no secret anywhere."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from azure.core.credentials import AccessToken
from azure.storage.blob import (
    AccountSasPermissions,
    BlobSasPermissions,
    BlobServiceClient,
    ContainerClient,
    ResourceTypes,
    generate_account_sas,
    generate_blob_sas,
)

from devkit.azurite import Azurite
from gem_core.__main__ import main
from gem_core.audit.child import in_process
from gem_core.audit.child.in_process import result_of
from gem_core.audit.child.result import AuditResult
from gem_core.audit.judging.report_json import report_to_json
from gem_core.audit.options import AuditOptions, IdLimits
from gem_core.audit.reading.address import parse_address
from gem_core.audit.rows.progress import Pass
from gem_core.commands import run_audit
from gem_core.commands.progress import ProgressLine
from gem_core.commands.run_audit import AuditRequest
from gem_core.errors import OutputUnreachable
from gem_core.storage import clients
from gem_core.wiring.addresses import account_of
from tests.audit.build import ROWS, audited, changed, input_table, job, matched_table, write

ROOT = Path(__file__).resolve().parents[2]
LONG = "n" * 5_000
"""Longer than a name may be."""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A valid output, one with a warning, an invalid one, the input, and GEM's answer."""
    write(tmp_path, input_table(), "roads.parquet")
    write(tmp_path, matched_table())
    write(tmp_path, matched_table(c=pa.array(["\x1b[2J<b>"] * 12)), "odd.parquet")
    write(tmp_path, changed(matched_table(), "gers_id", r3=None), "bad.parquet")
    (tmp_path / "job.json").write_text(json.dumps(dict(job().answer)))
    return tmp_path


def command(*words: object) -> int:
    return main(["audit", "--in-process", *map(str, words)])


@pytest.mark.parametrize(("name", "code"), [("roads_matched", 0), ("odd", 0), ("bad", 1)])
def test_exit_codes(files: Path, name: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    """A warning is not a failure: the odd file has an extra column."""
    assert command(files / f"{name}.parquet", "--input", files / "roads.parquet") == code
    out, err = capsys.readouterr()
    outcomes = {"roads_matched": "valid", "odd": "valid_with_warnings", "bad": "invalid"}
    assert out.splitlines()[0] == f"{outcomes[name]}: {name}.parquet"
    assert err == ""


def test_the_text_names_the_checks_that_did_not_pass(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(files / "bad.parquet")
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
    command(files / "bad.parquet", "--job", files / "job.json")
    (folded,) = (line for line in capsys.readouterr().out.splitlines() if line[:7] == "not run")
    assert folded.startswith("not run  GEM names no output file; GEM names no input file; ")
    assert folded.count("the job's statistics have no roads_matched") == 1  # of three checks


def test_all_lists_the_checks_that_were_not_run(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(files / "bad.parquet", "--all")
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
        command(files / "bad.parquet", *more)
        lines = capsys.readouterr().out.splitlines()
        assert lines[:2] == ["invalid: bad.parquet", lines[1]]
        assert lines[1].startswith("12 rows: ")
        assert all(len(line) <= 80 for line in lines)


def test_all_but_one_is_not_all(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The text uses the same words as the page."""
    command(write(files, matched_table(100_001, matched=100_000)).path)
    assert (
        "100,001 rows: 100,000 matched (over 99.99%), 1 unmatched (under 0.01%)\n"
        in capsys.readouterr().out
    )


def test_with_job_and_input_everything_is_compared(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--input", files / "roads.parquet", "--job", files / "job.json")
    assert command(files / "roads_matched.parquet", *words) == 0
    assert "54 passed, 0 failed (0 error, 0 warning, 0 info), 0 not run, 8 not requested\n" in (
        capsys.readouterr().out
    )
    assert command(files / "roads_matched.parquet", *words, "--compare", "columns") == 0
    out = capsys.readouterr().out
    assert "56 passed, 0 failed (0 error, 0 warning, 0 info), 0 not run, 6 not requested\n" in out
    assert "input_as_registered" not in out


def test_a_value_that_is_not_the_inputs(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = write(files, changed(matched_table(), "is_navigable", r3=False)).path
    words = (output, "--input", files / "roads.parquet")
    assert command(*words) == 0
    assert command(*words, "--compare", "columns") == 1
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
    command(files / "bad.parquet", *words)
    assert seen == [IdLimits(256 << 20, files, 1 << 30)]


def test_no_file_controls_the_terminal(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The name of the extra column has an escape sequence that clears the screen."""
    table = matched_table().append_column("\x1b[2J\nvalid", pa.array([1] * 12))
    command(write(files, table).path, "--input", files / "roads.parquet")
    out = capsys.readouterr().out
    assert "no_extra_columns: \\x1b[2J\\nvalid" in out
    assert all(line.isprintable() for line in out.splitlines())


def test_json_is_the_report(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--input", files / "roads.parquet", "--job", files / "job.json")
    assert command(files / "roads_matched.parquet", *words, "--json") == 0
    assert json.loads(capsys.readouterr().out) == report_to_json(audited(files, matched_table()))


def test_the_page_is_written(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a map, unless nobody wants it; and the terminal says where."""
    page = files / "page.html"
    assert command(files / "bad.parquet", "--html", page) == 1
    assert capsys.readouterr().err == f"the page was written to {page}\n"
    html = page.read_text("utf-8")
    assert html.startswith("<!doctype html>")
    assert 'id="map"' in html
    assert command(files / "bad.parquet", "--html", page, "--no-map") == 1
    assert 'id="map"' not in page.read_text("utf-8")


NO_MAP: dict[str, tuple[pa.Table, str]] = {
    "another type": (
        matched_table(geometry=pa.array([1] * ROWS)),
        "no map: geometry is int64, neither text (WKT) nor binary (WKB)",
    ),
    "no such column": (matched_table(geometry=None), "no map: there is no column geometry"),
    "no roads": (
        matched_table(geometry=pa.array(["POINT (1 2)"] * ROWS)),
        f"no map: {ROWS} of the sampled geometries cannot be drawn: null, or not a valid line",
    ),
    "some roads": (
        changed(matched_table(), "geometry", r0="POINT (1 2)"),
        "the map: 1 of the sampled geometries cannot be drawn: null, or not a valid line",
    ),
    "no rows": (pa.table({"a": [1]}), "no map: the rows of the output were not read"),
    "roads": (matched_table(), ""),
}


@pytest.mark.parametrize("name", NO_MAP)
def test_what_the_map_lacks_is_said(
    files: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    table, said = NO_MAP[name]
    output = write(files, table)
    page = files / "page.html"
    command(output.path, "--html", page)
    assert capsys.readouterr().err == f"the page was written to {page}\n" + (said and f"{said}\n")
    assert ('id="map"' in (files / "page.html").read_text("utf-8")) == (name != "no rows")


@pytest.fixture
def no_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where an audit begins."""

    def begun(*_: object, **__: object) -> AuditResult:
        raise AssertionError("the audit began")

    monkeypatch.setattr(in_process, "audit_in_process", begun)


@pytest.mark.usefixtures("no_audit")
def test_a_page_without_write_permission_is_reported_before_the_audit(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The permission is faked, because root may run these tests and may write anything."""
    monkeypatch.setattr(os, "access", lambda _, mode: mode != os.W_OK)
    page = files / "page.html"
    page.write_text("the former one")
    assert command(files / "bad.parquet", "--html", page) == 2
    assert f"--html: no permission to write {page}" in capsys.readouterr().err
    assert page.read_text() == "the former one"


@pytest.mark.usefixtures("no_audit")
def test_a_page_that_cannot_be_created_is_reported_before_the_audit(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even root can create a file in /proc."""
    assert command(files / "bad.parquet", "--html", "/proc/page.html") == 2
    assert "--html: " in capsys.readouterr().err


def test_an_existing_file_stays_until_the_new_page_is_ready(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, link = files / "page.html", files / "link.html"
    link.symlink_to(page)
    seen = []

    def rows(*_: object) -> None:
        seen.append(page.read_text() if page.exists() else None)

    monkeypatch.setattr(ProgressLine, "rows", rows)
    assert command(files / "bad.parquet", "--html", link) == 1
    page.write_text("the former one")
    assert command(files / "bad.parquet", "--html", page) == 1
    assert seen == [None, "the former one"]
    assert link.is_symlink()
    assert page.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("as_json", [False, True])
def test_the_report_is_printed_even_if_the_page_fails(
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    as_json: bool,
) -> None:
    """The file changes between the audit and the page's pass."""
    path, page = files / "bad.parquet", files / "page.html"
    words = (path, *(["--json"] if as_json else []))
    assert command(*words) == 1
    whole = capsys.readouterr().out

    def rows(_: ProgressLine, doing: Pass, done: int, total: int) -> None:
        assert doing is Pass.CHECKED
        assert 0 < done <= total == 12
        os.utime(path, (1, 1))  # the audit has read it whole

    monkeypatch.setattr(ProgressLine, "rows", rows)
    assert command(*words, "--html", page) == 3
    out, err = capsys.readouterr()
    assert out == whole
    assert err == f"the page was not written: {path} was replaced while it was read\n"
    assert not page.exists()


def test_a_page_that_cannot_be_written_after_the_audit(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = files / "pages"
    folder.mkdir()
    monkeypatch.setattr(ProgressLine, "rows", lambda *_: folder.rename(files / "moved"))
    assert command(files / "bad.parquet", "--html", folder / "page.html") == 3
    out, err = capsys.readouterr()
    assert out.startswith("invalid: bad.parquet\n")
    assert err.startswith("the page was not written: ")
    assert "No such file" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("absent.parquet",), "absent.parquet is not there"),
        (("bad.parquet", "--input", "absent.parquet"), "absent.parquet is not there"),
        (("bad.parquet", "--job", "absent.json"), "--job: "),
        (("bad.parquet", "--job", "bad.parquet"), "is not JSON"),
        (("bad.parquet", "--job", "list.json"), "expected a JSON object, got list"),
        (("bad.parquet", "--job", "empty.json"), "has no jobRunId"),
        (("bad.parquet", "--job", "deep.json"), "deep.json is nested too deeply"),
        (("bad.parquet", "--job", "digits.json"), "digits.json has a number with too many digits"),
        (("bad.parquet", "--job", "latin.json"), "latin.json is not JSON"),
        (("bad.parquet", "--compare", "columns"), "--compare columns needs --input"),
        (("bad.parquet", "--ids-folder", "absent"), "--ids-folder: there is no folder absent"),
        (("bad.parquet", "--html", "no/page.html"), "there is no folder"),
        (("bad.parquet", "--html", "."), "is a folder"),
        (("bad.parquet", "--html", LONG), "--html: nnn"),
        (("bad.parquet", "--html", f"{LONG}/page.html"), "--html: nnn"),
        (("bad.parquet", "--ids-folder", LONG), "--ids-folder: nnn"),
        (("bad.parquet", "--html", "bad.parquet"), "would overwrite bad.parquet"),
        (
            ("bad.parquet", "--input", "odd.parquet", "--html", "odd.parquet"),
            "would overwrite odd.parquet",
        ),
        (("https://a.example/c",), "names no blob"),
        (("http://a.example/c/n",), "not an https address"),
    ],
)
def test_a_failed_audit_gives_its_reason(
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    said: str,
) -> None:
    """Exit code 2, one line, no traceback; and no file is overwritten."""
    monkeypatch.chdir(files)
    (files / "list.json").write_text("[]")
    (files / "empty.json").write_text("{}")
    (files / "deep.json").write_text("[" * 200_000 + "]" * 200_000)
    (files / "digits.json").write_text('{"jobRunId": "x", "n": ' + "1" * 5_000 + "}")
    (files / "latin.json").write_bytes(b'{"jobRunId": "\xe9"}')
    before = {path.name: path.read_bytes() for path in files.iterdir()}
    assert command(*words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.startswith("gem-courier audit: ")
    assert len(err.splitlines()) == 1
    assert {path.name: path.read_bytes() for path in files.iterdir()} == before


@pytest.mark.parametrize("memory", ["0", "65537", "1.5", "some", ""])
def test_memory_is_a_whole_number_within_its_bounds(
    files: Path, capsys: pytest.CaptureFixture[str], memory: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        command(files / "bad.parquet", "--ids-memory", memory)
    assert ended.value.code == 2
    said = "--ids-memory: it is not a whole number of 1 to 65536\n"
    assert capsys.readouterr().err.endswith(said)


@pytest.mark.parametrize("option", ["FILE|URL", "--input", "--job", "--html", "--ids-folder"])
def test_an_empty_argument_is_refused(
    files: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    """A shell variable that is not set gives one. It is not the same as an absent argument."""
    words = ("",) if option == "FILE|URL" else (files / "bad.parquet", option, "")
    with pytest.raises(SystemExit) as ended:
        command(*words)
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith(f"audit: error: argument {option}: it is empty\n")


def test_an_empty_input_is_not_none(files: Path) -> None:
    with pytest.raises(OutputUnreachable, match="is not a file"):
        run_audit.run(AuditRequest(str(files / "bad.parquet"), input=""))


def test_a_file_that_changes_during_the_audit_gets_no_verdict(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = files / "bad.parquet"

    def enter(progress: ProgressLine) -> ProgressLine:
        path.write_bytes(b"another")  # it is opened, and not read
        return progress

    monkeypatch.setattr(ProgressLine, "__enter__", enter)
    assert command(path, "--html", files / "page.html") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "was replaced while it was read" in err
    assert not (files / "page.html").exists()


def test_a_crash_gives_no_verdict(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Python's own code for a crash is 1, which here means an invalid file."""

    def crash(*_: object) -> None:
        raise ValueError("https://a.example/c/n?sv=1&sig=c2VjcmV0&sp=r")

    monkeypatch.setattr(ProgressLine, "rows", crash)
    assert command(files / "bad.parquet") == 2
    err = capsys.readouterr().err
    assert "ValueError (" in err
    assert "a.example" not in err
    assert "c2VjcmV0" not in err


@pytest.mark.parametrize(
    "words",
    [
        (" https://a.example/c/n?sp=r&sig=c2VjcmV0",),
        ("https:/a.example/c/n?sp=r&sig=c2VjcmV0",),
        ("bad.parquet", "--input", "htps:a.example/c/n?sig=c2VjcmV0&sp=r"),
        ("bad.parquet", "--job", "https://a.example/c/n?sp=r&sig=c2VjcmV0"),
        ("bad.parquet", "--html", "https://a.example/c?sp=r&sig=c2VjcmV0/n"),
        ("bad.parquet", "--ids-folder", "https://a.example/c?sp=r&sig=c2VjcmV0"),
        ("bad.parquet", "https://a.example/c/n?sp=r&sig=c2VjcmV0"),
    ],
)
def test_a_mistyped_address_shows_no_signature(
    files: Path,
    words: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(files)
    with suppress(SystemExit):  # by argparse, of an argument too many
        assert command(*words) == 2
    out, err = capfd.readouterr()
    assert "sig=***" in err
    assert "c2VjcmV0" not in out + err


def test_a_file_that_is_named_after_its_address_shows_no_signature(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wget names downloads in this way."""
    path = (files / "bad.parquet").rename(files / "n.parquet?sp=r&sig=c2VjcmV0%3D")
    page = files / "page.html"
    assert command(path, "--input", path, "--html", page) == 1
    assert command(path, "--input", path, "--json") == 1
    out, err = capsys.readouterr()
    assert "n.parquet?sp=r&sig=***" in out
    assert "c2VjcmV0" not in out + err + page.read_text("utf-8")


def test_interrupted(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ProgressLine, "rows", stop)
    assert command(files / "bad.parquet") == 130


def test_as_a_program(files: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gem_core", *words],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    asked = run("audit", str(files / "bad.parquet"))
    assert (asked.returncode, asked.stderr) == (1, "")
    shown = run("audit", "--help")
    assert shown.returncode == 0
    for word in ("FILE|URL", "--input", "--job", "--json", "--html", "--map", "exit codes"):
        assert word in shown.stdout
    assert run("audit").returncode == 2
    assert run().returncode == 2


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("{file} >/dev/full", 2, "standard output: No space left on device"),
        ("{file} --json >/dev/full", 2, "standard output: No space left on device"),
        ("{file} >&-", 2, "standard output is closed"),
        ("{file} --html {page} >/dev/full", 2, "standard output: No space left on device"),
        ("absent >/dev/full", 2, "absent is not there"),
    ],
)
def test_a_report_that_cannot_be_printed_is_an_error(
    files: Path, words: str, code: int, said: str
) -> None:
    done = in_shell(words.format(file=files / "bad.parquet", page=files / "page.html"))
    assert (done.returncode, done.stderr) == (code, f"gem-courier audit: {said}\n")


def test_a_closed_pipe_gives_2_without_a_message(files: Path) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run(
        [sys.executable, "-m", "gem_core", "audit", files / "bad.parquet"],
        cwd=ROOT, stdout=writes, stderr=subprocess.PIPE, check=False, timeout=60,
    )  # fmt: skip
    os.close(writes)
    assert (done.returncode, done.stderr) == (2, b"")


@pytest.mark.parametrize(
    ("words", "code"),
    [("{file} 2>&-", 0), ("absent 2>&-", 2), ("absent 2>/dev/full", 2), ("{file} >&- 2>&-", 2)],
)
def test_without_standard_error_the_code_is_the_same(files: Path, words: str, code: int) -> None:
    """Python's own would be 1 or 120."""
    done = in_shell(words.format(file=files / "roads_matched.parquet"))
    assert (done.returncode, done.stderr) == (code, "")


def in_shell(words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m gem_core audit {words}"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_help_does_not_wait_for_pyarrow() -> None:
    program = (
        "import sys, gem_core.__main__ as m\n"
        "try: m.main(['audit', '--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('pyarrow', 'jinja2', 'azure') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.fixture
def blob(azurite: Azurite, files: Path) -> Iterator[ContainerClient]:
    """The right output in a container of the emulator."""
    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        container = service.get_container_client("command")
        if not container.exists():
            container.create_container()
        container.upload_blob(
            "a folder/roads_matched.parquet",
            (files / "roads_matched.parquet").read_bytes(),
            overwrite=True,
        )
        yield container


def test_a_blob_of_the_emulator(
    azurite: Azurite,
    blob: ContainerClient,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    address = f"{blob.url}/a%20folder/roads_matched.parquet"
    monkeypatch.setenv("GEM_OUTPUT", azurite.connection_string)
    assert command(address, "--input", address) == 0
    assert "valid" in capsys.readouterr().out
    assert command(f"{blob.url}/absent.parquet") == 2
    assert "absent.parquet is not there" in capsys.readouterr().err
    assert command(address.replace("devstoreaccount1", "other")) == 2
    assert "not in the storage of GEM_OUTPUT" in capsys.readouterr().err
    monkeypatch.delenv("GEM_OUTPUT")
    assert command(address) == 2
    assert "GEM_OUTPUT is missing" in capsys.readouterr().err


def test_a_signature_in_the_connection_string_opens_the_blob_and_is_never_shown(
    azurite: Azurite,
    blob: ContainerClient,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    key = azurite.connection_string.partition("AccountKey=")[2].partition(";")[0]
    signature = generate_account_sas(
        "devstoreaccount1",
        account_key=key,
        resource_types=ResourceTypes(object=True),
        permission=AccountSasPermissions(read=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    output = f"BlobEndpoint={azurite.blob_uri};SharedAccessSignature={signature}"
    monkeypatch.setenv("GEM_OUTPUT", output)
    address = f"{blob.url}/a%20folder/roads_matched.parquet"
    assert command(address) == 0
    assert command(address.replace("devstoreaccount1", "other")) == 2
    out, err = capsys.readouterr()
    assert "not in the storage of GEM_OUTPUT" in err
    assert "sig" not in out + err


def test_a_signature_opens_the_blob_and_is_never_shown(
    azurite: Azurite, blob: ContainerClient, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not in text, JSON, page or error. A wrong signature is refused."""
    key = azurite.connection_string.partition("AccountKey=")[2].partition(";")[0]
    signature = generate_blob_sas(
        "devstoreaccount1",
        "command",
        "a folder/roads_matched.parquet",
        account_key=key,
        permission=BlobSasPermissions(read=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    secret = signature.partition("sig=")[2].partition("&")[0]
    address = f"{blob.url}/a%20folder/roads_matched.parquet"
    page = files / "page.html"
    assert command(f"{address}?{signature}", "--html", page) == 0
    assert command(f"{address}?{signature}", "--json") == 0
    wrong = signature.replace(secret, "d3Jvbmc%3D")
    assert command(f"{address}?{wrong}") == 2
    out, err = capsys.readouterr()
    assert "refused" in err
    for text in (out, err, page.read_text("utf-8")):
        assert secret not in text
        assert "sig=" not in text
        assert "d3Jvbmc" not in text


def test_an_address_without_signature_is_opened_by_the_default_chain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Chain:
        def get_token(self, *_: str, **__: object) -> AccessToken:
            raise AssertionError("nothing is asked here")

    asked = []

    def sign_in(principal: object, *, on_platform: bool) -> Chain:
        asked.append((principal, on_platform))
        return Chain()

    monkeypatch.setattr(clients, "sign_in", sign_in)
    account = account_of(parse_address("https://a.blob.core.windows.net/c/n"))
    assert account.url == "https://a.blob.core.windows.net/"
    assert asked == [(None, False)]
