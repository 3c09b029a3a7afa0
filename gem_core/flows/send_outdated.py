"""Sends an event for each job that a newer Overture release outdates.

The event is stored before it is sent, and marked afterwards for each route that has it. So if the
process dies, another run sends what is left: the same event, under the same id.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from gem_core.deliver.outdated import (
    AUDITED,
    DeliveredOutput,
    delivered_output,
    outdated_event,
)
from gem_core.errors import RecordUnreadable, StoreError
from gem_core.flows.deliverer import ManifestQueue
from gem_core.flows.manage_jobs import JobManager

_READERS = 10
"""Jobs that are read at the same time."""
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Unread:
    """A job of which nothing can be said."""

    job_run_id: str
    reason: str


def delivered_outputs(manager: JobManager) -> Iterator[DeliveredOutput | Unread]:
    """The outputs that the last manifests of all jobs are about, in the order of the jobs' ids.

    Jobs without an output of known columns are left out.

    Raises:
        StoreError: storage failed.

    """
    audited = {str(outcome) for outcome in AUDITED}

    def read(job_run_id: str) -> DeliveredOutput | Unread | None:
        try:
            return _delivered(manager, job_run_id)
        except RecordUnreadable as error:
            return Unread(job_run_id, str(error))

    after: str | None = None
    with ThreadPoolExecutor(_READERS, "read") as pool:
        while True:
            page = manager.registry.page(size=_PAGE, after=after)
            ids = [job.job_run_id for job in page.jobs if job.outcome in audited]
            yield from (found for found in pool.map(read, ids) if found)
            after = page.next_page
            if after is None:
                return


def _delivered(manager: JobManager, job_run_id: str) -> DeliveredOutput | Unread | None:
    stored = manager.registry.get(job_run_id)
    if stored is None or stored.record.outcome not in AUDITED or not stored.record.manifest_id:
        return None
    manifest = manager.outbox.get(job_run_id, stored.record.manifest_id)
    if manifest is None:
        return Unread(job_run_id, "its manifest is not stored")
    return delivered_output(stored.record, manifest)


@dataclass(frozen=True, slots=True)
class Told:
    """What came of telling the listeners of one job."""

    job_run_id: str
    id: str = ""
    """Of the event; empty if no route takes it, or if it could not be stored."""
    to: tuple[str, ...] = ()
    """The routes to which it was sent now."""
    failed: tuple[str, ...] = ()
    """Why it could not be stored, sent or marked. Another run goes on there."""


def send_outdated(
    manager: JobManager,
    queues: Mapping[str, ManifestQueue],
    output: DeliveredOutput,
    release: str,
    changes: Mapping[str, Any],
) -> Told:
    """Store the event of an outdated job, and send it to the routes that do not have it yet.

    Args:
        manager: the dependencies.
        queues: of the routes that take such events, by name.
        output: what the last manifest of the job says.
        release: the new release.
        changes: how much of the output changed.

    """
    outbox, job_run_id = manager.outbox, output.job_run_id
    if problem := _changed(manager, output):
        return Told(job_run_id, failed=(problem,))
    made = outdated_event(output, release, changes, manager.routes, manager.clock())
    if not made.routes:
        return Told(job_run_id)
    to: list[str] = []
    try:
        event = outbox.keep(job_run_id, made)
        served = outbox.served(job_run_id, event.id)
        # As for a manifest: without any of its routes, it takes those that there are now.
        known = [name for name in event.routes if name in queues] or made.routes
        failed = []
        for name in known:
            if name not in served:
                try:
                    queues[name].send(event.body)
                except StoreError as error:
                    failed.append(f"{name}: {error}")
                else:
                    to.append(name)
        if to:
            outbox.mark_served(job_run_id, event.id, to)
    except StoreError as error:
        return Told(job_run_id, to=tuple(to), failed=(str(error),))
    return Told(job_run_id, event.id, tuple(to), tuple(failed))


def _changed(manager: JobManager, output: DeliveredOutput) -> str:
    """Why the manifest is no longer the job's last one; empty if it is. Advice takes its time."""
    try:
        stored = manager.registry.get(output.job_run_id)
    except (StoreError, RecordUnreadable) as error:
        return str(error)
    same = stored is not None and stored.record.manifest_id == output.manifest_id
    return "" if same else "the job was removed or delivered again meanwhile"
