"""The contracts that this version knows, and how the contract of a job is found. Pure."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gem_core.errors import GemAnswerError, RecordUnreadable
from gem_core.gem.contracts.contract import Contract
from gem_core.gem.contracts.figures import OLDEST, Figures
from gem_core.gem.contracts.layout import Layout, choose_layout
from gem_core.gem.contracts.members import Statistic
from gem_core.gem.contracts.other_layouts import LANE_LEVEL, TECHNICAL_PAGE
from gem_core.gem.contracts.reader import read_job
from gem_core.gem.contracts.unversioned import UNVERSIONED
from gem_core.gem.contracts.x_version_1 import X_VERSION_1
from gem_core.gem.job import GemJob, JobStatus
from gem_core.gem.reading import Redact, read_answer

if TYPE_CHECKING:
    from gem_core.gem.contracts.percent import Percent

DEFAULT = X_VERSION_1
"""What GEM is asked in first. Also what an answer is read in that was stored without the name of
its contract: those who stored it knew no other."""

CONTRACTS = {contract.name: contract for contract in (X_VERSION_1, UNVERSIONED)}

OTHER_LAYOUTS = (TECHNICAL_PAGE, LANE_LEVEL)

PAGES_NAMES = ("predictions.parquet",)
"""Names of outputs on pages that belong to no contract ("Quick reference")."""


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
    """What GEM's word for a status means: in the job's contract, or else in another one."""
    if not is_known(job):
        return None
    contract = contract_of(job)
    return next(
        (status for each in (contract, *_others(contract)) if (status := each.status(word))), None
    )


def read(
    answer: object,
    *,
    job_run_id: str | None = None,
    redact: Redact = str,
    asked_in: Contract = DEFAULT,
) -> GemJob:
    """Read an answer in the contract that it is in: the one that has most of its members.

    Args:
        answer: any JSON value.
        job_run_id: the job that was asked about; None takes the job that the answer names.
        redact: replaces secrets in every text of the answer.
        asked_in: the contract of the question, which decides if the members do not.

    Raises:
        GemAnswerError: it is not a JSON object, is about another job, or has no status.

    """
    names = {*read_answer(answer)}

    def fits(contract: Contract) -> tuple[int, bool]:
        return len(contract.members.names & names), contract is asked_in

    contract = max(CONTRACTS.values(), key=fits)
    return read_job(contract, _others(contract), answer, job_run_id=job_run_id, redact=redact)


def read_list(answer: object, *, redact: Redact = str) -> tuple[GemJob, ...]:
    """The jobs of a list that can be read. Nothing may be concluded from those that are absent.

    Raises:
        GemAnswerError: it is not an object with a list of jobs.

    """
    items = read_answer(answer).get("jobs")
    if not isinstance(items, list):
        raise GemAnswerError("the answer has no list of jobs")
    jobs = []
    for item in items:
        with suppress(GemAnswerError):
            jobs.append(read(item, redact=redact))
    return tuple(jobs)


def read_stored(answer: object, *, job_run_id: str, contract: str) -> GemJob:
    """A stored answer, read in the contract of that name.

    If this version does not know the contract, the job has its id, its answer, and nothing else.

    Raises:
        GemAnswerError: it is not an answer about this job.

    """
    if found := CONTRACTS.get(contract):
        return read_job(found, _others(found), answer, job_run_id=job_run_id)
    received = read_answer(answer)
    return GemJob(job_run_id, contract, "", received, drift=(_unknown(contract),))


def layout_of(job: GemJob, columns: Collection[str]) -> Layout | None:
    """The layout of an output with these columns; None when this version does not know it.

    Raises:
        RecordUnreadable: this version does not know the contract.

    """
    contract = contract_of(job)
    others = (*(each.layout for each in _others(contract)), *OTHER_LAYOUTS)
    return choose_layout(contract.layout, others, {*columns})


def other_outputs(job: GemJob) -> tuple[str, ...]:
    """The names that GEM's pages give to an output, without the one that the job leads to."""
    patterns = [each.output_name for each in CONTRACTS.values()] if job.input_name else []
    names = (*(name_of(job.input_name or "") for name_of in patterns), *PAGES_NAMES)
    return tuple(name for name in names if name != (job.output_name or job.promised_output))


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the job's statistics."""

    name: str
    """In GEM's answer."""
    value: object
    """As received; None when it is absent."""
    figures: Figures
    """Where it has this name."""

    def share(self) -> "Percent":
        """The figure as a share. Raises ValueError."""
        try:
            return self.figures.read_share(self.value)
        except ValueError as error:
            for each in CONTRACTS.values():
                if isinstance(self.value, str):  # a percent sign has one meaning under every name
                    with suppress(ValueError):
                        return each.figures.read_share(self.value)
            raise error from None


def figure(job: GemJob, statistic: Statistic) -> Figure:
    """A figure, by its name in the job's contract, or else in another one or the oldest pages."""
    contract = CONTRACTS.get(job.contract, DEFAULT)
    own = contract.figures
    for figures in (own, *(each.figures for each in _others(contract)), OLDEST):
        name = figures.names.get(statistic, "")
        if (value := job.statistics.get(name)) is not None:
            return Figure(name, value, figures)
    return Figure(own.names[statistic], None, own)


def _others(contract: Contract) -> tuple[Contract, ...]:
    return tuple(each for each in CONTRACTS.values() if each is not contract)


def _unknown(contract: str) -> str:
    return f"GEM answered in the contract {contract[:40]!r}, which this version does not know"
