"""The record of one delivery, as a run of `deliver_results` changes it.

Beginning and end of an audit are part of the record. So one write postpones a delivery, or marks it
as delivered, and at the same time ends the count of an audit. If the process dies before that, the
audit stays counted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gem_core.flows.deliverer import Deliverer
from gem_core.logs import Event, log
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord, Settlement, Stage
from gem_core.watch.registry import StoredRecord
from gem_core.watch.schedule import next_ticket

MAX_WAIT = timedelta(minutes=10)
"""How long a manifest waits for the input or the disk. Also how long it waits for an output that is
replaced each time before its manifest is sent. This is longer than most outages, and still short
for an operator who never gave the app the right to read inputs."""


OUTPUT = "output"
"""What a delivery waits for while the output is not there or not whole."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The manifest must wait, because the reason may pass."""

    reason: str
    ends: datetime | None = None
    """When the app stops waiting in any case; None: it waits until the reason has passed."""
    waits_for: str = ""
    """What a wait that has its own beginning is for; the beginning is stored by this word."""
    since: datetime | None = None
    """When that wait began."""
    is_counted: bool = False
    """Whether the audit stays counted as one that never ended."""
    is_route: bool = False
    """Whether only sending has failed."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of sending a manifest to its routes."""

    to: Mapping[str, datetime]
    """When it was sent, by the name of the route."""
    failed: Mapping[str, str]
    """Why it could not be sent, by the name of the route."""

    @property
    def wait(self) -> Wait:
        """The wait for the routes that failed."""
        return Wait("; ".join(self.failed.values()), is_route=True)


def problem_of(record: JobRecord) -> str:
    """What a settled record lacks for a delivery; empty if nothing. The app writes no such."""
    if record.settlement is None:
        return "the record is settled and does not say how the job ended"
    if record.settlement is Settlement.FINISHED and record.job is None:
        return "the record says that the job finished, and has no answer of GEM"
    return ""


def is_early(record: JobRecord, now: datetime) -> bool:
    """Whether the delivery is postponed, and its next ticket was not raised yet.

    The event that began this run is then a late or repeated one of an earlier ticket.
    """
    last = record.attempts.postponement
    return last is not None and record.tickets == 0 and now < last.until


class Delivery:
    """One run of a delivery, and its record."""

    def __init__(self, deliverer: Deliverer, stored: StoredRecord) -> None:
        self.deliverer = deliverer
        self._stored = stored
        last = stored.record.attempts.postponement
        self._times_postponed = last.times if last else 0
        self._audited = ""
        """The ETag of the version whose audit this run has begun last."""

    @property
    def record(self) -> JobRecord:
        """The record as this run read or wrote it last."""
        return self._stored.record

    @property
    def settled_at(self) -> datetime:
        """When the job settled, for the waits that begin there."""
        return self.record.settled_at or self.record.registered_at

    def begin_audit(self, etag: str) -> int | None:
        """Count an audit before it begins, and let the sweep's wait start again.

        Returns:
            How many audits of this version have begun and not ended, with this one. None if nobody
            waits for this delivery any more.

        Raises:
            StoreError: the record could not be read or written.

        """
        now, policy = self.deliverer.clock(), self.deliverer.policy

        def begin(record: JobRecord) -> JobRecord:
            counted = record.with_attempts(record.attempts.audit_begun(etag))
            return counted.due(max(record.due_at, next_ticket(record, now, policy)))

        self._audited = etag
        return self.record.attempts.begun if self._change(begin) else None

    def wait_for(self, word: str, reason: str) -> Wait | None:
        """Wait for a reason to pass; None when this delivery has waited for `MAX_WAIT`.

        Args:
            word: what it waits for. Each word has its own time: a wait for the input leaves the
                time for an output that was replaced.
            reason: a text for people.

        """
        return self._wait(word, reason, self.deliverer.clock(), MAX_WAIT)

    def wait_for_output(self, reason: str) -> Wait | None:
        """Wait for an output that is not there or not whole; None after GEM_OUTPUT_GRACE_MINUTES.

        The grace time begins when the job settled.
        """
        return self._wait(OUTPUT, reason, self.settled_at, self.deliverer.output_grace)

    def _wait(self, word: str, reason: str, began: datetime, lasts: timedelta) -> Wait | None:
        """A wait that begins later than now was begun by a wrong clock: it begins now."""
        now = self.deliverer.clock()
        since = min(self.record.attempts.waits.get(word, began), now)
        ends = since + lasts
        return Wait(reason, ends, word, since) if now < ends else None

    def postpone(self, wait: Wait) -> None:
        """Store when the delivery is tried again, and why.

        Raises:
            StoreError: the record could not be read or written.

        """
        now = self.deliverer.clock()
        if self._change(lambda record: self._postponed(record, wait, now)):
            self._log_postponed(now)

    def mark_sent(self, outcome: Outcome, manifest_id: str, sent: Sent) -> None:
        """Store to which routes the manifest was sent, unless another delivery was requested
        meanwhile: this one may have read the output before that request.

        The job is delivered, or the delivery is postponed for the routes that failed.

        Raises:
            StoreError: the record could not be read or written.

        """
        now, wait = self.deliverer.clock(), sent.wait

        def mark(record: JobRecord) -> JobRecord:
            marked = record.sent(outcome, manifest_id, sent.to, sent.failed, now)
            return self._postponed(marked, wait, now) if marked.stage is Stage.SETTLED else marked

        if self._change(mark):
            self._log_postponed(now)

    def _postponed(self, record: JobRecord, wait: Wait, now: datetime) -> JobRecord:
        held = record.attempts
        if wait.is_counted:
            held = held.audit_unfinished(wait.reason)
        else:
            held = held.audit_ended(self._audited)
        return record.postponed(
            held.postponed(
                wait.reason,
                now,
                before=self._times_postponed,
                ends=wait.ends,
                waits={wait.waits_for: wait.since} if wait.since else {},
                is_route=wait.is_route,
            )
        )

    def watch_again(self, problem: str) -> None:
        """Let a tick ask GEM again, because the record lacks what a delivery needs.

        Raises:
            StoreError: the record could not be read or written.

        """
        now = self.deliverer.clock()
        log(Event.JOB_DRIFTED, job_run_id=self.record.job_run_id, drift=[problem])
        self._change(lambda record: record.watched_again(problem, now))

    def _change(self, how: Callable[[JobRecord], JobRecord]) -> bool:
        changed = self.deliverer.registry.change_delivery(self._stored, how)
        self._stored = changed or self._stored
        return changed is not None

    def _log_postponed(self, now: datetime) -> None:
        record, last = self.record, self.record.attempts.postponement
        if last is None:
            return
        log(
            Event.DELIVERY_STILL_POSTPONED if last.is_trouble(now) else Event.DELIVERY_POSTPONED,
            job_run_id=record.job_run_id,
            due_at=record.due_at,
            since=last.since,
            times=last.times,
            reason=last.reason,
        )
