"""The command `wait`: what it says, its exit codes, and how it asks the app."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from gem_core.__main__ import main
from gem_core.commands import run_wait
from gem_core.commands.app_jobs import AppJobs, AppUnreachable
from gem_core.commands.wait_text import changed_line, open_line, record_summary
from gem_core.errors import JobUnknown, RecordUnreadable, RequestError
from gem_core.outcome import Outcome
from gem_core.secret import Secret
from gem_core.watch.attempts import Postponement
from gem_core.watch.durations import Durations
from gem_core.watch.record import JobRecord, Settlement
from gem_core.watch.record_json import record_to_bytes
from gem_core.wiring.managers import state_manager
from tests.commands.command_runner import CommandRunner
from tests.fakes import START
from tests.flows.records import delivered, settled, watching
from tests.loopback import Handler, Loopback

NOTHING = Durations()


def running(job_run_id: str = "a") -> JobRecord:
    """At 20 % after 10 minutes, at 50 % after 25."""
    first = watching(job_run_id, "running", 20)
    later = watching(job_run_id, "running", 50).job
    assert later
    return first.answered(later, START + timedelta(minutes=15))


def test_what_is_said_of_each_stage() -> None:
    now = START + timedelta(minutes=15)
    time = f"{now:%H:%M:%S}"
    end = START + timedelta(minutes=40)
    early = end - timedelta(seconds=30)
    postponed = replace(
        settled(),
        attempts=replace(
            settled().attempts,
            postponement=Postponement(START, 2, "storage is away", START, None),
        ),
    )
    for record, said in (
        (watching(), "GEM was not asked yet"),
        (watching(status="queued"), "queued"),
        (running(), f"running 50%, expected to end {early:%H:%M} to {end:%H:%M} (in 25m)"),
        (settled(), "finished; the app audits and delivers"),
        (watching().settled(Settlement.LOST, START), "lost; the app delivers"),
        (postponed, "finished; the delivery is postponed: storage is away"),
        (delivered(outcome=Outcome.INVALID), "invalid, manifest abc"),
    ):
        assert changed_line(record, NOTHING, now) == f"{time} a: {said}"
    overdue = changed_line(running(), NOTHING, START + timedelta(hours=2))
    assert overdue.endswith("running 50%, expected to have ended")


def test_one_line_is_about_all_open_jobs() -> None:
    now = START + timedelta(minutes=15)
    records = [running(), watching("b")]
    assert (
        open_line(records, NOTHING, now) == "2 of the jobs open, the last one probably ends in 25m"
    )
    assert open_line(records[1:], NOTHING, now) == "1 of the jobs open"


def test_the_json_of_a_job_has_progress_or_outcome() -> None:
    found = json.loads(json.dumps(record_summary(running(), NOTHING)))
    assert found["progress"] == 50
    assert found["expectedEnd"]["late"].startswith(
        f"{START + timedelta(minutes=40):%Y-%m-%dT%H:%M}"
    )
    assert json.loads(json.dumps(record_summary(delivered(), NOTHING)))["outcome"] == "valid"


class App(Handler):
    """Answers as `answers` has it, and notes what it was asked."""

    answers: dict[str, tuple[int, str, bytes]] = {}  # noqa: RUF012 - set by each test
    asked: list[tuple[str, str | None]] = []  # noqa: RUF012 - as above

    def do_GET(self) -> None:  # noqa: N802 - the name is given
        self.asked.append((self.path, self.headers.get("x-functions-key")))
        status, kind, body = self.answers[self.path]
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", "/api/jobs/elsewhere")
        self.end_headers()
        self.wfile.write(body)


JSON = "application/json"


@pytest.fixture
def app() -> Iterator[str]:
    App.answers, App.asked = {}, []
    with Loopback(App) as server:
        yield server.url


def test_the_app_is_asked_with_its_key(app: str) -> None:
    App.answers["/api/jobs/job-1"] = (200, JSON, record_to_bytes(delivered("job-1")))
    record = AppJobs(f"{app}/", Secret("the-key")).read("job-1")
    assert record == delivered("job-1")
    assert App.asked == [("/api/jobs/job-1", "the-key")]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((404, "application/problem+json", b"{}"), JobUnknown),
        ((404, "text/html", b"<html>"), AppUnreachable),  # the host is away, or it is another site
        ((401, "text/plain", b""), RequestError),
        ((503, "text/plain", b""), AppUnreachable),
        ((302, "text/plain", b""), AppUnreachable),
        ((200, "text/html", b"<html>"), AppUnreachable),
        ((200, JSON, b'{"schemaVersion": 99}'), RecordUnreadable),
    ],
)
def test_what_the_app_may_answer(
    app: str, answer: tuple[int, str, bytes], error: type[Exception]
) -> None:
    App.answers["/api/jobs/job-1"] = answer
    with pytest.raises(error):
        AppJobs(app, Secret("the-key")).read("job-1")
    assert len(App.asked) == 1  # the key goes nowhere else


def test_an_app_that_is_away_is_unreachable() -> None:
    with Loopback(App) as server:
        url = server.url
    with pytest.raises(AppUnreachable):
        AppJobs(url, None).read("job-1")


@pytest.mark.parametrize(
    "address",
    ["http://app.azurewebsites.net", "ftp://x", "https://", "https://x?code=1", "https://u:p@x",
     "app.azurewebsites.net", "https://["],
)  # fmt: skip
def test_a_key_is_sent_to_no_other_address(address: str) -> None:
    with pytest.raises(RequestError, match="--app"):
        AppJobs(address, Secret("the-key"))


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Sleeping takes no time."""
    slept: list[float] = []
    monkeypatch.setattr(run_wait, "sleep", slept.append)
    return slept


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([Outcome.VALID, Outcome.VALID_WITH_WARNINGS], 0),
        *(([Outcome.VALID, outcome], 1) for outcome in Outcome if not outcome.startswith("valid")),
    ],
)
def test_the_exit_code_says_how_the_jobs_ended(
    app: str, outcomes: list[Outcome], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, outcome in enumerate(outcomes):
        record = delivered(f"job-{number}", outcome)
        App.answers[f"/api/jobs/job-{number}"] = (200, JSON, record_to_bytes(record))
    assert main(["wait", "job-0", "job-1", "job-0", "--app", app]) == code
    out = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[2] for line in out] == [
        f"job-{number}: {outcome}, manifest abc" for number, outcome in enumerate(outcomes)
    ]


