"""`jobs list`: pages, selections, and the jobs in trouble."""

from datetime import datetime, timedelta

import pytest

from gem_core.__main__ import main
from gem_core.wiring.managers import state_manager
from tests.commands.command_runner import CommandRunner
from tests.commands.stored_jobs import change, report, settle, stored


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


def test_trouble_is_sorted_and_described(command: CommandRunner, moment: datetime) -> None:
    assert command("jobs", "list", "--trouble")[1] == "no open job is in trouble\n"
    command("jobs", "register", "fine", "unanswered")
    settle(command, "undelivered")
    record = stored("unanswered").record.not_answered("GEM said \x1b[2J", moment)
    change("unanswered", record.due(moment + timedelta(minutes=1)))
    code, out, _ = command("jobs", "list", "--trouble")
    assert code == 0
    first, second = out.splitlines()[1:]
    assert first.split()[:4] == ["undelivered", "settled", "undelivered", "3h"]
    assert "ticket raised 2 times" in first
    assert second.split()[:3] == ["unanswered", "watching", "not_answered"]
    assert second.endswith("once: GEM said \\x1b[2J")
    found = command.json("jobs", "list", "--trouble")
    assert [job["trouble"] for job in found["jobs"]] == ["undelivered", "not_answered"]
