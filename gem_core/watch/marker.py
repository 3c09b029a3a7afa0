"""What a marker shows of its job, so that one listing shows every open job. Pure.

Metadata is sent in HTTP headers, so it has only words of this app, numbers and times, and no text
of GEM or of people.
"""

from datetime import datetime

from gem_core.moments import moment_text
from gem_core.watch.record import JobRecord, Stage

UNKNOWN = "unknown"
"""The status, when the contract does not have GEM's word."""


def marker_words(record: JobRecord) -> dict[str, str]:
    """The metadata of a marker beside the time when its job is due.

    Returns:
        `stage`; `status`, if GEM has answered; `since`: when the present stage began; `failures`
        and `notfound`: answers in a row that were not usable, or were 404, if there are any.

    """
    status = (record.job.status or UNKNOWN) if record.job else None
    words = {
        "stage": record.stage,
        "status": status,
        "since": moment_text(_stage_began(record)),
        "failures": str(record.failures or ""),
        "notfound": str(record.not_found or ""),
    }
    return {name: word for name, word in words.items() if word}


def _stage_began(record: JobRecord) -> datetime:
    if record.stage is Stage.WATCHING:
        return record.registered_at
    return record.redelivered_at or record.settled_at or record.registered_at
