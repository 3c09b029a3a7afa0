"""What is said about a job while somebody waits for it. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gem_core.commands.table import plain, span
from gem_core.moments import moment_text
from gem_core.watch.durations import Durations
from gem_core.watch.expectation import Expectation, expected_end
from gem_core.watch.record import JobRecord, Settlement, Stage


def changed_line(record: JobRecord, known: Durations, now: datetime) -> str:
    """One line about a job that changed."""
    return plain(f"{now:%H:%M:%S} {record.job_run_id}: {_state(record, known, now)}")


def open_line(records: Sequence[JobRecord], known: Durations, now: datetime) -> str:
    """One line about all jobs that are still open."""
    ends = [end.late for record in records if (end := expected_end(record, known))]
    text = f"{len(records)} of the jobs open"
    if ends and max(ends) > now:
        text += f", the last one probably ends in {span(max(ends) - now)}"
    return text


def record_summary(record: JobRecord, known: Durations) -> dict[str, Any]:
    """A job as JSON."""
    job = record.job
    end = expected_end(record, known)
    return {
        "jobRunId": record.job_run_id,
        "stage": record.stage,
        "status": job.status_text if job else None,
        "progress": job.progress if job else None,
        "expectedEnd": _end_json(end),
        "settlement": record.settlement,
        "outcome": record.outcome,
        "manifestId": record.manifest_id,
    }


def _end_json(end: Expectation | None) -> dict[str, str] | None:
    return {"early": moment_text(end.early), "late": moment_text(end.late)} if end else None


def _state(record: JobRecord, known: Durations, now: datetime) -> str:
    if record.stage is Stage.DELIVERED:
        return f"{record.outcome}, manifest {record.manifest_id}"
    if record.stage is Stage.SETTLED:
        if last := record.attempts.postponement:
            return f"{record.settlement}; the delivery is postponed: {last.reason}"
        has_output = record.settlement is Settlement.FINISHED
        return f"{record.settlement}; the app {'audits and ' if has_output else ''}delivers"
    if not record.job:
        return "GEM was not asked yet" if not record.times_checked else "GEM has not answered yet"
    text = record.job.status_text
    if record.job.progress is not None:
        text += f" {record.job.progress:g}%"
    if end := expected_end(record, known):
        text += f", {_ends(end, now)}"
    return text


def _ends(end: Expectation, now: datetime) -> str:
    if end.late <= now:
        return "expected to have ended"
    early, late = (f"{moment:%H:%M}" for moment in (end.early, end.late))
    between = late if early == late else f"{early} to {late}"
    return f"expected to end {between} (in {span(end.late - now)})"
