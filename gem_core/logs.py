"""Writes one log line for each event: its name and facts, as JSON in the message.

Edge: the process's log, and the clock for lines that are logged later than they are written.

The facts are in the message because the Functions host passes no extra fields of a log record to
Application Insights. The host drops a line of a thread that it did not start, because it does not
know to which invocation the line belongs. So threads of the app hand their lines over
(`ThreadLines`). Never log a secret; a `gem_core.secret.Secret` appears as ***.
"""

import json
import logging
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from queue import SimpleQueue
from typing import Any

from gem_core.failure import chain
from gem_core.moments import moment_text

_LOGGER = logging.getLogger("gem_core")


class Event(StrEnum):
    """Every event that the app logs. Alerts and dashboards use these names."""

    JOB_REGISTERED = "job_registered"
    JOBS_LISTED = "jobs_listed"
    JOB_DISCOVERED = "job_discovered"
    DISCOVERY_FAILED = "discovery_failed"
    OLD_DELETED = "old_deleted"
    """A tick deleted documents of jobs that were delivered more than GEM_KEEP_DAYS ago."""
    OLD_NOT_DELETED = "old_not_deleted"
    JOB_FORGOTTEN = "job_forgotten"
    """A request deleted the job, or a tick deleted the old marker of a job without a record."""
    JOB_CHECKED = "job_checked"
    JOB_NOT_FOUND = "job_not_found"
    JOB_NOT_ANSWERED = "job_not_answered"
    JOB_SETTLED = "job_settled"
    JOB_DRIFTED = "job_drifted"
    """GEM's answer differs from its documentation: an unknown status, a field of a wrong type."""
    JOB_CHANGED_AFTER_SETTLEMENT = "job_changed_after_settlement"
    """GEM reports another status than the one by which the job was settled; nothing changes."""
    TICKET_REPEATED = "ticket_repeated"
    """A settled job was not delivered in time, so its ticket was raised again."""
    RECORD_CONFLICT = "record_conflict"
    RECORD_UNREADABLE = "record_unreadable"
    JOB_CHECK_CRASHED = "job_check_crashed"
    TICK_STARTED = "tick_started"
    TICK_ENDED = "tick_ended"
    TICK_STOPPED = "tick_stopped"
    """GEM refused the key or the token, so this tick or batch sent no more requests."""
    POISON_NOT_COUNTED = "poison_not_counted"
    POISON_REPLAYED = "poison_replayed"
    """An operator replayed a message of a poison queue."""
    POISON_REMOVED = "poison_removed"
    """A tick deleted a message of a poison queue, because nothing is to be done for it any more."""
    BATCH_CHECKED = "batch_checked"
    BATCH_POSTPONED = "batch_postponed"
    """Other runs hold all leases of the rate limiter, so the batch went back to the queue."""
    BATCH_LATE = "batch_late"
    """A batch arrived so late that its jobs are due again; it was dropped."""
    DURATIONS_NOT_KEPT = "durations_not_kept"
    """The durations of jobs could not be read or stored; the age of a job decides when GEM is
    asked."""
    BLOB_IGNORED = "blob_ignored"
    """An event came about a blob that is not a ticket; nothing was done."""
    DELIVERY_SKIPPED = "delivery_skipped"
    DELIVERY_POSTPONED = "delivery_postponed"
    """A delivery failed for a reason that may pass, or must wait; it is tried again."""
    DELIVERY_STILL_POSTPONED = "delivery_still_postponed"
    """The same after more than an hour, instead of `delivery_postponed`: a person must look."""
    OUTPUT_CHANGED = "output_changed"
    OUTPUT_AUDITED = "output_audited"
    AUDIT_PROCESS_ENDED = "audit_process_ended"
    """An audit ended without a verdict; it is tried again, or something is concluded."""
    REPORT_PAGE_FAILED = "report_page_failed"
    """The page of a report could not be made or stored; the manifest is sent without it."""
    FAILURES_NOT_KEPT = "failures_not_kept"
    """The failing rows could not be written or stored; the manifest is sent without them."""
    MANIFEST_SENT = "manifest_sent"
    ROUTE_DROPPED = "route_dropped"
    """An operator ended the attempts to send a manifest to a route that fails."""
    DELIVERY_NOT_LISTED = "delivery_not_listed"
    """The manifest was sent, and could not be added to the list that the board shows."""
    REQUEST_REFUSED = "request_refused"
    REQUEST_FAILED = "request_failed"


