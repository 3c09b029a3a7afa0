"""The contracts that this version knows, and how the contract of a job is found. Pure."""

from gem_core.errors import RecordUnreadable
from gem_core.gem.contracts.contract import Contract
from gem_core.gem.contracts.x_version_1 import X_VERSION_1
from gem_core.gem.job import GemJob, JobStatus
from gem_core.gem.reading import read_answer

DEFAULT = X_VERSION_1
"""What GEM is asked in. Also what an answer is read in that was stored without the name of its
contract: those who stored it knew no other."""

CONTRACTS = {contract.name: contract for contract in (X_VERSION_1,)}


def is_known(job: GemJob) -> bool:
    """Whether this version knows the contract that a job was read in."""
    return job.contract in CONTRACTS


def contract_of(job: GemJob) -> Contract:
    """The contract that a job was read in.

    Raises:
        RecordUnreadable: a newer version of the app read it. Nothing may be concluded from it here.

    """
    if not is_known(job):
        raise RecordUnreadable(_unknown(job.contract))
    return CONTRACTS[job.contract]


def status_in(job: GemJob, word: str) -> JobStatus | None:
    """What GEM's word for a status means in the contract of a job; None when it means nothing."""
    return contract_of(job).statuses.get(word) if is_known(job) else None


def read_stored(answer: object, *, job_run_id: str, contract: str) -> GemJob:
    """A stored answer, read in the contract of that name.

    If this version does not know the contract, the job has its id, its answer, and nothing else.

    Raises:
        GemAnswerError: it is not an answer about this job.

    """
    if found := CONTRACTS.get(contract):
        return found.read(answer, job_run_id=job_run_id)
    received = read_answer(answer)
    return GemJob(job_run_id, contract, "", received, drift=(_unknown(contract),))


def _unknown(contract: str) -> str:
    return f"GEM answered in the contract {contract[:40]!r}, which this version does not know"
