"""Schedules of timers: NCRONTAB, as the Functions host reads it. Pure.

Source of the rules: NCrontab 3.4 (`CrontabFieldImpl`, `CrontabSchedule`), and `CronSchedule` of
azure-webjobs-sdk-extensions, which also takes five fields. A moment must match all fields; cron
would accept a day that matches the day of the month or the day of the week. `tests/data/ncrontab`
has the answers of the real NCrontab. Forms that only it accepts, and whose meaning is hard to
guess, are refused: a step of 0, signs, and blanks other than the space.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""The most days of each month."""

_VALUE = "[0-9]{1,3}|[a-z]{1,9}"
_ELEMENT = re.compile(rf"(?:(\*)|({_VALUE})(?:-({_VALUE}))?)(?:/([0-9]{{1,3}}))?", re.ASCII)
"""`*`, a value or a range, each with an optional step."""


@dataclass(frozen=True, slots=True)
class _Field:
    """The values that a field of a schedule may have."""

    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()

    def read(self, text: str) -> frozenset[int]:
        """The values that a text selects. Raises ValueError."""
        return frozenset(
            value for element in text.lower().split(",") for value in self._element(element)
        )

    def _element(self, text: str) -> range:
        match = _ELEMENT.fullmatch(text)
        if match is None:
            raise ValueError(f"the {self.name} must be numbers, names, ranges and steps, or *")
        every, first_text, last_text, step_text = match.groups()
        step = int(step_text or 1)
        if step == 0:
            raise ValueError(f"the {self.name} has a step of 0")
        if every:
            return range(self.least, self.most + 1, step)
        first = self._value(first_text)
        if last_text:
            first, last = sorted((first, self._value(last_text)))
        else:
            last = self.most if step_text else first
        return range(first, last + 1, step)

    def _value(self, text: str) -> int:
        """A number, or the first name that begins with the text."""
        if text.isdigit():
            value = int(text)
        else:
            found = [index for index, name in enumerate(self.names) if name.startswith(text)]
            value = found[0] + self.least if found else -1
        if not self.least <= value <= self.most:
            raise ValueError(f"the {self.name} must be from {self.least} to {self.most}")
        return value


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 6, _WEEKDAYS),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule that has occurrences. Its text is what the setting contains."""

    text: str
    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""

    @classmethod
    def parse(cls, text: str) -> "Schedule":
        """Read a schedule of six fields, seconds first; of five fields, at second 0.

        Raises:
            ValueError: the host would not start the timer, or the schedule never occurs.

        """
        parts = [part for part in text.split(" ") if part]
        if len(parts) == len(_FIELDS) - 1:
            parts.insert(0, "0")
        if len(parts) != len(_FIELDS):
            raise ValueError("it must have six fields, seconds first, with spaces between them")
        found = cls(text, *(field.read(part) for field, part in zip(_FIELDS, parts, strict=True)))
        if all(min(found.days) > _LONGEST[month - 1] for month in found.months):
            raise ValueError("no month has such a day")
        return found

    def after(self, moment: datetime) -> datetime:
        """The first occurrence after a moment. It has the time zone of the moment."""
        at = moment.replace(microsecond=0) + timedelta(seconds=1)
        while True:
            if at.month not in self.months:
                at = (at.replace(day=28) + timedelta(days=4)).replace(day=1, hour=0)
                at = at.replace(minute=0, second=0)
            elif at.day not in self.days or at.isoweekday() % 7 not in self.weekdays:
                at = at.replace(hour=0, minute=0, second=0) + timedelta(days=1)
            elif at.hour not in self.hours:
                at = at.replace(minute=0, second=0) + timedelta(hours=1)
            elif at.minute not in self.minutes:
                at = at.replace(second=0) + timedelta(minutes=1)
            elif at.second not in self.seconds:
                at += timedelta(seconds=1)
            else:
                return at
