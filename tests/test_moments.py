"""A moment is text with a zone; only a hint may do without."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.moments import (
    LAST_YEAR,
    moment_text,
    optional_moment_text,
    read_lenient_moment,
    read_moment,
    read_optional_moment,
    read_stored_moment,
)

NOON = datetime(2026, 1, 20, 12, tzinfo=UTC)
IN_TOKYO = NOON.astimezone(timezone(timedelta(hours=9)))
DATES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001 - each gets its zone
ZONES = st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours)))


@given(DATES, ZONES)
def test_what_is_written_is_read_as_the_same_moment_in_utc(date: datetime, zone: timezone) -> None:
    moment = date.replace(tzinfo=zone)
    assert read_moment(moment_text(moment)) == moment
    assert moment_text(moment).endswith("+00:00")


def test_a_moment_may_be_absent() -> None:
    assert optional_moment_text(None) is None
    assert optional_moment_text(IN_TOKYO) == "2026-01-20T12:00:00+00:00"
    assert read_optional_moment(None) is None
    assert read_optional_moment("") is None
    assert read_optional_moment("2026-01-20T21:00:00+09:00") == NOON


@pytest.mark.parametrize("read", [read_moment, read_optional_moment])
@pytest.mark.parametrize("text", ["2026-01-20T12:00:00", "2026-01-20", "soon", "1768910400"])
def test_a_moment_without_a_zone_is_an_error(read: object, text: str) -> None:
    assert callable(read)
    with pytest.raises(ValueError, match=text):
        read(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-20T12:00:00Z", NOON),
        ("2026-01-20T21:00:00+09:00", NOON),
        ("2026-01-20T12:00:00", NOON),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_a_hint_is_read_leniently(text: str | None, moment: datetime | None) -> None:
    assert read_lenient_moment(text) == moment


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_beyond_the_calendar_in_utc_is_none(text: str) -> None:
    assert read_lenient_moment(text) is None
    for read in (read_moment, read_stored_moment):
        with pytest.raises(ValueError, match="not in the calendar"):
            read(text)


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59+00:00", f"{LAST_YEAR + 1}-01-01T00:00:00Z"])
def test_a_moment_with_which_nothing_can_be_calculated_can_only_be_compared(text: str) -> None:
    assert read_lenient_moment(text) is None
    assert read_moment(text) > NOON
    with pytest.raises(ValueError, match="plausible"):
        read_stored_moment(text)
