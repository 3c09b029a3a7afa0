"""`python -m gem_core jobs` on real stores; only GEM_STATE is set where that is enough."""

import io
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from devkit.azurite import Azurite
from devkit.simulator import CLEAN, GemSimulator
from devkit.stage import app_settings
from gem_core.__main__ import main
from gem_core.commands import jobs_read
from gem_core.commands.table import age
from gem_core.storage import names
from gem_core.watch.marker import JobState
from gem_core.wiring.environment import now
from gem_core.wiring.managers import state_manager
from tests.commands.command_runner import CommandRunner
from tests.commands.stored_jobs import change, report, settle, stored
from tests.wiring.fresh import forget_edges

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _clock_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """No age that is shown depends on how long a test takes."""
    moment = now()
    for module in (jobs_read, sys.modules[__name__]):
        monkeypatch.setattr(module, "now", lambda: moment)


@pytest.mark.parametrize("action", ["register", "check", "redeliver", "forget", "show"])
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_settings_that_are_missing_are_said_once_for_all_jobs(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    action: str,
    options: tuple[str, ...],
) -> None:
    monkeypatch.setattr("os.environ", {})
    forget_edges()
    assert main(["jobs", action, "a", "b", *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("missing or invalid settings:\n") == 1
    assert err.count("* GEM_STATE is missing") == 1
    assert "\\n" not in err


def test_register_list_show_forget(command: CommandRunner, monkeypatch: pytest.MonkeyPatch) -> None:
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
    later = now() + timedelta(hours=2)
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


def test_a_listing_continues_where_it_ended(command: CommandRunner) -> None:
    command("jobs", "register", *(f"job-{number}" for number in range(5)))
    first = command.json("jobs", "list", "--limit", "2")
    assert [job["jobRunId"] for job in first["jobs"]] == ["job-0", "job-1"]
    code, out, _ = command("jobs", "list", "--limit", "2", "--after", first["nextPage"])
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:3]] == ["job-2", "job-3"]
    assert out.splitlines()[-1].startswith("more jobs: --after ")
    every = command.json("jobs", "list", "--all")
    assert (len(every["jobs"]), every["nextPage"]) == (5, None)


def test_a_limit_may_be_larger_than_a_page(
    command: CommandRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gem_core.commands.jobs_read.MAX_PAGE", 2)
    command("jobs", "register", *(f"job-{number}" for number in range(5)))
    found = command.json("jobs", "list", "--limit", "3")
    assert [job["jobRunId"] for job in found["jobs"]] == ["job-0", "job-1", "job-2"]
    rest = command.json("jobs", "list", "--limit", "2000", "--after", found["nextPage"])
    assert [job["jobRunId"] for job in rest["jobs"]] == ["job-3", "job-4"]
    assert len(command.json("jobs", "list", "--all")["jobs"]) == 5


@pytest.mark.parametrize("page", [2, 3, 1000])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_listing_by_stage_ends_at_its_limit_and_continues_there(
    command: CommandRunner, monkeypatch: pytest.MonkeyPatch, page: int, limit: int
) -> None:
    monkeypatch.setattr("gem_core.commands.jobs_read.MAX_PAGE", page)
    for name in ("b", "d", "e", "g"):
        report(command, name)
    command("jobs", "register", "a", "c", "f", "h")
    state_manager().registry._jobs.put("_doctor/probe", b"")  # listed, and no job
    pages: list[list[str]] = []
    words: tuple[str, ...] = ()
    while not pages or words:
        found = command.json("jobs", "list", "--stage", "delivered", "--limit", str(limit), *words)
        pages.append([job["jobRunId"] for job in found["jobs"]])
        words = ("--after", found["nextPage"]) if found["nextPage"] else ()
    assert [name for names in pages for name in names] == ["b", "d", "e", "g"]
    assert all(len(names) <= limit for names in pages)
    assert all(len(names) == limit for names in pages[: 4 // limit])


def test_a_stage_is_searched_on_all_pages(command: CommandRunner) -> None:
    command("jobs", "register", "a", "b")
    report(command, "z")
    found = command.json("jobs", "list", "--stage", "delivered", "--limit", "1")
    assert [(job["jobRunId"], job["outcome"]) for job in found["jobs"]] == [("z", "failed")]


def test_a_listing_is_selected_and_sorted_as_over_http(command: CommandRunner) -> None:
    command("jobs", "register", "a", "c", "--label", "team=maps")
    command("jobs", "register", "d", "--label", "team=sea")
    report(command, "b")

    def listed(*words: str) -> list[str]:
        found = command.json("jobs", "list", *words)
        return [job["jobRunId"] for job in found["jobs"]]

    assert listed("--outcome", "failed") == ["b"]
    assert listed("--outcome", "valid") == []
    assert listed("--label", "team=maps") == ["a", "c"]
    assert listed("--label", "team=maps", "--stage", "delivered") == []
    assert listed("--sort", "id") == listed() == ["a", "b", "c", "d"]
    for job_run_id in "abcd":  # storage gives whole seconds, and within one the id decides
        change(job_run_id, stored(job_run_id).record)
    assert listed("--sort", "newest", "--limit", "2") == ["d", "c"]
    _, row = command("jobs", "list", "--label", "team=sea")[1].splitlines()
    job_run_id, stage, *_, label = row.split()  # without its age
    assert (job_run_id, stage, label) == ("d", "watching", "team=sea")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--outcome", "great"),
            "invalid choice: 'great' (choose from 'valid', 'valid_with_warnings', ",
        ),
        (("--label", "team"), "argument --label: it is not NAME=VALUE"),
        (("--trouble", "--sort", "newest"), "--trouble accepts no other selection"),
        (("--trouble", "--outcome", "valid"), "--trouble accepts no other selection"),
    ],
)
def test_a_listing_that_makes_no_sense_is_refused(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["jobs", "list", *words])
    assert said in capsys.readouterr().err


