"""Audits are counted correctly, also when others are counted at the same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from gem_core.deliver.attempts import Attempts
from gem_core.errors import OutputUnreachable, RecordConflict, StoreError
from gem_core.watch.record import JobRecord
from tests.builders import new_record
from tests.fakes import START, Killed, MemoryDocuments, Trap

RECORD = new_record()
LATER = START + timedelta(minutes=1)


def audit(attempts: Attempts, record: JobRecord = RECORD, etag: str = "E1") -> int:
    """Run an audit that ends without an error; returns its count."""
    with attempts.counted(record, etag) as begun:
        return begun


def fail(attempts: Attempts, error: BaseException | None = None) -> None:
    """Run an audit that ends with an error; by default the process dies."""
    raised = error or Killed()
    with suppress(type(raised)), attempts.counted(RECORD, "E1"):
        raise raised


def test_an_audit_that_ends_leaves_no_count() -> None:
    documents = MemoryDocuments()
    attempts = Attempts(documents)
    assert [audit(attempts) for _ in range(3)] == [1, 1, 1]
    assert documents.names() == []


def test_audits_that_never_ended_stay_counted() -> None:
    attempts = Attempts(MemoryDocuments())
    for _ in range(3):
        fail(attempts)
    assert [audit(attempts), audit(attempts)] == [4, 4]


@pytest.mark.parametrize(
    ("error", "count"),
    [(OutputUnreachable("503"), 1), (StoreError("503"), 1), (ValueError("unexpected"), 2)],
)
def test_an_error_of_storage_does_not_count_and_any_other_does(
    error: Exception, count: int
) -> None:
    attempts = Attempts(MemoryDocuments())
    fail(attempts, error)
    assert audit(attempts) == count


def test_a_count_belongs_to_one_output_one_redelivery_and_one_registration() -> None:
    attempts = Attempts(MemoryDocuments())
    fail(attempts)
    others = (
        (RECORD, "E2"),
        (replace(RECORD, redelivered_at=LATER), "E1"),
        (new_record(at=LATER), "E1"),
        (new_record("job-2"), "E1"),
    )
    assert [audit(attempts, *other) for other in others] == [1, 1, 1, 1]
    assert audit(attempts) == 2


def test_a_usual_audit_costs_two_requests() -> None:
    trap = Trap()
    audit(Attempts(trap.around(MemoryDocuments(), "outbox")))
    assert trap.calls == ["outbox.create", "outbox.delete"]


def overtake(documents: MemoryDocuments, call: str, act: Callable[[], object]) -> None:
    """Let another process do `act` just before the next such call takes effect."""
    real, left = getattr(documents, call), [act]

    def late(*args: object, **options: object) -> object:
        if left:
            left.pop()()
        return real(*args, **options)

    setattr(documents, call, late)


@pytest.mark.parametrize(("call", "deaths"), [("create", 0), ("replace", 1)])
def test_two_audits_that_begin_at_the_same_time_count_two(call: str, deaths: int) -> None:
    documents = MemoryDocuments()
    attempts = Attempts(documents)
    for _ in range(deaths):
        fail(attempts)
    overtake(documents, call, lambda: fail(attempts))
    assert audit(attempts) == deaths + 2


@pytest.mark.parametrize(("call", "deaths"), [("delete", 0), ("replace", 1)])
def test_an_audit_that_begins_while_another_ends_is_counted(call: str, deaths: int) -> None:
    documents = MemoryDocuments()
    attempts = Attempts(documents)
    for _ in range(deaths):
        fail(attempts)
    with attempts.counted(RECORD, "E1"):
        overtake(documents, call, lambda: fail(attempts))
    assert audit(attempts) == deaths + 2


@pytest.mark.parametrize("deaths", [0, 1])
def test_two_audits_that_end_at_the_same_time_count_two(deaths: int) -> None:
    documents = MemoryDocuments()
    attempts = Attempts(documents)
    for _ in range(deaths):
        fail(attempts)
    with attempts.counted(RECORD, "E1"):
        other = attempts.counted(RECORD, "E1")
        other.__enter__()
        overtake(documents, "replace", lambda: other.__exit__(None, None, None))
    assert audit(attempts) == deaths + 1


def test_an_audit_that_ends_after_the_job_was_forgotten_changes_nothing() -> None:
    documents = MemoryDocuments()
    with Attempts(documents).counted(RECORD, "E1"):
        (name,) = documents.names()
        documents.delete(name)
    assert documents.names() == []


def test_many_audits_at_the_same_time_leave_the_count_of_unfinished_ones() -> None:
    attempts = Attempts(MemoryDocuments())
    fail(attempts)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(audit, [attempts] * 200))
    assert audit(attempts) == 2


@pytest.mark.parametrize("call", ["create", "replace", "delete"])
def test_a_write_repeated_by_the_sdk_changes_the_count_by_at_most_one(
    call: str,
) -> None:
    """The first try arrived, but its answer was lost. The second try finds what the first wrote."""
    documents = MemoryDocuments()
    attempts = Attempts(documents)
    real, left = getattr(documents, call), [RecordConflict("ConditionNotMet")]

    def twice(*args: object, **options: object) -> object:
        answer = real(*args, **options)
        if left:
            raise left.pop()
        return answer

    setattr(documents, call, twice)
    audit(attempts)
    fail(attempts)
    fail(attempts)
    audit(attempts)
    assert abs(audit(attempts) - 3) <= 1


def test_the_start_of_the_wait_does_not_change() -> None:
    attempts = Attempts(MemoryDocuments())
    assert attempts.waiting_since(RECORD, START) == START
    assert attempts.waiting_since(RECORD, LATER) == START
    again = replace(RECORD, redelivered_at=LATER)
    assert attempts.waiting_since(again, LATER) == LATER


def test_the_wait_starts_now_when_the_job_was_forgotten_just_now() -> None:
    class Vanishing(MemoryDocuments):
        def get(self, name: str) -> None:
            self.delete(name)

    attempts = Attempts(Vanishing())
    attempts.waiting_since(RECORD, START)
    assert attempts.waiting_since(RECORD, LATER) == LATER
