"""The command `advise`: over files, and over the jobs of the app."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient

from devkit.azurite import Azurite
from gem_core.__main__ import main
from gem_core.commands import run_advise
from gem_core.deliver.outdated import OUTDATED_TYPE
from gem_core.errors import StoreError
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.manage_jobs import forget_job
from gem_core.gem.contracts import known
from gem_core.watch.record import Settlement
from gem_core.wiring import delivery
from gem_core.wiring.environment import now
from tests.advice.three_releases import PLANTED, ROADS, SAME, THREE
from tests.advice.world import OLD, SECOND, output, publish
from tests.builders import World, finished
from tests.commands.command_runner import CommandRunner
from tests.commands.stored_jobs import change, stored
from tests.fakes import FakeSource
from tests.flows.outdated import OUTDATED, events

type Capture = pytest.CaptureFixture[str]
FILES = ("--release", SECOND, "--from", OLD, "--overture", ".")
JOBS = ("--release", SECOND, "--overture", ".")


@pytest.fixture(autouse=True)
def releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # The limit would hold for the tests that follow in this process.
    monkeypatch.setattr(run_advise, "limit_memory", lambda: None)
    publish(tmp_path, THREE)
    output(tmp_path, ROADS, OLD, "bad.parquet")
    output(tmp_path, [SAME], OLD, "good.parquet")


def test_the_outdated_files_are_printed_in_at_most_80_columns(capsys: Capture) -> None:
    assert main(["advise", "good.parquet", "bad.parquet", *FILES]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines == [
        f"release {SECOND}, 2 outputs, of which",
        "        1 outdated",
        "        1 not outdated",
        "",
        "ids of outdated outputs:",
        "IDS  OUTDATED  REMOVED  RESTORED  GEOMETRY  CLASS  UNKNOWN  OUTPUT",
        "8    6         2        1         2         2      0        bad.parquet",
    ]


def test_nothing_outdated_is_success(capsys: Capture) -> None:
    assert main(["advise", "good.parquet", *FILES]) == 0
    assert "outdated outputs" not in capsys.readouterr().out


def test_what_is_not_known_is_no_success_and_has_its_reason(capsys: Capture) -> None:
    assert main(["advise", "good.parquet", "absent.parquet", "bad.parquet", *FILES]) == 2
    out = capsys.readouterr().out
    assert "1 not verifiable" in out
    assert "not verifiable: absent.parquet: absent.parquet is not there" in out
    assert "8    6" in out


def test_json_has_everything(capsys: Capture) -> None:
    assert main(["advise", "bad.parquet", *FILES, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    (one,) = found["outputs"]
    assert (one["name"], one["release"], one["state"]) == ("bad.parquet", OLD, "outdated")
    assert one["changes"]["removed"] == {"ids": 2, "roads": 3}
    assert one["changes"]["otherChange"] == {"ids": 2, "roads": 2}
    assert found["events"] is None


def test_the_ids_are_written(tmp_path: Path) -> None:
    assert main(["advise", "good.parquet", "bad.parquet", *FILES, "--ids", "ids.parquet"]) == 1
    rows = pq.read_table(tmp_path / "ids.parquet").to_pylist()
    assert {row["id"] for row in rows} == set(PLANTED)
    assert {row["output"] for row in rows} == {"bad.parquet"}
    assert sorted((row["changes"], row["roads"]) for row in rows) == [
        ("classChanged", 1),
        ("geometryChanged", 1),
        ("geometryChanged,classChanged,otherChange", 1),
        ("otherChange", 1),
        ("removed", 1),
        ("removed", 2),
        ("restored", 1),
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("bad.parquet", *JOBS), "files need --from"),
        ((*FILES,), "--from is for files"),
        (("bad.parquet", *FILES, "--send"), "--send is for the jobs of the app"),
        ((*JOBS, "--send"), "no route of GEM_RESULTS_ROUTES takes job.outdated"),
        (("bad.parquet", *FILES, "--ids", "bad.parquet"), "--ids: this would overwrite"),
        (("bad.parquet", *FILES[:-1], "no"), "--overture: there is no folder no"),
        (("bad.parquet", *FILES, "--folder", "no"), "--folder: there is no folder no"),
        (
            ("bad.parquet", "--release", "2026-06-17.0", *FILES[2:]),
            f"no changelog of release '2026-06-17.0'; the newest is {SECOND}",
        ),
    ],
)
def test_what_cannot_be_done_is_said(
    words: tuple[str, ...], said: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.environ", {"GEM_STATE": "UseDevelopmentStorage=true"})
    assert main(["advise", *words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Three delivered jobs: outdated, not outdated, and one whose output was replaced since."""
    world = World(routes=(*World.routes, OUTDATED))
    for name, file in (("bad", "bad"), ("good", "good"), ("replaced", "bad")):
        body = (tmp_path / f"{file}.parquet").read_bytes()
        world.files.write(f"{name}.parquet", body)
        world.settle(finished(outputFileName=f"{name}.parquet", overtureRelease=OLD), f"job-{name}")
        deliver_results(world.deliverer, f"job-{name}")
    world.files.write("replaced.parquet", b"another one")

    def opened(url: str) -> FakeSource:
        return world.files.open(None, url.rpartition("/")[2])

    monkeypatch.setattr(run_advise, "state_manager", lambda: world.manager)
    monkeypatch.setattr(run_advise, "open_source", opened)
    monkeypatch.setattr(run_advise, "_takers", lambda: {OUTDATED.name: OUTDATED.queue})
    monkeypatch.setattr(run_advise, "stores", lambda: _Stores(world))
    monkeypatch.setattr("os.environ", {"GEM_STATE": "UseDevelopmentStorage=true"})
    return world