def test_trouble_is_sorted_and_described(command: CommandRunner) -> None:
    assert command("jobs", "list", "--trouble")[1] == "no open job is in trouble\n"
    command("jobs", "register", "fine", "unanswered")
    settle(command, "undelivered")
    record = stored("unanswered").record.not_answered("GEM said \x1b[2J", now())
    change("unanswered", record.due(now() + timedelta(minutes=1)))
    code, out, _ = command("jobs", "list", "--trouble")
    assert code == 0
    first, second = out.splitlines()[1:]
    assert first.split()[:4] == ["undelivered", "settled", "undelivered", "3h"]
    assert "ticket raised 2 times" in first
    assert second.split()[:3] == ["unanswered", "watching", "not_answered"]
    assert second.endswith("once: GEM said \\x1b[2J")
    found = command.json("jobs", "list", "--trouble")
    assert [job["trouble"] for job in found["jobs"]] == ["undelivered", "not_answered"]


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


def test_the_manifest_as_it_was_sent(command: CommandRunner) -> None:
    report(command, "job-1")
    assert command.json("jobs", "show", "job-1")["reportUrl"].endswith("/job-1/abc/report.json")
    code, out, _ = command("jobs", "show", "job-1", "--manifest")
    assert code == 0
    assert json.loads(out) == {"id": "abc", "data": {"outcome": "failed"}}
    assert "manifest sent 0s ago" in command("jobs", "show", "job-1")[1]


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


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


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


def test_settings_from_a_file_and_none_from_the_environment(
    command: CommandRunner, azurite: Azurite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "local.settings.json"
    values = {"GEM_STATE": azurite.connection_string}
    file.write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    monkeypatch.setattr("os.environ", {"GEM_CHECK_SCHEDULE": "wrong", "GEM_STATE": "wrong"})
    assert command("jobs", "list")[0] == 2
    assert command("jobs", "list", "--settings", str(file)) == (0, "no jobs\n", "")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (None, ": No such file"),
        ("{", ", line 1: not JSON"),
        ("[]", " has no object Values"),
        ('{"IsEncrypted": true, "Values": {"GEM_STATE": "x"}}', "func settings decrypt"),
    ],
)
def test_an_invalid_settings_file(
    command: CommandRunner, tmp_path: Path, body: str | None, said: str
) -> None:
    file = tmp_path / "settings.json"
    if body is not None:
        file.write_text(body)
    code, out, err = command("jobs", "list", "--settings", str(file))
    assert (code, out) == (2, "")
    assert err.startswith("gem-courier jobs list: missing or invalid settings:\n")
    assert f"* {file}" in err
    assert said in err


def test_a_missing_container_is_named(command: CommandRunner) -> None:
    with BlobServiceClient.from_connection_string(command.azurite.connection_string) as blobs:
        blobs.delete_container(names.JOBS)
    code, out, err = command("jobs", "list")
    assert (code, out) == (2, "")
    assert err.startswith("gem-courier jobs list: container 'gem-jobs' does not exist")


@pytest.mark.parametrize(
    "words",
    [
        ("jobs",),
        ("jobs", "list"),
        ("jobs", "show"),
        ("jobs", "register"),
        ("jobs", "check"),
        ("jobs", "redeliver"),
        ("jobs", "forget"),
        ("poison",),
        ("poison", "list"),
        ("poison", "replay"),
    ],
    ids=" ".join,
)
def test_every_command_has_help_without_azure(words: tuple[str, ...]) -> None:
    program = (
        "import sys, gem_core.__main__ as m\n"
        "try: m.main([*sys.argv[1:], '--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('azure', 'requests') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"
    if len(words) == 2:
        for word in ("exit codes", "--settings FILE", "--json", "GEM_STATE"):
            assert word in done.stdout


def test_a_reader_that_closes_the_pipe_causes_no_error(
    azurite: Azurite, command: CommandRunner
) -> None:
    command("jobs", "register", *(f"job-{number}" for number in range(20)))
    program = f"{sys.executable} -m gem_core jobs list --limit 20 | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["/bin/bash", "-c", program],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
        env={"GEM_STATE": azurite.connection_string, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert done.stderr == ""


@pytest.mark.parametrize(
    "words",
    [
        "jobs",
        "jobs show",
        "jobs list --stage done",
        "jobs list --limit 0",
        "jobs list --limit -1",
        "jobs list --limit many",
        "jobs list --all --limit 2",
        "jobs list --trouble --limit 2",
        "jobs list --trouble --all",
        "jobs list --trouble --after x",
        "jobs list --trouble --stage settled",
        "poison",
    ],
)
def test_wrong_arguments_give_2(words: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words.split())
    assert caught.value.code == 2
