"""`board` and `report` on real stores, as a process that Ctrl-C ends."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from gem_core.commands.run_board import answer
from gem_core.deliver.cloud_event import CloudEvent
from gem_core.deliver.delivered_list import line_of, month_of
from gem_core.errors import DocumentMissing
from gem_core.outcome import Outcome
from gem_core.watch.record import Settlement
from gem_core.wiring.environment import now
from gem_core.wiring.managers import state_manager
from tests.builders import JOB, World
from tests.commands.command_runner import CommandRunner
from tests.flows.build import after_delivery

ROOT = Path(__file__).resolve().parents[2]
ID = "0123456789abcdef" * 2


@contextmanager
def served(command: CommandRunner, *words: str) -> Iterator[str]:
    """The address that a command prints; Ctrl-C ends the command with exit code 0."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gem_core", *words, "--no-browser", "--json"],
        cwd=ROOT,
        env={"GEM_STATE": command.azurite.connection_string},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout
            yield json.loads(process.stdout.readline())["address"]
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()


def deliver(command: CommandRunner, job_run_id: str) -> None:
    """A job that was delivered, with a page."""
    command("jobs", "register", job_run_id)
    manager = state_manager()
    stored = manager.registry.get(job_run_id)
    assert stored
    settled = stored.record.settled(Settlement.FINISHED, now() - timedelta(hours=1))
    manager.registry.replace(stored, settled.delivered(Outcome.VALID, ID, now()))
    manager.outbox.keep_page(job_run_id, ID, "<h1>the report</h1>")
    data: dict[str, Any] = {"jobRunId": job_run_id, "outcome": "valid", "labels": {}, "match": None,
            "contract": None, "checks": {"notPassed": []}}  # fmt: skip
    event = CloudEvent(ID, json.dumps({"data": data}))
    manager.outbox.add_delivered(month_of(now()), line_of(event, now()))


@pytest.mark.azurite
def test_the_board_shows_open_and_delivered_jobs_and_leads_to_reports(
    command: CommandRunner,
) -> None:
    command("jobs", "register", "job-open")
    deliver(command, "job-done")
    with served(command, "board") as address:
        page = requests.get(address, timeout=60)
        assert page.status_code == 200
        assert "form-action 'self'" in page.headers["Content-Security-Policy"]
        assert "Open jobs: 1" in page.text
        assert "job-open" in page.text
        link = f"./reports/job-done/{ID}"
        assert link in page.text
        report = requests.get(address + link.removeprefix("./"), timeout=60)
        assert report.text == "<h1>the report</h1>"
        assert "sandbox" in report.headers["Content-Security-Policy"]


@pytest.mark.azurite
def test_report_opens_the_last_page_of_a_job(command: CommandRunner) -> None:
    deliver(command, "job-done")
    with served(command, "report", "job-done") as address:
        assert requests.get(address, timeout=60).text == "<h1>the report</h1>"
        assert requests.get(f"{address}reports/x", timeout=60).status_code == 404


@pytest.mark.azurite
def test_a_job_without_a_page_is_said_at_once(command: CommandRunner) -> None:
    code, out, err = command("report", "job-1", "--no-browser")
    assert (code, out) == (1, "")
    assert "no job 'job-1' is registered" in err
    command("jobs", "register", "job-1")
    code, out, err = command("report", "job-1", "--no-browser")
    assert (code, out) == (1, "")
    assert "no manifest of 'job-1' was sent yet" in err


@pytest.mark.parametrize("path", ["reports/", "reports/../x", f"reports/{JOB}/x", f"x/{JOB}/{ID}"])
def test_only_reports_are_served(path: str) -> None:
    world = after_delivery()
    world.trap.calls.clear()
    with pytest.raises(DocumentMissing):
        answer(world.manager, path, {})
    assert world.trap.calls == []


def test_the_page_of_a_board_is_html() -> None:
    response = answer(World().manager, "", {"outcome": "valid"})
    assert (response.status, response.content_type) == (200, "text/html")
    assert '<option value="valid" selected>' in str(response.body)
