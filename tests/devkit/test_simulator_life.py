"""Lives without HTTP: the answer at each moment, and when files are due."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from devkit.simulator.life import (
    CLEAN,
    LIVES,
    Answer,
    Life,
    Trouble,
    Upload,
    answer_at,
    output_uploads,
)

CREATED = datetime(2026, 1, 20, 10, 0, tzinfo=UTC)
LIFE = Life("test", queued_for=10, running_for=100)


def after(seconds: float) -> datetime:
    return CREATED + timedelta(seconds=seconds)


def words(life: Life, *ages: float) -> list[str | None]:
    return [answer_at(life, CREATED, after(age)).status for age in ages]


@pytest.mark.parametrize(
    ("name", "final"),
    [
        ("clean", "finished"),
        ("warnings", "finished"),
        ("wrong_statistics", "finished"),
        ("bad_rows", "finished"),
        ("output_missing", "finished"),
        ("late_output", "finished"),
        ("overwritten", "finished"),
        ("slow", "finished"),
        ("flaky", "finished"),
        ("token_expiring", "finished"),
        ("failed", "failed"),
        ("cancelled", "cancelled"),
    ],
)
def test_a_life_goes_from_queued_over_running_to_its_ending(name: str, final: str) -> None:
    life = LIVES[name]
    whole = life.queued_for + life.running_for
    just_before = (0, life.queued_for - 1, life.queued_for, whole - 1)
    assert words(life, *just_before) == ["queued", "queued", "running", "running"]
    assert words(life, whole, whole + 1e6) == [final, final]


def test_progress_is_a_whole_percent_while_running_only() -> None:
    progress = [answer_at(LIFE, CREATED, after(age)).progress for age in (9, 10, 75.5, 109.99, 110)]
    assert progress == [None, 0, 65, 99, None]


def test_modified_moves_with_the_progress_and_stays_after_the_end() -> None:
    assert answer_at(LIFE, CREATED, after(5)) == Answer("queued", CREATED)
    assert answer_at(LIFE, CREATED, after(75.5)) == Answer("running", after(75), 65)
    assert answer_at(LIFE, CREATED, after(500)) == Answer("finished", after(110))


def test_a_vanishing_job_is_unknown_for_good() -> None:
    assert words(LIVES["vanishing"], 179, 180, 1e6) == ["running", None, None]


def test_an_unknown_word_stands_in_for_the_second_half_of_running() -> None:
    life = replace(LIFE, unknown_word="paused")
    assert words(life, 59, 60, 109, 110) == ["running", "paused", "paused", "finished"]
    assert answer_at(life, CREATED, after(80)).progress is None


def test_troubles_come_in_turn_and_then_honest_answers() -> None:
    troubles = [answer_at(LIVES["flaky"], CREATED, after(0), asked=n).trouble for n in range(7)]
    assert troubles == [
        Trouble.SERVER_ERROR,
        Trouble.NO_ANSWER,
        Trouble.RESET,
        Trouble.BROKEN_JSON,
        Trouble.HTML,
        None,
        None,
    ]


def test_the_page_job_is_finished_at_once() -> None:
    assert words(LIVES["page"], 0) == ["finished"]


def test_compressing_shortens_every_duration() -> None:
    life = Life("x", 60, 600, vanishes_after=1200, late_by=120, overwrite_after=300)
    short = life.compressed(60)
    assert (short.queued_for, short.running_for) == (1, 10)
    assert (short.vanishes_after, short.late_by, short.overwrite_after) == (20, 2, 5)
    assert CLEAN.compressed(60).vanishes_after is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ((110, Upload.FIRST),)),
        ({"late_by": 7}, ((117, Upload.FIRST),)),
        ({"overwrite_after": 30}, ((110, Upload.FIRST), (140, Upload.SECOND))),
        ({"output_written": False}, ()),
        ({"vanishes_after": 110}, ()),
    ],
)
def test_outputs_are_due_at_the_end_or_when_the_life_says(
    changes: dict[str, float | bool], expected: tuple[tuple[int, Upload], ...]
) -> None:
    life = replace(LIFE, **changes)  # type: ignore[arg-type]
    assert output_uploads(life, CREATED) == tuple((after(age), which) for age, which in expected)


@pytest.mark.parametrize("name", ["failed", "cancelled", "output_missing", "vanishing"])
def test_lives_without_an_output_have_none_due(name: str) -> None:
    assert output_uploads(LIVES[name], CREATED) == ()
