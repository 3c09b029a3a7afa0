"""Asks GEM about a job: in the contract that has answered about it, and if need be in the others.

`docs/gem.md` has the table.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from gem_core.errors import (
    GemAccessError,
    GemAnswerError,
    GemError,
    GemJobNotFound,
    GemQuestionRefused,
    GemUnavailable,
)
from gem_core.gem.contracts.contract import Contract
from gem_core.gem.job import IMPOSSIBLE_JOB, GemJob


class Gem(Protocol):
    """GEM's API; see `gem.client`."""

    @property
    def contracts(self) -> Sequence[Contract]:
        """The contracts whose questions differ; the first one is asked in first."""
        ...

    def get_job(self, job_run_id: str, contract: Contract) -> GemJob:
        """Get the job as it is now, asked in this contract. Raises GemError."""
        ...

    def list_jobs(self, contract: Contract) -> Sequence[GemJob]:
        """Get the list of all jobs, asked for in this contract. Raises GemError."""
        ...


def ask_gem(
    gem: Gem, job_run_id: str, answered_in: str | None, may_ask: Callable[[], bool]
) -> GemJob:
    """Ask about a job.

    Args:
        gem: GEM's API.
        job_run_id: GEM's id of the job.
        answered_in: the name of the contract in which GEM answered with this job before.
        may_ask: waits until one more question may be asked; False when that is too late.

    Raises:
        GemAccessError: GEM refused the key or the token.
        GemJobNotFound: 404, see `conclude`.
        GemUnavailable: no usable answer now.
        GemAnswerError: an answer that is not the job.

    """
    first, *others = sorted(gem.contracts, key=lambda contract: contract.name != answered_in)
    errors: dict[str, GemError] = {}
    try:
        return gem.get_job(job_run_id, first)
    except (GemJobNotFound, GemAnswerError) as error:
        errors[first.name] = error
    for contract in others:
        if not may_ask():
            errors[contract.name] = GemUnavailable("this run has no time left to ask again")
            break
        try:
            return gem.get_job(job_run_id, contract)
        except GemError as error:
            errors[contract.name] = error
    raise conclude(errors, answered_in)


def conclude(errors: Mapping[str, GemError], answered_in: str | None) -> GemError:
    """What the errors of all contracts mean together, the first one asked in first. Pure.

    A 404 counts in a contract in which GEM has answered with the job before. It also counts when
    the other contracts answer 404 too, or when GEM does not accept their questions at all.
    """
    before = errors.get(answered_in or "")
    if isinstance(before, GemJobNotFound):
        return before
    missing = [each for each in errors.values() if isinstance(each, GemJobNotFound)]
    others = [each for each in errors.values() if not isinstance(each, GemJobNotFound)]
    # A refused key means the same here: the contract that was asked in first accepted it.
    unspoken = (GemQuestionRefused, GemAccessError)
    if missing and before is None and all(isinstance(each, unspoken) for each in others):
        return missing[0]
    return others[0]


def answers_otherwise(gem: Gem, may_ask: Callable[[], bool]) -> bool:
    """Whether GEM answers the question about a job that cannot be.

    Raises:
        GemAccessError: GEM refused the key or the token.

    """
    if not may_ask():
        return False
    try:
        gem.get_job(IMPOSSIBLE_JOB, gem.contracts[0])
    except GemUnavailable:
        return False
    except (GemJobNotFound, GemAnswerError):
        return True
    return True
