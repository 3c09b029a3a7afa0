"""Every golden file is read by the app's own readers, and every form that is written has one."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gem_core.deliver.delivered_list import month_of, read_lines
from gem_core.deliver.manifest import outcome_of
from gem_core.flows.check_batch import check_batch
from gem_core.flows.deliver_results import deliver_results
from gem_core.outcome import Outcome
from gem_core.storage import names
from gem_core.watch.batch import batch_from_json
from gem_core.watch.durations import DurationStore
from gem_core.watch.heartbeat import Heartbeat
from gem_core.watch.marker import MARKER_PREFIX
from gem_core.watch.poison import batch_of_message
from gem_core.watch.record_json import record_to_json
from gem_core.watch.registry import ticket_job_run_id
from gem_core.watch.retention import Retention
from gem_core.watch.store_claim import Ticker
from tests.builders import JOB, OUTPUT, World, check_manifest, finished, job, matched_file
from tests.fakes import START
from tests.flows.outdated import delivered, tell
from tests.frozen.golden import FOLDER, Golden, add, kept
from tests.frozen.stored import documents

FILES = sorted(path.name for path in FOLDER.glob("*.json"))


def _put(world: World, golden: Golden) -> None:
    """Store a golden document in the world."""
    stores = {
        names.JOBS: world.jobs,
        names.WORKLIST: world.worklist,
        names.TICKETS: world.tickets,
        names.REPORTS: world.reports,
        names.OUTBOX: world.manifests,
    }
    stores[golden.store].put(golden.name, golden.body, metadata=golden.metadata)


def _record(golden: Golden, world: World) -> None:
    stored = world.registry.get(JOB)
    assert stored
    now = record_to_json(stored.record)
    assert _members_of(golden.json, now) == golden.json
    (line,) = world.registry.page(size=5, after=None).jobs
    assert (line.job_run_id, line.stage) == (JOB, golden.json["stage"])
    assert (line.status or None) == golden.metadata.get("status")
    assert (line.outcome or None) == golden.json["outcome"]


def _members_of(older: Any, now: Any) -> Any:  # noqa: ANN401 - any JSON
    """What the older form has of the present one, which may have gained members."""
    if isinstance(older, dict) and isinstance(now, dict):
        return {name: _members_of(value, now[name]) for name, value in older.items()}
    return now


def _marker(golden: Golden, world: World) -> None:
    (line,) = world.registry.open_jobs()
    assert line.job_run_id == JOB == golden.name.removeprefix(MARKER_PREFIX)
    assert line.due_at == datetime.fromisoformat(golden.metadata["due"])
    if "marked" in golden.metadata:
        assert line.marked_at == datetime.fromisoformat(golden.metadata["marked"])
    assert line.shown.items() <= golden.metadata.items()
    assert world.registry.unmark(JOB, etag=line.etag)


def _ticket(golden: Golden, world: World) -> None:  # noqa: ARG001 - as the others
    assert ticket_job_run_id(f"{golden.store}/{golden.name}") == golden.json["jobRunId"] == JOB


def _batch(golden: Golden, world: World) -> None:
    text = golden.body.decode()
    batch = batch_from_json(text)
    assert batch_of_message(text) == batch
    assert batch.until == datetime.fromisoformat(golden.json["until"])
    for line, held in zip(batch.jobs, golden.json["jobs"], strict=True):
        assert (line.job_run_id, line.etag) == (held["jobRunId"], held["etag"])
        assert line.marked_at == datetime.fromisoformat(held["markedAt"])
    check_batch(world.checker, text)  # nothing is registered, so nothing is asked
    assert world.gem.asked == []


def _lease(golden: Golden, world: World) -> None:
    until = datetime.fromisoformat(golden.metadata["until"])
    world.clock.now = until - timedelta(seconds=1)
    assert world.checker.limiter.acquire() is None
    world.clock.now = until + timedelta(seconds=1)
    assert world.checker.limiter.acquire()


def _tick(golden: Golden, world: World) -> None:
    heartbeat = Heartbeat(world.worklist)
    if golden.name == "tick-ended.json":
        last = dict(golden.json)
        before = last.pop("before", [])
        assert heartbeat.ended() == (last, *before)
    else:
        started = heartbeat.started()
        assert started
        assert started.at == datetime.fromisoformat(golden.json["startedAt"])
        assert started.unfinished_since == datetime.fromisoformat(golden.json["unfinishedSince"])
        claim = heartbeat.claim()
        assert (claim is None) == ("identity" not in golden.json)
        if claim:
            assert claim.ticker == Ticker(golden.json["app"], golden.json["identity"])
            assert claim.since == datetime.fromisoformat(golden.json["identitySince"])


def _retention(golden: Golden, world: World) -> None:
    retention = Retention(
        lambda _: world.worklist, keep=timedelta(days=30), look_back=timedelta(days=1)
    )
    place = retention.place(START)
    if "next" in golden.metadata:
        assert place is None
        assert world.worklist.changes == 1
    else:
        assert place
        assert (place.list_, place.after) == (golden.metadata["list"], golden.metadata["after"])


def _durations(golden: Golden, world: World) -> None:
    known = DurationStore(world.worklist).read()
    assert {kind: list(each) for kind, each in known.seconds.items()} == golden.json[
        "secondsByKind"
    ]
    assert known.of(job())


def _event(golden: Golden, world: World) -> None:
    event = check_manifest(golden.body.decode())
    held = world.outbox.get(JOB, event["id"])
    assert held
    assert held.body == golden.body.decode()
    assert outcome_of(held) is Outcome(event["data"]["outcome"])


def _report(golden: Golden, world: World) -> None:
    assert world.outbox.report(JOB, golden.json["id"]) == golden.body


def _attempts(golden: Golden, world: World) -> None:
    """An earlier version kept attempts beside the events. They do no harm, and go with the job."""
    world.files.write(OUTPUT, matched_file())
    world.settle(finished())
    sent = deliver_results(world.deliverer, JOB)
    assert sent
    assert outcome_of(sent) is Outcome.VALID
    assert golden.name in world.manifests.names()
    world.outbox.forget(JOB)
    assert world.stored_manifests() == []


def _delivered(golden: Golden, world: World) -> None:
    (line,) = read_lines(world.outbox.delivered(month_of(START)))
    held = golden.json
    assert (line.id, line.job_run_id, line.outcome) == (held["id"], JOB, held["outcome"])
    assert (line.at, line.labels) == (datetime.fromisoformat(held["at"]), held["labels"])
    assert line.contract == held.get("contract", "")
    assert (line.share_matched, list(line.failed)) == (held["shareMatched"], held["failed"])


def _outdated(golden: Golden, world: World) -> None:
    """It is sent again to nobody, and the first text stays."""
    there = delivered(JOB)
    _put(there, golden)
    (told,) = tell(there)
    assert (told.id, told.to, told.failed) == (golden.json["id"], (), ())
    stored = there.outbox.get(JOB, told.id)
    assert stored
    assert stored.body.encode() == golden.body
    assert world.outbox.get(JOB, told.id) == stored


READERS: dict[str, Callable[[Golden, World], None]] = {
    "record": _record,
    "marker": _marker,
    "ticket": _ticket,
    "batch": _batch,
    "lease": _lease,
    "tick": _tick,
    "durations": _durations,
    "retention": _retention,
    "event": _event,
    "attempts": _attempts,
    "report": _report,
    "delivered": _delivered,
    "outdated": _outdated,
}


@pytest.mark.parametrize("file", FILES)
def test_a_golden_file_is_read(file: str) -> None:
    golden, world = Golden.read(FOLDER / file), World()
    if golden.name:
        _put(world, golden)
    READERS[file.partition(".")[0].partition("-")[0]](golden, world)


def test_every_form_that_is_written_has_a_golden_file() -> None:
    known = kept()
    new = [
        document
        for document, now in documents().items()
        if now.form() not in {golden.form() for golden in known.get(document, [])}
    ]
    assert not new, (
        f"{', '.join(new)}: the form changed. Members may be added, and none may go or get another "
        "meaning (CONTRIBUTING.md, Names). Then run `python -m tests.frozen --write`, which adds a "
        "golden file of the new form. Those that are there stay as they are."
    )


FOR_PEOPLE = {"title", "detail", "counts"}
"""Members of checks that may change: sentences, and how many checks there are."""
SETTLED_OTHERWISE = {f"event-{Outcome.NOT_AUDITED}"}
"""An audit that ends its process is postponed today, and was given up at once (decision 102)."""


def missing(then: Any, now: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - any JSON value
    """What an earlier value has and a later one has not. Members and checks may be added."""
    match then, now:
        case dict(), dict():
            for name in then.keys() - FOR_PEOPLE:
                yield from missing(then[name], now.get(name, "absent"), f"{path}.{name}")
        case [{"name": _, "verdict": _}, *_], list():
            checks = {check["name"]: check for check in now}
            for check in then:
                name = check["name"]
                yield from missing(check, checks.get(name), f"{path}.{name}")
        case _:
            if then != now:
                yield f"{path}: {then} became {now}"


@pytest.mark.parametrize(
    "event", sorted({name for name in kept() if name.startswith("event-")} - SETTLED_OTHERWISE)
)
def test_the_given_pages_answers_lead_to_the_first_manifest_and_more(event: str) -> None:
    """The other generations of GEM changed nothing for it, not even the id."""
    first = Golden.read(FOLDER / f"{event}.json")
    assert list(missing(first.json, documents()[event].json)) == []


def test_there_is_a_golden_event_of_each_outcome() -> None:
    found = {event.json["data"]["outcome"] for name, forms in kept().items()
             if name.startswith("event-") for event in forms}  # fmt: skip
    assert found == set(Outcome)


def test_a_golden_file_is_never_written_over(tmp_path: Path) -> None:
    first = documents()["ticket"]
    (added,) = add({"ticket": first}, tmp_path)
    assert Golden.read(added).json == first.json
    assert add({"ticket": first}, tmp_path) == []
    with_priority = json.dumps(first.json | {"priority": 1}).encode()
    other = Golden(first.store, first.name, first.metadata, with_priority)
    (second,) = add({"ticket": other}, tmp_path)
    assert (added.name, second.name) == ("ticket.json", "ticket.2.json")
    assert Golden.read(added).json == first.json
    assert {each.body for each in kept(tmp_path)["ticket"]} == {first.body, other.body}