class _Stores:
    def __init__(self, world: World) -> None:
        self.results_queue: Callable[..., object] = lambda name, _: world.queues[name]


def test_the_delivered_jobs_are_advised_by_their_manifests(app: World, capsys: Capture) -> None:
    assert main(["advise", *JOBS]) == 2
    out = capsys.readouterr().out
    assert "release 2026-05-20.0, 3 outputs, of which" in out
    assert "not verifiable: job-replaced: the output was replaced after its manifest" in out
    assert "job-bad" in out
    assert "job-good" not in out
    assert not app.queues[OUTDATED.name].sent


def test_each_outdated_job_is_sent_once(app: World, capsys: Capture) -> None:
    for sent in ("1 event sent", "0 events sent\n1 event had been sent before"):
        assert main(["advise", *JOBS, "--send"]) == 2
        assert sent in capsys.readouterr().out
    (event,) = events(app)
    assert event["data"]["jobRunId"] == "job-bad"
    assert event["data"]["changes"]["removed"] == {"ids": 2, "roads": 3}
    assert main(["advise", *JOBS, "--send", "--json"]) == 2
    (told,) = json.loads(capsys.readouterr().out)["events"]
    assert told == {"jobRunId": "job-bad", "id": event["id"], "sentTo": [], "problems": []}


def test_an_event_that_was_not_sent_is_no_success(app: World, capsys: Capture) -> None:
    forget_job(app.manager, "job-replaced")
    queue = app.queues[OUTDATED.name]
    queue.refuses = StoreError("no answer")
    assert main(["advise", *JOBS, "--send"]) == 2
    out, err = capsys.readouterr()
    assert "0 events sent" in out
    assert "job-bad: the event was not sent: gem-outdated: no answer; run this again" in err
    queue.refuses = None
    assert main(["advise", *JOBS, "--send"]) == 1
    assert len(events(app)) == 1


@pytest.fixture
def emulated(
    command: CommandRunner, azurite: Azurite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[QueueClient]:
    """A job that was delivered by the app's own wiring, on real stores; the queue of the route."""
    monkeypatch.setenv("GEM_API_KEY", "key")
    monkeypatch.setenv("GEM_OUTPUT", azurite.connection_string)
    monkeypatch.setenv("GEM_CHECK_SCHEDULE", "0 * * * * *")
    routes = [{"queue": OUTDATED.queue, "types": ["job.outdated"]}]
    monkeypatch.setenv("GEM_RESULTS_ROUTES", json.dumps(routes))
    with (
        QueueClient.from_connection_string(azurite.connection_string, OUTDATED.queue) as queue,
        ContainerClient.from_connection_string(azurite.connection_string, "default") as outputs,
    ):
        queue.create_queue()
        if not outputs.exists():
            outputs.create_container()
        outputs.upload_blob("bad.parquet", (tmp_path / "bad.parquet").read_bytes(), overwrite=True)
        command("jobs", "register", "job-bad")
        told = finished(outputFileName="bad.parquet", overtureRelease=OLD)
        answered = known.read(told | {"jobRunId": "job-bad"}, job_run_id="job-bad")
        record = stored("job-bad").record.answered(answered, now())
        change("job-bad", record.settled(Settlement.FINISHED, now()))
        deliver_results(delivery.deliverer(), "job-bad")
        yield queue
        queue.delete_queue()


@pytest.mark.azurite
def test_the_event_is_on_a_real_queue_once(
    emulated: QueueClient, command: CommandRunner, capsys: Capture
) -> None:
    for count, sent in ((1, "1 event sent"), (0, "1 event had been sent before")):
        code, out, err = command("advise", *JOBS, "--send")
        assert (code, err) == (1, "")
        assert sent in out
        messages = [*emulated.receive_messages()]
        assert len(messages) == count
        for message in messages:
            event = json.loads(base64.b64decode(message.content))
            assert event["type"] == OUTDATED_TYPE
            assert event["data"]["changes"]["removed"] == {"ids": 2, "roads": 3}
    assert capsys.readouterr().err == ""
