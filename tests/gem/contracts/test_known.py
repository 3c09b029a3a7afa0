"""Each job is read in its contract; a contract of a newer version is kept and concludes nothing."""

import pytest

from gem_core.errors import GemAnswerError, RecordUnreadable
from gem_core.gem.contracts import known
from gem_core.gem.contracts.contract import Contract
from gem_core.gem.contracts.layout import Role
from gem_core.gem.contracts.members import Statistic
from gem_core.gem.job import JobStatus
from tests.builders import JOB, job, page_answer

NEWER = {"job_id": JOB, "state": "DONE"}


@pytest.mark.parametrize("contract", known.CONTRACTS.values(), ids=lambda each: each.name)
def test_a_contract_is_complete(contract: Contract) -> None:
    assert known.CONTRACTS[contract.name] is contract
    words = contract.words.split(", ")
    assert {contract.status(word) for word in words} == set(JobStatus)
    assert {Role.ID, Role.GERS_ID, Role.CONFIDENCE} <= set(contract.layout.columns)
    assert set(contract.figures.names) == set(Statistic)


def test_the_job_of_the_page_is_asked_about_and_read_in_one_contract() -> None:
    assert known.DEFAULT.name == "x-version-1"
    assert known.contract_of(job()) is known.DEFAULT


def test_a_stored_answer_is_read_in_its_contract() -> None:
    answer = page_answer("finished")
    found = known.read_stored(answer, job_run_id=JOB, contract="x-version-1")
    assert found == known.read(answer, job_run_id=JOB)
    with pytest.raises(GemAnswerError, match="the answer is about"):
        known.read_stored(answer, job_run_id="another", contract="x-version-1")


def test_an_answer_in_an_unknown_contract_is_kept_whole_and_means_nothing() -> None:
    found = known.read_stored(NEWER, job_run_id=JOB, contract="of-tomorrow")
    assert (found.job_run_id, found.contract, found.answer) == (JOB, "of-tomorrow", NEWER)
    assert (found.status, found.output_name, found.input_name) == (None, None, None)
    assert found.drift == (
        "GEM answered in the contract 'of-tomorrow', which this version does not know",
    )
    assert known.status_in(found, "finished") is None


def test_nothing_can_be_concluded_in_an_unknown_contract() -> None:
    found = known.read_stored(NEWER, job_run_id=JOB, contract="of-tomorrow")
    assert not known.is_known(found)
    with pytest.raises(RecordUnreadable, match="'of-tomorrow', which this version does not"):
        known.contract_of(found)


@pytest.mark.parametrize("answer", [None, [], "text", 7])
def test_an_answer_in_an_unknown_contract_is_an_object_too(answer: object) -> None:
    with pytest.raises(GemAnswerError, match="expected a JSON object"):
        known.read_stored(answer, job_run_id=JOB, contract="of-tomorrow")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("running", JobStatus.RUNNING),
        ("IN_PROGRESS", JobStatus.RUNNING),
        ("Canceled", JobStatus.CANCELLED),
        ("paused", None),
        ("", None),
    ],
)
def test_a_word_of_the_history_is_understood_in_any_contract(
    word: str, status: JobStatus | None
) -> None:
    assert known.status_in(job(), word) is status


def test_the_promised_output_needs_an_input() -> None:
    assert job(inputFileName="a/b.parquet").promised_output == "a/b_matched.parquet"
    assert job(inputFileName=None).promised_output is None
