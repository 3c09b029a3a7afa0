"""`jobs register`, `check`, `redeliver` and `forget`: each job has its answer."""

import io
import json
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from devkit.azurite import Azurite
from devkit.simulator import CLEAN, GemSimulator
from devkit.stage import app_settings
from gem_core.commands import jobs_read
from gem_core.commands.table import age
from gem_core.storage import names
from gem_core.watch.marker import JobState
from gem_core.wiring.managers import state_manager
from tests.commands.command_runner import CommandRunner
from tests.commands.stored_jobs import report, stored
from tests.commands.terminal import Terminal


def test_a_job_is_registered_listed_shown_and_forgotten(
    command: CommandRunner, moment: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (
        "--label",
        "team=maps",
        "--label",
        "note=a=b",
        "--expected-input-name",
        "roads.parquet",
    )
    assert command("jobs", "register", "job-1", "job-2", *words) == (
        0,
        "job-1: registered\njob-2: registered\n",
        "",
    )
    assert command("jobs", "register", "job-1", *words)[1] == "job-1: known, still watching\n"
    assert command("jobs", "register", "job-1")[1] == (
        "job-1: known, still watching; its labels differ from these, and stay as they are\n"
    )
    later = moment + timedelta(hours=2)
    monkeypatch.setattr(jobs_read, "now", lambda: later)
    jobs = command.json("jobs", "list")["jobs"]
    ages = [age(job["changedAt"], later).split() for job in jobs]
    code, out, _ = command("jobs", "list")
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    assert lines == [
        ["JOB", "STATE", "CHANGED", "LABELS"],
        ["job-1", "watching", *ages[0], "team=maps,", "note=a=b"],
        ["job-2", "watching", *ages[1], "team=maps,", "note=a=b"],
    ]
    assert (jobs[0]["labels"], jobs[0]["progress"]) == ({"team": "maps", "note": "a=b"}, None)
    shown = command.json("jobs", "show", "job-1")
    assert shown["labels"] == {"team": "maps", "note": "a=b"}
    assert shown["expectedInputName"] == "roads.parquet"
    code, out, _ = command("jobs", "show", "job-1")
    assert "labels      team=maps, note=a=b" in out
    assert command("jobs", "forget", "job-1", "job-2", "--yes") == (
        0,
        "job-1: forgotten, was watching\njob-2: forgotten, was watching\n",
        "",
    )
    assert command("jobs", "list")[1] == "no jobs\n"


def test_an_unknown_job_gives_1_and_does_not_stop_the_others(command: CommandRunner) -> None:
    command("jobs", "register", "job-1")
    for words in (("show",), ("redeliver",), ("forget", "--yes")):
        code, out, err = command("jobs", *words, "absent", "job-1")
        assert code == 1
        assert "no job 'absent' is registered" in err
    assert "job-1: forgotten" in out
    code, out, err = command("jobs", "register", "../x", "job-3")
    assert (code, out) == (1, "job-3: registered\n")
    assert "is not a valid job id" in err
    assert command("jobs", "show", "job-3", "--manifest")[0] == 1


def test_a_settled_job_is_redelivered(command: CommandRunner) -> None:
    report(command, "done")
    command("jobs", "register", "watched")
    code, out, err = command("jobs", "redeliver", "done", "watched")
    assert (code, out) == (1, "done: redelivered, its ticket was raised; the app will deliver it\n")
    assert "watched: not done, the job is still being watched" in err
    assert stored("done").record.tickets == 1
    lines = [
        json.loads(line) for line in command("jobs", "redeliver", "done", "--json")[1].splitlines()
    ]
    assert [(line["jobRunId"], line["result"]) for line in lines] == [("done", "redelivered")]


@pytest.mark.parametrize(
    ("stdin", "gone"),
    [(Terminal("y\n"), True), (Terminal("\n"), False), (io.StringIO("y\n"), False)],
    ids=["yes", "enter", "no-terminal"],
)
def test_forget_asks_for_confirmation(
    command: CommandRunner, monkeypatch: pytest.MonkeyPatch, stdin: io.StringIO, *, gone: bool
) -> None:
    command("jobs", "register", "job-1")
    monkeypatch.setattr(sys, "stdin", stdin)
    code, _, err = command("jobs", "forget", "job-1")
    assert code == (0 if gone else 2)
    assert ("its manifest will not be sent" in err) == stdin.isatty()
    assert (state_manager().registry.get("job-1") is None) == gone


def test_an_unreadable_record_is_reported_and_can_be_forgotten(command: CommandRunner) -> None:
    command("jobs", "register", "broken", "fine")
    registry = state_manager().registry
    registry._jobs.put("broken.json", b"{")
    (marker,) = (job for job in registry.open_jobs() if job.job_run_id == "broken")
    registry.claim(marker, marker.due_at, JobState.UNREADABLE)  # as the next tick does
    assert command("jobs", "redeliver", "broken", "fine")[0] == 2
    code, out, err = command("jobs", "show", "broken", "fine")
    assert (code, out.split()[0]) == (2, "fine")
    assert err.startswith("broken: not a job record")
    found = command.json("jobs", "list", "--trouble")
    assert [(job["jobRunId"], job["trouble"]) for job in found["jobs"]] == [
        ("broken", "unreadable")
    ]
    assert command("jobs", "forget", "broken", "--yes")[1] == "broken: forgotten, was unreadable\n"
    assert [job["jobRunId"] for job in command.json("jobs", "list")["jobs"]] == ["fine"]


def test_a_check_needs_all_settings_and_other_actions_do_not(command: CommandRunner) -> None:
    command("jobs", "register", "job-1")
    code, out, err = command("jobs", "check", "job-1")
    assert (code, out) == (2, "")
    assert err.startswith("gem-courier jobs check: missing or invalid settings:\n")
    assert "GEM_API_KEY is missing" in err


def test_a_check_asks_gem(command: CommandRunner, azurite: Azurite, tmp_path: Path) -> None:
    with (
        BlobServiceClient.from_connection_string(azurite.connection_string) as blobs,
        GemSimulator(blobs.get_container_client(names.REPORTS)) as simulator,
    ):
        simulator.add_job("job-1", CLEAN, upload_input=False)
        file = tmp_path / "settings.json"
        file.write_text(json.dumps({"Values": app_settings(azurite, simulator)}))
        settings = ("--settings", str(file))
        command("jobs", "register", "job-1", "job-2", *settings)
        code, out, err = command("jobs", "check", "job-1", "job-2", *settings)
        assert (code, err) == (0, "")
        assert out.splitlines()[0] == "job-1: checked, watching, GEM says queued"
        assert "job-2: checked, watching, GEM says nothing, problem: GEM answered 404" in out
        simulator.expire_tokens()
        code, out, err = command("jobs", "check", "job-1", "job-2", *settings)
    assert (code, out) == (2, "")
    assert err.startswith("gem-courier jobs check: GEM answered 401")
