"""In which contracts GEM is asked, and what its errors mean together."""

import pytest

from gem_core.errors import (
    GemAnswerError,
    GemError,
    GemForbidden,
    GemJobNotFound,
    GemQuestionRefused,
    GemUnauthorized,
    GemUnavailable,
)
from gem_core.flows.ask_gem import answers_otherwise, ask_gem
from gem_core.gem.contracts.contract import Contract
from gem_core.gem.contracts.unversioned import UNVERSIONED
from gem_core.gem.contracts.x_version_1 import X_VERSION_1
from gem_core.gem.job import IMPOSSIBLE_JOB, GemJob
from tests.builders import JOB, job

PAGE, NEWER = X_VERSION_1.name, UNVERSIONED.name
NONE, BAD, GONE = GemJobNotFound("404"), GemQuestionRefused("400"), GemAnswerError("410")
DOWN, DENIED, UNKNOWN = GemUnavailable("503"), GemForbidden("403"), GemUnauthorized("401")


class TwoContracts:
    """GEM, with an answer for each contract."""

    contracts = (X_VERSION_1, UNVERSIONED)

    def __init__(self, **answers: GemJob | GemError) -> None:
        self._answers = answers
        self.asked: list[str] = []

    def get_job(self, job_run_id: str, contract: Contract) -> GemJob:
        assert job_run_id in {JOB, IMPOSSIBLE_JOB}
        self.asked.append(contract.name)
        answer = self._answers["page" if contract is X_VERSION_1 else "newer"]
        if isinstance(answer, GemError):
            raise answer
        return answer

    def list_jobs(self, contract: Contract) -> tuple[GemJob, ...]:
        raise AssertionError(contract)


def yes() -> bool:
    return True


def test_an_answer_costs_one_question() -> None:
    gem = TwoContracts(page=job(), newer=DOWN)
    assert ask_gem(gem, JOB, None, yes) == job()
    assert gem.asked == [PAGE]


def test_the_contract_that_answered_before_comes_first() -> None:
    gem = TwoContracts(page=DOWN, newer=job())
    assert ask_gem(gem, JOB, NEWER, yes) == job()
    assert gem.asked == [NEWER]


@pytest.mark.parametrize("first", [NONE, BAD, GONE], ids=str)
def test_what_is_not_the_job_is_asked_about_in_the_other_contract(first: GemError) -> None:
    gem = TwoContracts(page=first, newer=job())
    assert ask_gem(gem, JOB, None, yes) == job()
    assert gem.asked == [PAGE, NEWER]


@pytest.mark.parametrize("first", [DOWN, DENIED, UNKNOWN], ids=str)
def test_a_failed_question_is_not_repeated_in_the_other_contract(first: GemError) -> None:
    gem = TwoContracts(page=first, newer=job())
    with pytest.raises(type(first)):
        ask_gem(gem, JOB, None, yes)
    assert gem.asked == [PAGE]


TOGETHER: list[tuple[str | None, GemError, GemError, GemError]] = [
    (None, NONE, NONE, NONE),
    (None, NONE, BAD, NONE),
    (None, NONE, DENIED, NONE),
    (None, NONE, UNKNOWN, NONE),
    (None, NONE, GONE, GONE),
    (None, NONE, DOWN, DOWN),
    (None, BAD, NONE, NONE),
    (None, BAD, BAD, BAD),
    (None, BAD, DOWN, BAD),
    (None, GONE, NONE, GONE),
    (PAGE, NONE, GONE, NONE),
    (PAGE, NONE, DOWN, NONE),
    (PAGE, BAD, NONE, BAD),
    (PAGE, GONE, NONE, GONE),
    (NEWER, GONE, NONE, NONE),
    (NEWER, NONE, BAD, BAD),
]
"""The contract that answered before; the errors in that of the page and in the newer one; the
result."""


@pytest.mark.parametrize(("before", "page", "newer", "result"), TOGETHER, ids=str)
def test_a_404_counts_only_where_it_can_be_true(
    before: str | None, page: GemError, newer: GemError, result: GemError
) -> None:
    with pytest.raises(GemError) as caught:
        ask_gem(TwoContracts(page=page, newer=newer), JOB, before, yes)
    assert caught.value is result


def test_without_time_for_another_question_nothing_is_concluded() -> None:
    gem = TwoContracts(page=NONE, newer=NONE)
    with pytest.raises(GemUnavailable):
        ask_gem(gem, JOB, None, lambda: False)
    assert gem.asked == [PAGE]


@pytest.mark.parametrize("error", [NONE, BAD, GONE, DOWN], ids=str)
def test_whether_gem_answers_at_all(error: GemError) -> None:
    assert answers_otherwise(TwoContracts(page=error), yes) is (error is not DOWN)
    assert answers_otherwise(TwoContracts(page=error), lambda: False) is False


def test_an_access_that_fails_says_so() -> None:
    with pytest.raises(GemForbidden):
        answers_otherwise(TwoContracts(page=DENIED), yes)
