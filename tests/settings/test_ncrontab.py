"""Schedules are judged and computed as the host's library does. Its answers were recorded."""

import json
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.settings.ncrontab import Schedule

RECORDED: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data" / "ncrontab" / "occurrences.json").read_text("utf-8")
)
FROM = datetime.fromisoformat(RECORDED["from"])
ANSWERS: dict[str, list[str] | str] = RECORDED["answers"]
"""By expression: the next five occurrences, or the error."""
STRICTER = {"*/0 * * * * *", "0 5/0 * * * *", "0 */-5 * * * *", "0 */+5 * * * *"}
"""NCrontab gives these a meaning that nobody would guess; the app refuses them."""


def occurrences(schedule: Schedule, after: datetime) -> list[datetime]:
    found = [after]
    for _ in range(5):
        found.append(schedule.after(found[-1]))
    return found[1:]


def test_at_least_200_answers_are_recorded() -> None:
    assert len(ANSWERS) >= 200


@pytest.mark.parametrize("expression", ANSWERS, ids=ascii)
def test_a_schedule_means_what_it_means_to_the_host(expression: str) -> None:
    answer = ANSWERS[expression]
    if isinstance(answer, str) or not answer or expression in STRICTER:
        with pytest.raises(ValueError, match=r"^(?:it|the|no) "):
            Schedule.parse(expression)
        return
    got = occurrences(Schedule.parse(expression), FROM)
    assert [moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in got] == answer


def test_what_only_the_app_refuses_is_listed() -> None:
    assert all(isinstance(ANSWERS[expression], list) for expression in STRICTER)


@pytest.mark.parametrize("text", ["0 * * * * *\n", "0\u00a0* * * * *", "0 * * * * \u0661", ""])
def test_blanks_and_digits_of_other_kinds_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        Schedule.parse(text)


@pytest.mark.parametrize("weekday", range(7))
def test_the_rarest_days_are_found(weekday: int) -> None:
    """29 February falls on each day of the week; around 2100 it takes forty years at most."""
    leap_days = Schedule.parse(f"0 0 0 29 2 {weekday}")
    found = leap_days.after(datetime(2096, 2, 29, tzinfo=UTC))
    assert (found.month, found.day, found.isoweekday() % 7) == (2, 29, weekday)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1)), st.integers(0, 999_999))  # noqa: DTZ001 - hypothesis takes naive limits
def test_an_occurrence_is_later_and_a_whole_second(moment: datetime, microsecond: int) -> None:
    schedule = Schedule.parse("*/7 3-50/9 * * * *")
    for seen in islice(occurrences(schedule, moment.replace(microsecond=microsecond)), 2):
        assert seen > moment.replace(microsecond=0)
        assert seen.microsecond == 0
        assert seen - moment < timedelta(minutes=60)
