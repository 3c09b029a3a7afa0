"""Records of a job on its way."""

from gem_core.gem.contracts import known
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord, Settlement
from tests.builders import answer
from tests.fakes import START


def watching(job_run_id: str = "a", status: str = "", progress: float | None = None) -> JobRecord:
    record = JobRecord(job_run_id, START, START)
    if not status:
        return record
    more = {} if progress is None else {"progress": progress}
    job = known.read(answer(status) | {"jobRunId": job_run_id} | more, job_run_id=job_run_id)
    return record.answered(job, START)


def settled(job_run_id: str = "a") -> JobRecord:
    return watching(job_run_id, "finished").settled(Settlement.FINISHED, START)


def delivered(job_run_id: str = "a", outcome: Outcome = Outcome.VALID) -> JobRecord:
    return settled(job_run_id).delivered(outcome, "abc", START)
