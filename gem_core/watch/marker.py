"""The marker of an open job: an entry of the worklist, with what a listing must show. Pure.

A marker says when to read the record, and how the job was when its record was last written. So a
tick knows which questions failed, `GET /api/trouble` which records to read, and the board what to
show, without reading all records. Metadata is sent in HTTP headers, so it has only words of this
app, numbers and times, and no text of GEM or of people.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from gem_core.gem.contracts.known import is_known
from gem_core.moments import moment_text, read_lenient_moment
from gem_core.storage.documents import Listed
from gem_core.watch.record import JobRecord, Stage

MARKER_PREFIX = "jobs/"
UNKNOWN = "unknown"
"""The status, when the contract does not have GEM's word."""
_AT_ONCE = datetime.fromtimestamp(0, UTC)
"""When a job is due if its marker has no readable time."""
_SHOWN = ("state", "stage", "status", "contract", "since", "failures", "notfound")
"""The metadata that is about the job; the rest is about the marker."""


class JobState(StrEnum):
    """The state of an open job, as far as it does not depend on the time."""

    FINE = "fine"
    """GEM answers, or was not asked yet."""
    NOT_ANSWERED = "not_answered"
    """GEM gave no usable answer to the last question."""
    REFUSED = "refused"
    """GEM answered 401 or 403, and no other job showed whether that is about this job alone."""
    NOT_FOUND = "not_found"
    UNKNOWN_STATUS = "unknown_status"
    SETTLED = "settled"
    """The delivery has not ended."""
    UNREADABLE = "unreadable"
    """The record is not valid, or a newer version of the app wrote it."""
    CLOSED = "closed"
    """A tick found no open record. The marker goes when it is old, see `JobRegistry.close`."""

    @property
    def has_failed(self) -> bool:
        """Whether the last question failed. Such jobs share a part of the places of a run."""
        return self in {JobState.NOT_ANSWERED, JobState.REFUSED}


def state_of(record: JobRecord) -> JobState:
    """The state that a record says."""
    if record.stage is not Stage.WATCHING:
        return JobState.SETTLED
    if record.failures:
        return JobState.NOT_ANSWERED
    if record.not_found:
        return JobState.NOT_FOUND
    if record.job and record.job.status is None:
        return JobState.UNKNOWN_STATUS
    return JobState.FINE


def marker_words(record: JobRecord) -> dict[str, str]:
    """What a marker shows of its job.

    Returns:
        `state` and `stage`. `status` and `contract`, if GEM has answered. `since`: when the
        present stage began. If there are any, `failures` and `notfound`: how many answers in a
        row were not usable, or were 404.

    """
    status = (record.job.status or UNKNOWN) if record.job else None
    words = {
        "state": state_of(record),
        "stage": record.stage,
        "status": status,
        "contract": record.job.contract if record.job and is_known(record.job) else None,
        "since": moment_text(_stage_began(record)),
        "failures": str(record.failures or ""),
        "notfound": str(record.not_found or ""),
    }
    return {name: word for name, word in words.items() if word}


def _stage_began(record: JobRecord) -> datetime:
    if record.stage is Stage.WATCHING:
        return record.registered_at
    return record.redelivered_at or record.settled_at or record.registered_at


@dataclass(frozen=True, slots=True)
class OpenJob:
    """An entry of the worklist: an open job and its marker."""

    job_run_id: str
    due_at: datetime
    marked_at: datetime
    """When the marker was written, by storage's clock; claims do not change this time."""
    etag: str
    """The marker's ETag: only this version may be deleted or claimed."""
    shown: Mapping[str, str] = field(default_factory=dict, compare=False)
    """What the marker shows of the job, see `marker_words`; from a batch only the state."""

    @property
    def state(self) -> JobState | None:
        """None: the marker does not say it, because an older version wrote it."""
        return next((state for state in JobState if state == self.shown.get("state")), None)

    @property
    def has_failed(self) -> bool:
        """Whether the last question about the job failed, as far as the marker says."""
        return self.state is not None and self.state.has_failed

    def showing(self, record: JobRecord) -> "OpenJob":
        """The entry, with a marker that shows this record when it is written the next time."""
        return replace(self, shown=marker_words(record))

    def in_state(self, state: JobState | None) -> "OpenJob":
        """The entry in this state; as it is with None."""
        return replace(self, shown={**self.shown, "state": state.value}) if state else self

    def metadata(self) -> dict[str, str]:
        """What its marker says when it is claimed."""
        times = {"due": moment_text(self.due_at), "marked": moment_text(self.marked_at)}
        return {**self.shown, **times}


def first_metadata(record: JobRecord) -> dict[str, str]:
    """What the marker of a record says until it is claimed. Storage keeps when it was written."""
    return {**marker_words(record), "due": moment_text(record.due_at)}


def read_marker(marker: Listed) -> OpenJob:
    """Read a marker in a listing. What cannot be read is as if it was absent."""
    said = marker.metadata
    return OpenJob(
        marker.name.removeprefix(MARKER_PREFIX),
        read_lenient_moment(said.get("due")) or _AT_ONCE,
        read_lenient_moment(said.get("marked")) or marker.last_modified,
        marker.etag,
        {name: said[name] for name in _SHOWN if name in said},
    )
