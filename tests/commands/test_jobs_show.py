"""`jobs show`: what GEM said, and the documents of the last delivery."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from devkit.stage import ROOT
from gem_core.wiring.managers import state_manager
from tests.commands.command_runner import CommandRunner
from tests.commands.stored_jobs import report, settle


@pytest.mark.usefixtures("moment")
def test_a_job_is_shown_with_what_gem_said(command: CommandRunner) -> None:
    """GEM's text cannot control the terminal."""
    settle(command, "job-1", error="\x1b]0;title\x07no roads")
    code, out, _ = command("jobs", "show", "job-1")
    assert code == 0
    assert "settled: failed 3h ago, ticket raised 2 times, next in 5m" in out
    assert "GEM says    status failed, storage storage-001, input roads.parquet" in out
    assert "contract x-version-1" in out
    assert "\\x1b]0;title\\x07no roads" in out
    assert "\x1b" not in out


def test_report_and_page_of_the_last_delivery(command: CommandRunner, tmp_path: Path) -> None:
    report(command, "job-1")
    file = tmp_path / "page.html"
    why = ". Only an audit makes a page, and only with GEM_REPORT_PAGE"
    for words, said in ((("--report",), ""), (("--html", str(file)), why)):
        code, out, err = command("jobs", "show", "job-1", *words)
        assert (code, out) == (1, "")
        assert err.endswith(f"of 'job-1' is stored{said}\n")
    state_manager().outbox.keep_report("job-1", {"id": "abc", "data": {"rows": 3}})
    state_manager().outbox.keep_page("job-1", "abc", "<!doctype html>")
    assert command.json("jobs", "show", "job-1", "--report")["data"] == {"rows": 3}
    said = f"the report of job-1 was written to {file}\n"
    assert command("jobs", "show", "job-1", "--html", str(file)) == (0, "", said)
    assert file.read_text() == "<!doctype html>"
    assert command("jobs", "show", "job-1", "job-2", "--html", str(file))[0] == 2
    assert command("jobs", "show", "job-1", "--html", str(tmp_path))[0] == 2


def test_characters_that_a_terminal_does_not_support_are_escaped(command: CommandRunner) -> None:
    command("jobs", "register", "job-1", "--label", "team=\u0141\u00f3d\u017a")
    done = subprocess.run(
        [sys.executable, "-m", "gem_core", "jobs", "show", "job-1"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
        env={"GEM_STATE": command.azurite.connection_string, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert "team=\\u0141" in done.stdout


@pytest.mark.usefixtures("moment")
def test_the_manifest_as_it_was_sent(command: CommandRunner) -> None:
    report(command, "job-1")
    assert command.json("jobs", "show", "job-1")["reportUrl"].endswith("/job-1/abc/report.json")
    code, out, _ = command("jobs", "show", "job-1", "--manifest")
    assert code == 0
    assert json.loads(out) == {"id": "abc", "data": {"outcome": "failed"}}
    assert "manifest sent 0s ago" in command("jobs", "show", "job-1")[1]
