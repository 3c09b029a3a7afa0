"""Reads an answer of GEM into neutral words: in one contract, with the words of others. Pure.

An answer may mix two generations. A member or word of another contract is understood as there, and
is a line of drift.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from gem_core.errors import GemAnswerError
from gem_core.gem.contracts.contract import Contract
from gem_core.gem.contracts.figures import OLDEST
from gem_core.gem.contracts.members import Members
from gem_core.gem.job import GemJob, JobStatus
from gem_core.gem.reading import (
    MAX_DRIFT,
    MemberReader,
    Redact,
    json_object,
    moment,
    progress,
    read_answer,
    read_status,
    storable,
    text,
)


def read_job(
    contract: Contract,
    others: Sequence[Contract],
    answer: object,
    *,
    job_run_id: str | None = None,
    redact: Redact = str,
) -> GemJob:
    """Read an answer about a job.

    Strict where a mistake would mean to follow the wrong job. A member that is wrong otherwise is
    None, and a line of drift.

    Args:
        contract: the contract of the answer.
        others: contracts whose words may be mixed in.
        answer: any JSON value.
        job_run_id: the job that was asked about; None takes the job that the answer names.
        redact: replaces secrets in every text of the answer.

    Raises:
        GemAnswerError: it is not a JSON object, is about another job, or has no status.

    """
    received = read_answer(answer)
    id_names = [each.members.job_id for each in (contract, *others)]
    job_run_id = _job_id(received, id_names, job_run_id, redact)
    kept = _with_id(storable(received, redact), id_names, job_run_id)
    status_text = read_status(kept.get(contract.members.status))
    own = contract.members
    read = MemberReader(kept)
    _compare_id(read, contract, others)
    status = contract.status(status_text) or _foreign_status(contract, others, status_text, read)
    member = _Members(read, contract, others)
    input_name = member(lambda names: names.input_name, text)
    return GemJob(
        job_run_id=job_run_id,
        contract=contract.name,
        status_text=status_text,
        answer=kept,
        status=status,
        storage_id=member(lambda names: names.storage_id, text),
        input_name=input_name,
        output_name=member(lambda names: names.output_name, text),
        promised_output=contract.output_name(input_name) if input_name else None,
        matching_type=member(lambda names: names.matching_type, text),
        overture_release=member(lambda names: names.overture_release, text),
        progress=member(lambda names: names.progress, progress),
        created_at=member(lambda names: names.created_at, moment),
        modified_at=member(lambda names: names.modified_at, moment),
        message=member(lambda names: names.message, text),
        statistics=(statistics := read(own.statistics, json_object) or {}),
        drift=(*read.drift, *_foreign_figures(contract, others, statistics)),
    )


def _job_id(
    answer: Mapping[str, Any], names: Sequence[str], asked: str | None, redact: Redact
) -> str:
    """The job of the answer. An id may be a text or an integer."""
    named = [answer[name] for name in names if answer.get(name) is not None]
    texts = [str(each) for each in named if type(each) in {str, int}]
    if asked is None:
        if not texts or len(texts) < len(named) or len({*texts}) > 1:
            raise GemAnswerError(f"the answer has no {names[0]}")
        return texts[0]
    if not named or any(each != asked for each in texts) or len(texts) < len(named):
        shown = redact(str(named[0] if len(named) == 1 else named or None))[:80]
        raise GemAnswerError(f"asked about job {asked!r}, the answer is about {shown!r}")
    return asked


def _with_id(kept: Mapping[str, Any], names: Iterable[str], job_run_id: str) -> Mapping[str, Any]:
    """The answer with its id, which is no secret even when it looks like one."""
    texts = {name for name in names if isinstance(kept.get(name), str)}
    return {**kept, **dict.fromkeys(texts, job_run_id)}


def _compare_id(read: MemberReader, contract: Contract, others: Iterable[Contract]) -> None:
    """Tell an id under the name of another contract, and an integer where a text is promised."""
    own = contract.members
    if not own.integer_ids:
        read(own.job_id, text)
    for each in others:
        if read.has(each.members.job_id):
            read.drift.append(f"{each.members.job_id} is a member of the contract {each.name}")


def _foreign_status(
    contract: Contract, others: Iterable[Contract], word: str, read: MemberReader
) -> JobStatus | None:
    for each in others:
        if status := each.status(word):
            read.drift.append(f"status {word[:40]!r} is a word of the contract {each.name}")
            return status
    read.drift.append(f"status {word[:40]!r} is not one of {contract.words}")
    return None


class _Members:
    """Reads members by their names in each contract; the own name comes first."""

    def __init__(self, read: MemberReader, contract: Contract, others: Sequence[Contract]) -> None:
        self._read = read
        self._own = contract.members
        self._others = others

    def __call__[T](self, name: Callable[[Members], str], convert: Callable[[Any], T]) -> T | None:
        own = name(self._own)
        found = self._read(own, convert) if own else None
        for each in self._others:
            foreign = name(each.members)
            if not foreign or foreign == own or not self._read.has(foreign):
                continue
            self._read.drift.append(f"{foreign} is a member of the contract {each.name}")
            other = self._read(foreign, convert)
            if found is not None and other is not None and other != found:
                self._read.drift.append(f"{own} and {foreign} differ"[:MAX_DRIFT])
            found = other if found is None else found
        return found


def _foreign_figures(
    contract: Contract, others: Iterable[Contract], statistics: Mapping[str, Any]
) -> Iterator[str]:
    own = {*contract.figures.names.values()}
    for figures in (*(each.figures for each in others), OLDEST):
        for name in figures.names.values():
            if name not in own and statistics.get(name) is not None:
                yield f"statistics: {name} is a member of {figures.source}"
