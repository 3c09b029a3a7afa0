"""A manifest with which an operator tests a listener. Pure."""

from datetime import datetime

from gem_core.deliver.audit_parts import audit_parts
from gem_core.deliver.cloud_event import CloudEvent
from gem_core.deliver.manifest import Links, manifest, whole_event
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord, Settlement

SAMPLE_TYPE = "io.gemcourier.test.v1"
"""A type of its own, so that no listener takes the sample for a job. Its `data` is that of a
manifest."""
SAMPLE_JOB = "send-test"
SAMPLE_SOURCE = "urn:gem-courier:send-test"


def sample_manifest(id_: str, now: datetime) -> CloudEvent:
    """A manifest of a job that does not exist and has no output.

    Args:
        id_: another one for each message, or a listener would drop the second message.
        now: the present time.

    """
    record = JobRecord(SAMPLE_JOB, registered_at=now, due_at=now).settled(Settlement.CANCELLED, now)
    event = whole_event(
        record,
        audit_parts(None, None, record, now),
        id_=id_,
        outcome=Outcome.CANCELLED,
        job_url=SAMPLE_SOURCE,
        links=Links(SAMPLE_SOURCE),
        now=now,
    )
    return manifest(event | {"type": SAMPLE_TYPE}, ())