def test_a_job_that_is_late_ends_with_3(
    app: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter(START + timedelta(seconds=20) * n for n in range(100))
    monkeypatch.setattr(run_wait, "now", lambda: next(moments))
    monkeypatch.setattr(run_wait, "sleep", lambda _: None)
    App.answers["/api/jobs/a"] = (200, JSON, record_to_bytes(watching("a", "running", 65)))
    assert main(["wait", "a", "--app", app, "--timeout", "1"]) == 3
    out, err = capsys.readouterr()
    assert out.count("a: running 65%") == 1
    assert "not delivered in time: a" in err
    moments = iter(START + timedelta(seconds=20) * n for n in range(100))
    assert main(["wait", "a", "--app", app, "--timeout", "1", "--json"]) == 3
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["status"] == "running"
    assert json.loads(line)["outcome"] is None


def test_an_unknown_job_and_wrong_words_end_with_2(
    app: str, capsys: pytest.CaptureFixture[str]
) -> None:
    App.answers["/api/jobs/no"] = (404, JSON, b"{}")
    assert main(["wait", "no", "--app", app]) == 2
    assert "no job 'no' is registered in the app" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["wait", "a", "--timeout", "0"])
    assert ended.value.code == 2


def test_the_key_never_shows(
    app: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURIER_APP_KEY", "very-secret-key")
    App.answers["/api/jobs/very-secret-key"] = (404, JSON, b"{}")
    assert main(["wait", "very-secret-key", "--app", app]) == 2
    assert App.asked == [("/api/jobs/very-secret-key", "very-secret-key")]
    assert "very-secret-key" not in "".join(capsys.readouterr())


@pytest.mark.azurite
def test_jobs_are_read_from_the_storage(
    command: CommandRunner, at_once: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    command("jobs", "register", "job-1")
    looks: list[Callable[[JobRecord], JobRecord]] = [
        lambda record: record.settled(settled().settlement or record.settlement, START),  # type: ignore[arg-type] # never None
        lambda record: record.delivered(Outcome.VALID, "abc", START),
    ]

    def sleep(seconds: float) -> None:
        at_once.append(seconds)
        stored = state_manager().registry.get("job-1")
        assert stored
        state_manager().registry.replace(stored, looks.pop(0)(stored.record))

    monkeypatch.setattr(run_wait, "sleep", sleep)
    code, out, _ = command("wait", "job-1")
    assert code == 0
    assert [line.partition(" ")[2] for line in out.splitlines()] == [
        "job-1: GEM was not asked yet",
        "job-1: finished; the app audits and delivers",
        "job-1: valid, manifest abc",
    ]
    assert at_once == [15.0, 15.0]
    code, _, err = command("wait", "job-2")
    assert (code, "no job 'job-2' is registered" in err) == (2, True)
