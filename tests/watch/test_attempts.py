"""What the runs of a delivery leave in its record."""

from datetime import timedelta

import pytest

from gem_core.watch.attempts import MAX_REASON, TROUBLE_AFTER, Attempts
from gem_core.watch.schedule import POSTPONED_FIRST, POSTPONED_MOST, next_try
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
    once = Attempts().postponed("storage answered 503", START)
    last = once.postponed("x" * 9999, LATER, ends=LATER).postponement
    assert last
    assert (last.since, last.times, last.ends) == (START, 2, LATER)
    assert last.reason == "x" * MAX_REASON


def test_each_kind_of_wait_has_a_beginning_of_its_own() -> None:
    held = Attempts().postponed("input", START, waits_for="checks")
    held = held.postponed("input", LATER, waits_for="checks")
    held = held.postponed("output", LATER, waits_for="replaced").postponed("queue", LATER)
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
    last = Attempts().postponed("why", START, ends=ends).postponement  # type: ignore[arg-type] # a moment or None
    assert last
    assert last.is_trouble(START + after) is is_trouble


def test_the_wait_of_a_postponed_delivery_doubles_up_to_ten_minutes() -> None:
    waits = [next_try(times, START) - START for times in range(1, 9)]
    assert waits[:2] == [POSTPONED_FIRST, 2 * POSTPONED_FIRST]
    assert waits[-2:] == [POSTPONED_MOST, POSTPONED_MOST]
    assert next_try(100_000, START) == START + POSTPONED_MOST
