"""Tables for people: aligned, within the width, and without control characters."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.commands.table import Column, age, plain, span, table
from tests.fakes import START

COLUMNS = (Column("JOB"), Column("STAGE", 8), Column("PROBLEM"))


def test_a_table_is_aligned() -> None:
    rows = [("job-1", "watching", "none"), ("a-longer-id", "settled", "GEM answered 500")]
    assert table(COLUMNS, rows, width=80) == [
        "JOB          STAGE     PROBLEM",
        "job-1        watching  none",
        "a-longer-id  settled   GEM answered 500",
    ]


def test_long_cells_are_cut_except_those_that_people_copy() -> None:
    rows = [("j" * 60, "a very long stage", "p" * 100)]
    (_, line) = table(COLUMNS, rows, width=90)
    assert line == f"{'j' * 60}  a ver...  {'p' * 15}..."
    assert len(line) == 90


def test_in_a_narrow_terminal_the_last_column_has_lines_of_its_own() -> None:
    lines = table(COLUMNS, [("j" * 60, "watching", "p" * 100)], width=80)
    assert lines == [
        f"JOB{' ' * 59}STAGE",
        "    PROBLEM",
        f"{'j' * 60}  watching",
        f"    {'p' * 73}...",
    ]
    assert table(COLUMNS, [("j" * 60, "s", "p" * 100)], width=10)[-1] == "    ppppppppp..."


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), max_size=4), st.integers(1, 200))
def test_any_text_stays_in_its_line(rows: list[tuple[str, str, str]], width: int) -> None:
    lines = table(COLUMNS, rows, width=width)
    assert len(lines) in {len(rows) + 1, 2 * len(rows) + 2}
    for line in lines:
        assert line.isprintable()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("\u202eabc", "\\u202eabc"),
        ("\x9b31m", "\\x9b31m"),
        ("\ud800", "\\ud800"),
        ("stra\xdfe", "stra\xdfe"),
    ],
    ids=ascii,
)
def test_no_text_controls_a_terminal(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (timedelta(0), "0s"),
        (timedelta(seconds=59.9), "59s"),
        (timedelta(minutes=5, seconds=59), "5m"),
        (timedelta(hours=3, minutes=4, seconds=5), "3h 4m"),
        (timedelta(days=40, minutes=4), "40d 4m"),
    ],
    ids=str,
)
def test_a_span_has_two_units(time: timedelta, text: str) -> None:
    assert span(time) == text
    assert age(START.isoformat(), START + time) == text


def test_a_future_moment_is_in_some_time_and_no_moment_is_a_dash() -> None:
    assert age((START + timedelta(minutes=2)).isoformat(), START) == "in 2m"
    assert age(None, START) == "-"