_WARNINGS = {
    Event.JOB_NOT_FOUND,
    Event.JOB_NOT_ANSWERED,
    Event.TICKET_REPEATED,
    Event.POISON_NOT_COUNTED,
    Event.BATCH_LATE,
    Event.BLOB_IGNORED,
    Event.DURATIONS_NOT_KEPT,
    Event.DELIVERY_POSTPONED,
    Event.OUTPUT_CHANGED,
    Event.AUDIT_PROCESS_ENDED,
    Event.REPORT_PAGE_FAILED,
    Event.FAILURES_NOT_KEPT,
    Event.DELIVERY_NOT_LISTED,
}
_ERRORS = {
    Event.JOB_DRIFTED,
    Event.JOB_CHANGED_AFTER_SETTLEMENT,
    Event.RECORD_UNREADABLE,
    Event.JOB_CHECK_CRASHED,
    Event.TICK_STOPPED,
    Event.DELIVERY_STILL_POSTPONED,
    Event.REQUEST_FAILED,
}


@dataclass(frozen=True, slots=True)
class _Line:
    level: int
    text: str

    def write(self) -> None:
        _LOGGER.log(self.level, "%s", self.text)


_HAND_OVER: ContextVar[Callable[[_Line], None] | None] = ContextVar("hand_over", default=None)
"""Where the lines of this thread go; None: into the log. A new thread begins with None."""


def log(event: Event, *, traceback: bool = False, **facts: Any) -> None:  # noqa: ANN401 - any JSON value
    """Write one event, at its level.

    Args:
        event: what happened.
        traceback: whether to add the fact `chain`: types, files and lines of the exception that is
            being handled. Its text is not logged, since a library may have written it.
        **facts: JSON values, times and enums; names are in snake_case and end with their unit.

    """
    level = (
        logging.ERROR
        if event in _ERRORS
        else logging.WARNING
        if event in _WARNINGS
        else logging.INFO
    )
    if not _LOGGER.isEnabledFor(level):
        return
    named = {"event": event, **facts}
    if traceback and (error := sys.exception()):
        named["chain"] = chain(error)
    hand_over = _HAND_OVER.get()
    if hand_over:
        named["at"] = datetime.now(UTC)
        hand_over(_Line(level, _as_json(named)))
    else:
        _Line(level, _as_json(named)).write()


class ThreadLines:
    """The lines of a pool's threads. The thread that waits for the pool logs them.

    Such a line has the fact `at`: when the event happened.
    """

    def __init__(self) -> None:
        self._lines: SimpleQueue[_Line | None] = SimpleQueue()

    def hand_over(self) -> None:
        """From now on, hand over what this thread logs. This is the initializer of the pool."""
        _HAND_OVER.set(self._lines.put)

    def log_until_done(self, work: Sequence[Future[Any]]) -> None:
        """Log the lines as they come. Returns when all work is done and all its lines are logged.

        All work must run in threads that hand over their lines.
        """
        for each in work:
            each.add_done_callback(lambda _: self._lines.put(None))
        running = len(work)
        while running:
            line = self._lines.get()
            if line:
                line.write()
            else:
                running -= 1


def _as_json(facts: dict[str, Any]) -> str:
    return json.dumps(facts, default=_plain)


def _plain(value: object) -> str:
    return moment_text(value) if isinstance(value, datetime) else str(value)
