"""`gem-courier audit` uses the audit process of the app: same report, and no file ends it."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pytest

from gem_core.__main__ import main
from gem_core.audit.child.engine import Engine
from gem_core.audit.child.limits import Limits
from gem_core.audit.reading.source import Source, open_file
from gem_core.commands import open_source, run_audit
from gem_core.commands.exit_codes import INTERRUPTED, TERMINATED
from tests.audit.build import job, matched_table, write
from tests.audit.child.children import GOOD, Killing, as_kind, pid

pytestmark = [
    pytest.mark.slow,  # each test starts a child
    pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of Linux"),
]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def files(files: Path) -> Path:
    """Also an output without roads to draw, and a file that is no Parquet."""
    write(files, matched_table(geometry=None), "odd.parquet")
    (files / "no.parquet").write_bytes(b"PAR1")
    return files


@pytest.mark.parametrize(
    "words",
    [
        "roads_matched.parquet",
        "bad.parquet --json",
        "roads_matched.parquet --input roads.parquet --job job.json --compare columns",
        "roads_matched.parquet --input no.parquet",
        "roads_matched.parquet --map",
        "odd.parquet --html page.html --map",
        "absent.parquet",
        "no.parquet",
    ],
)
def test_the_result_is_that_of_an_audit_in_the_process_of_the_command(
    files: Path, words: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Exit code, text and errors are equal, and the page is but for the time in it."""
    monkeypatch.chdir(files)
    found = []
    for more in ("", "--in-process"):
        code = main(["audit", *words.split(), *more.split()])
        text, errors = capfd.readouterr()
        # How a file is read ahead depends on where it lies.
        lines = [line for line in text.splitlines() if "equests" not in line and "Read" not in line]
        found.append((code, lines, errors))
    assert found[0] == found[1]


def test_the_page_is_written(files: Path) -> None:
    page = files / "page.html"
    assert main(["audit", str(files / "bad.parquet"), "--html", str(page)]) == 1
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert 'id="map"' in page.read_text("utf-8")


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> list[Engine]:
    """The engines that commands make."""
    made: list[Engine] = []

    def make(limits: Limits, environment: Mapping[str, str]) -> Engine:
        made.append(Engine(limits, environment))
        return made[-1]

    monkeypatch.setattr(run_audit, "Engine", make)
    return made


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (signal.SIGKILL, "somebody killed the audit process (SIGKILL)"),
        (signal.SIGTERM, "the audit was stopped (SIGTERM)"),
    ],
)
def test_a_child_that_is_killed_is_an_error(
    number: signal.Signals,
    said: str,
    engines: list[Engine],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = as_kind(Killing, GOOD, pid=lambda: pid(engines[-1]), number=number)
    monkeypatch.setattr(open_source, "open_file", lambda _: source)
    assert main(["audit", "roads_matched.parquet"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"gem-courier audit: {source.url}: {said}\n"


def test_a_file_that_crashes_the_reader_is_not_audited(
    engines: list[Engine], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source: Source = as_kind(Killing, GOOD, pid=lambda: pid(engines[-1]), number=signal.SIGSEGV)
    monkeypatch.setattr(open_source, "open_file", lambda _: source)
    assert main(["audit", "roads_matched.parquet"]) == 2
    out, err = capsys.readouterr()
    assert out.startswith("not_audited: roads_matched.parquet\n")
    assert "the reader crashed (SIGSEGV)" in out
    assert err == ""


def test_an_input_that_crashes_the_reader_is_no_success(
    files: Path,
    engines: list[Engine],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = as_kind(Killing, GOOD, pid=lambda: pid(engines[-1]), number=signal.SIGSEGV)
    monkeypatch.setattr(
        open_source, "open_file", lambda path: source if path == Path("in") else open_file(path)
    )
    assert main(["audit", str(files / "roads_matched.parquet"), "--input", "in"]) == 2
    out, err = capsys.readouterr()
    assert out.startswith("valid: roads_matched.parquet\n")
    assert err == (
        "could not be compared with --input: audits that read the input gave no verdict: "
        "the reader crashed (SIGSEGV)\n"
    )


@pytest.mark.parametrize(("is_limited", "lines"), [(False, 1), (True, 0)])
def test_a_system_without_limits_is_told(
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    lines: int,
    *,
    is_limited: bool,
) -> None:
    monkeypatch.setattr(run_audit, "MEMORY_IS_LIMITED", is_limited)
    assert main(["audit", str(files / "roads_matched.parquet")]) == 0
    err = capsys.readouterr().err
    assert err.count("this system does not limit the memory of an audit") == lines
    assert len(err.splitlines()) == lines


def test_more_memory_for_ids_is_more_memory_for_the_child(
    files: Path, engines: list[Engine]
) -> None:
    for mebibytes in (1, 64, 1024):
        main(["audit", str(files / "roads_matched.parquet"), "--ids-memory", str(mebibytes)])
    least, usual, more = (engine._limits.data_bytes >> 20 for engine in engines)
    assert (least, more) == (usual, usual + 960)


STOPPED = """
import sys
from gem_core.audit.child import environment
environment.MODULE = "tests.audit.child.hostile"
from gem_core.__main__ import run
sys.exit(run())
"""


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, INTERRUPTED, "stopped\n"), (signal.SIGTERM, TERMINATED, "")],
)
def test_both_processes_end_when_the_command_is_stopped(
    files: Path, number: signal.Signals, code: int, said: str
) -> None:
    """A terminal sends the signal of Ctrl-C to the whole group of processes."""
    pipe = files / "pipe"
    os.mkfifo(pipe)
    answer = dict(job().answer) | {"jobRunId": f"tell {pipe}"}
    (files / "job.json").write_text(json.dumps(answer))
    words = ["audit", str(files / "roads_matched.parquet"), "--job", str(files / "job.json")]
    with subprocess.Popen(
        [sys.executable, "-c", STOPPED, *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as command:
        child = os.pidfd_open(int(pipe.read_text("ascii")))
        try:
            os.killpg(command.pid, number)
            out, err = command.communicate(timeout=60)
            assert (command.returncode, out.decode(), err.decode()) == (code, "", said)
            poll = select.poll()
            poll.register(child, select.POLLIN)
            assert poll.poll(60_000), "the child lives on"
        finally:
            os.close(child)


def test_ids_that_take_too_much_disk_are_told(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = 600_000
    table = matched_table(rows, id=pa.array(range(rows * 100, 0, -100)))
    path = write(files, table, "many.parquet").path
    words = ["audit", str(path), "--ids-memory", "1", "--ids-disk", "1"]
    assert main(words) == 0
    assert (
        "the ids are out of order and take more than 1,048,576 bytes on disk, "
        "the limit that GEM_IDS_DISK_MIB or --ids-disk sets"
    ) in " ".join(capsys.readouterr().out.split())
