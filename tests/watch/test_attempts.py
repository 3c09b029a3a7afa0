"""What the runs of a delivery leave in its record."""

from datetime import timedelta

import pytest

from gem_core.watch.attempts import (
    FIRST_WAIT,
    LONGEST_WAIT,
    MAX_REASON,
    TROUBLE_AFTER,
    Attempts,
)
from tests.fakes import START

LATER = START + timedelta(minutes=1)


def test_audits_that_did_not_end_are_counted_by_version() -> None:
    twice = Attempts().audit_begun("E1").audit_begun("E1")
    assert (twice.etag, twice.begun) == ("E1", 2)
    assert twice.audit_ended("E1").begun == 1
    assert twice.audit_ended("E2") == twice
    replaced = twice.audit_begun("E2")
    assert (replaced.etag, replaced.begun) == ("E2", 1)


def test_more_ends_than_beginnings_leave_no_debt() -> None:
    ended = Attempts().audit_begun("E1").audit_ended("E1").audit_ended("E1")
    assert ended.audit_begun("E1").begun == 1


def test_a_postponement_is_counted_from_the_first() -> None:
    once = Attempts().postponed("storage answered 503", START, before=0)
    last = once.postponed("x" * 9999, LATER, before=1, ends=LATER).postponement
    assert last
    assert (last.since, last.times, last.ends) == (START, 2, LATER)
    assert last.reason == "x" * MAX_REASON


def test_runs_side_by_side_are_postponed_once() -> None:
    """An event that is delivered five times must not make the next wait 16 times as long."""
    held = Attempts()
    for _ in range(5):
        held = held.postponed("storage answered 503", START, before=0)
    assert held.postponement
    assert held.postponement.times == 1


def test_each_kind_of_wait_has_a_beginning_of_its_own() -> None:
    held = Attempts().postponed("input", START, before=0, waits={"checks": START})
    held = held.postponed("input", LATER, before=1, waits={"checks": LATER})
    held = held.postponed("output", LATER, before=2, waits={"replaced": LATER})
    held = held.postponed("queue", LATER, before=3)
    assert held.waits == {"checks": START, "replaced": LATER}


@pytest.mark.parametrize(
    ("ends", "after", "is_trouble"),
    [
        (None, TROUBLE_AFTER, False),
        (None, TROUBLE_AFTER + timedelta(seconds=1), True),
        (START + timedelta(days=1), timedelta(hours=9), False),
    ],
)
def test_a_postponement_without_an_end_is_trouble_after_an_hour(
    ends: object, after: timedelta, *, is_trouble: bool
) -> None:
    last = Attempts().postponed("why", START, before=0, ends=ends).postponement  # type: ignore[arg-type] # a moment or None
    assert last
    assert last.is_trouble(START + after) is is_trouble


def waits(*, ends: timedelta | None = None) -> list[timedelta]:
    """The waits of a delivery that is postponed nine times at the same moment."""
    found = []
    for before in range(9):
        held = Attempts().postponed(
            "why", START, before=before, ends=START + ends if ends else None
        )
        assert held.postponement
        found.append(held.postponement.until - START)
    return found


def test_the_wait_of_a_postponed_delivery_doubles_up_to_ten_minutes() -> None:
    assert waits()[:2] == [FIRST_WAIT, 2 * FIRST_WAIT]
    assert waits()[-3:] == [LONGEST_WAIT] * 3
    last = Attempts().postponed("why", START, before=100_000).postponement
    assert last
    assert last.until == START + LONGEST_WAIT


def test_a_wait_that_ends_is_never_longer() -> None:
    assert waits(ends=timedelta(minutes=1))[-1] == timedelta(minutes=1)
