"""An upgrade and its rollback on Azurite, back and forth, with jobs in every stage.

`UPGRADE_JOBS=100` has a hundred in each.
"""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from devkit.azurite import Azurite
from devkit.stage import OUTPUT_CONTAINER, QUEUE, sample_settings
from gem_core.errors import RecordUnreadable
from gem_core.flows.check_one import MAX_CHECK_TIME
from gem_core.flows.manage_jobs import redeliver_job, register_job
from gem_core.storage.names import BATCHES, JOBS, OUTBOX, WORKLIST
from gem_core.watch.record import Stage
from gem_core.watch.record_json import record_from_bytes
from gem_core.watch.registry import SUFFIX
from tests.builders import answer, check_manifest, finished, matched_file
from tests.commands.command_runner import empty_stores
from tests.frozen.newer import ADDED
from tests.integration.two_versions import PLAN, App, Site, app, each
from tests.wiring.fresh import forget_edges

COUNT = int(os.environ.get("UPGRADE_JOBS", "40"))
"""In each stage."""
WATCHING, SETTLED, DELIVERED = ([f"{stage}-{number}" for number in range(COUNT)] for stage in Stage)
ALL = [*WATCHING, *SETTLED, *DELIVERED]
LATER = "later-0"
"""A job in whose record the newer version writes a stage of its own."""
DISTURBED, ROUNDS = 4, 10
"""So many rounds in which processes die, and so many at most until all is delivered."""


def ending(job: str) -> dict[str, Any]:
    """GEM's last answer: a fifth of the jobs have an output."""
    number = int(job.rpartition("-")[2])
    if number % 5 == 0:
        return finished(outputFileName=f"{job}_matched.parquet")
    return answer("failed" if number % 2 else "cancelled")


@pytest.fixture
def site(azurite: Azurite, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Empty stores, an output for each job that has one, and the settings."""
    storage = azurite.connection_string
    settings = sample_settings() | {
        "GEM_STATE": storage, "GEM_OUTPUT": storage, "GEM_REPORT_PAGE": "false",
    }  # fmt: skip
    monkeypatch.setattr("os.environ", settings)
    forget_edges()
    empty_stores(azurite)
    made = Site(azurite)
    with made.container(OUTPUT_CONTAINER) as outputs:
        if not outputs.exists():
            outputs.create_container()
        for job in ALL:
            if name := ending(job).get("outputFileName"):
                outputs.upload_blob(name, matched_file(), overwrite=True)
    yield made
    forget_edges()
    empty_stores(azurite)


def begin(site: Site, older: App) -> None:
    """Jobs in every stage, and what processes leave that died half-way."""
    site.gem.answers = {job: [ending(job)] for job in (*SETTLED, *DELIVERED)}
    site.gem.answers |= {job: [answer("running", progress=5)] for job in (*WATCHING, LATER)}
    each(lambda job: register_job(older.manager, job, {"labels": {"job": job}}), [*ALL, LATER])
    older.tick()
    assert set(site.tickets()) == {*SETTLED, *DELIVERED}
    older.deliver(DELIVERED)
    older.audit_in_vain(SETTLED[: COUNT // 2 : 5])  # these have an output
    older.deliver_in_vain(SETTLED[COUNT * 3 // 10 : COUNT * 7 // 10])
    site.clock.move(minutes=16)
    older.hand_out()
    with site.queue(BATCHES) as queue:
        waiting = queue.get_queue_properties().approximate_message_count
        assert waiting == -(-(2 * COUNT + 1) // PLAN.size)
    lines = [line for line in older.checker.registry.open_jobs() if line.job_run_id in WATCHING[:9]]
    each(lambda line: older.checker.registry.claim(line, site.clock() + MAX_CHECK_TIME), lines)
    page = older.checker.registry.page(size=1000, after=None)
    stages = Counter(line.stage for line in page.jobs)
    assert stages == {"watching": COUNT + 1, "settled": COUNT, "delivered": COUNT}


@pytest.mark.slow
def test_an_upgrade_and_its_rollback_lose_nothing(site: Site) -> None:
    older, newer = app(site, newer=False), app(site, newer=True)
    begin(site, older)
    archived = archive(site)
    sent = site.take(QUEUE)
    added: set[str] = set()
    for number in range(ROUNDS):
        now, other = (older, newer) if number % 2 else (newer, older)
        if number == 2:
            each(lambda job: redeliver_job(older.manager, job), DELIVERED[:20])
        site.gem.answers |= {job: [ending(job)] for job in WATCHING[number::DISTURBED]}
        now.check(site.take(BATCHES, 5))
        now.tick()
        tickets = site.tickets()
        if number < DISTURBED:
            now.deliver_in_vain(tickets[::3])
            del tickets[::3]
        now.deliver(tickets[::2])
        other.deliver(tickets[1::2])
        sent += site.take(QUEUE)
        if number < DISTURBED and now is older:
            added = still_added(site.records(), added)
        if site.names(WORKLIST, "jobs/") == [f"jobs/{LATER}"]:
            break
        site.clock.move(minutes=16 if number < DISTURBED else 61)
    records = site.records()
    assert len(still_added(records, added)) > COUNT
    assert records.pop(LATER) == archived
    check(records, sent)
    assert len([name for name in site.names(OUTBOX) if name.endswith(SUFFIX)]) == len(ALL)
    with pytest.raises(RecordUnreadable, match="stage 'archived' is not known to this app"):
        older.manager.registry.get(LATER)


def archive(site: Site) -> bytes:
    """The newer version puts a job into a stage of its own; gives its record."""
    with site.container(JOBS) as jobs:
        held = json.loads(jobs.download_blob(LATER + SUFFIX).readall())
        body = json.dumps(held | ADDED | {"stage": "archived"}).encode()
        jobs.upload_blob(LATER + SUFFIX, body, overwrite=True, metadata={"stage": "archived"})
    return body


def still_added(records: dict[str, bytes], before: set[str]) -> set[str]:
    """The records that have the newer version's member; whichever had it before still has it."""
    now = {
        job
        for job, body in records.items()
        if json.loads(body).get("addedLater") == ADDED["addedLater"]
    }
    assert before <= now
    return now


def check(records: dict[str, bytes], sent: list[str]) -> None:
    """At least one manifest for each job, one id, the same bytes each time, and nothing left."""
    events: dict[str, list[str]] = defaultdict(list)
    for body in sent:
        events[check_manifest(body)["data"]["jobRunId"]].append(body)
    assert events.keys() == records.keys() == set(ALL)
    for job, record in records.items():
        assert len(set(events[job])) == 1, f"{job} has one manifest, however often it was sent"
        event = json.loads(events[job][0])
        read = record_from_bytes(record)
        assert (read.stage, read.manifest_id) == (Stage.DELIVERED, event["id"])
        assert read.outcome == event["data"]["outcome"]
        assert read.labels == {"job": job}
    for job in DELIVERED[:20]:
        assert len(events[job]) >= 2, f"{job} was delivered again"
