"""Attempts are counted right, whoever else counts at the same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from gem_core.deliver.attempts import Attempts, Begun
from gem_core.errors import RecordConflict
from tests.builders import new_record
from tests.fakes import START, MemoryDocuments, Trap

RECORD = new_record()
LATER = START + timedelta(minutes=1)


def test_an_attempt_that_ends_leaves_nothing() -> None:
    documents = MemoryDocuments()
    attempts = Attempts(documents)
    for _ in range(3):
        begun = attempts.begin(RECORD, "E1")
        assert begun.count == 1
        attempts.end(begun)
    assert documents.names() == []


def test_those_that_never_ended_stay_counted() -> None:
    attempts = Attempts(MemoryDocuments())
    assert [attempts.begin(RECORD, "E1").count for _ in range(3)] == [1, 2, 3]
    attempts.end(attempts.begin(RECORD, "E1"))
    assert attempts.begin(RECORD, "E1").count == 4


def test_a_count_is_of_one_output_one_request_and_one_registration() -> None:
    attempts = Attempts(MemoryDocuments())
    others = (
        (RECORD, "E2"),
        (replace(RECORD, redelivered_at=LATER), "E1"),
        (new_record(at=LATER), "E1"),
        (new_record("job-2"), "E1"),
    )
    attempts.begin(RECORD, "E1")
    assert [attempts.begin(*other).count for other in others] == [1, 1, 1, 1]
    assert attempts.begin(RECORD, "E1").count == 2


def test_a_usual_attempt_costs_two_requests() -> None:
    trap = Trap()
    attempts = Attempts(trap.around(MemoryDocuments(), "outbox"))
    attempts.end(attempts.begin(RECORD, "E1"))
    assert trap.calls == ["outbox.create", "outbox.delete"]


def begin(attempts: Attempts) -> Begun:
    return attempts.begin(RECORD, "E1")


def overtake(documents: MemoryDocuments, call: str, act: Callable[[], object]) -> None:
    """Somebody else does `act` just before the next such call takes effect."""
    real, left = getattr(documents, call), [act]

    def late(*args: object, **options: object) -> object:
        if left:
            left.pop()()
        return real(*args, **options)

    setattr(documents, call, late)


@pytest.mark.parametrize(("call", "deaths"), [("create", 0), ("replace", 1)])
def test_two_that_begin_at_once_are_two(call: str, deaths: int) -> None:
    documents = MemoryDocuments()
    attempts = Attempts(documents)
    for _ in range(deaths):
        begin(attempts)
    overtake(documents, call, lambda: begin(attempts))
    assert begin(attempts).count == deaths + 2


@pytest.mark.parametrize(("call", "deaths"), [("delete", 0), ("replace", 1)])
def test_one_that_begins_while_another_ends_is_counted(call: str, deaths: int) -> None:
    documents = MemoryDocuments()
    attempts = Attempts(documents)
    for _ in range(deaths):
        begin(attempts)
    begun = begin(attempts)
    overtake(documents, call, lambda: begin(attempts))
    attempts.end(begun)
    assert begin(attempts).count == deaths + 2


@pytest.mark.parametrize(("call", "deaths"), [("replace", 0), ("replace", 1)])
def test_two_that_end_at_once_are_two(call: str, deaths: int) -> None:
    documents = MemoryDocuments()
    attempts = Attempts(documents)
    for _ in range(deaths):
        begin(attempts)
    ending = [begin(attempts), begin(attempts)]
    overtake(documents, call, lambda: attempts.end(ending[0]))
    attempts.end(ending[1])
    assert begin(attempts).count == deaths + 1


def test_one_that_ends_after_the_job_was_forgotten_counts_nothing() -> None:
    documents = MemoryDocuments()
    attempts = Attempts(documents)
    begun = begin(attempts)
    documents.delete(begun.name)
    attempts.end(begun)
    assert documents.names() == []


def test_many_at_once_leave_the_count_of_those_that_never_ended() -> None:
    attempts = Attempts(MemoryDocuments())
    died = attempts.begin(RECORD, "E1")

    def once(_: int) -> None:
        attempts.end(begin(attempts))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(once, range(200)))
    assert begin(attempts).count == died.count + 1


@pytest.mark.parametrize("call", ["create", "replace", "delete"])
def test_a_write_that_storage_repeats_by_itself_makes_one_difference_at_most(call: str) -> None:
    """The first try arrived, its answer did not, and the second meets what the first has done."""
    documents = MemoryDocuments()
    attempts = Attempts(documents)
    real, left = getattr(documents, call), [RecordConflict("ConditionNotMet")]

    def twice(*args: object, **options: object) -> object:
        answer = real(*args, **options)
        if left:
            raise left.pop()
        return answer

    setattr(documents, call, twice)
    attempts.end(begin(attempts))
    for _ in range(2):
        begin(attempts)
    attempts.end(begin(attempts))
    assert abs(begin(attempts).count - 3) <= 1


def test_waiting_has_begun_when_it_first_did() -> None:
    attempts = Attempts(MemoryDocuments())
    assert attempts.waiting_since(RECORD, START) == START
    assert attempts.waiting_since(RECORD, LATER) == START
    again = replace(RECORD, redelivered_at=LATER)
    assert attempts.waiting_since(again, LATER) == LATER


def test_waiting_begins_now_when_the_job_was_forgotten_just_then() -> None:
    class Vanishing(MemoryDocuments):
        def get(self, name: str) -> None:
            self.delete(name)

    attempts = Attempts(Vanishing())
    attempts.waiting_since(RECORD, START)
    assert attempts.waiting_since(RECORD, LATER) == LATER
