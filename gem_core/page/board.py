"""The board: open jobs and delivered ones as one HTML page without scripts. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gem_core.page.templating import template


@dataclass(frozen=True, slots=True)
class OpenLine:
    """An open job."""

    job_run_id: str
    stage: str
    status: str
    contract: str
    """The contract of GEM's last answer; empty if it is not known."""
    since: datetime | None
    """When the stage began; None if its marker does not say so."""
    due_at: datetime
    trouble: str
    """Why a person must look, as one word; empty if nobody must."""
    note: str
    """More about the trouble."""


@dataclass(frozen=True, slots=True)
class DeliveredLine:
    """A manifest that was sent."""

    job_run_id: str
    manifest_id: str
    at: datetime
    outcome: str
    contract: str
    """The contract of GEM's last answer; empty if it is not known."""
    labels: Mapping[str, str]
    share_matched: float | None
    failed: Sequence[str]
    has_report: bool


@dataclass(frozen=True, slots=True)
class TickLine:
    """A tick that ended."""

    text: str
    """What it did."""
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class TimerLine:
    """What is known about the timer."""

    text: str
    ended_at: datetime | None
    is_trouble: bool
    before: Sequence[TickLine] = ()
    """The ticks before the last one, the last of them first."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lines are shown."""

    text: str = ""
    """Part of a job id or of a label."""
    outcome: str = ""
    """An outcome; "trouble" for open jobs in trouble; empty for all."""
    month: str = ""
    """Of the delivered jobs, such as "2026-11"."""


@dataclass(frozen=True, slots=True)
class Board:
    """All that one view shows."""

    at: datetime
    storage: str
    """The host of the state storage."""
    timer: TimerLine
    open_jobs: Sequence[OpenLine]
    """Trouble first, then the oldest first."""
    open_left_out: str
    """What is not shown of the open jobs, as a sentence; empty if nothing."""
    delivered: Sequence[DeliveredLine]
    delivered_left_out: str
    counts: Mapping[str, int]
    """Delivered manifests of the month, by outcome."""
    chosen: Filter
    outcomes: Sequence[str]
    earlier: str
    """The month before; `later` is the month after, or empty."""
    later: str


def draw_board(board: Board) -> str:
    """The board as one self-contained HTML page."""
    return template("board.html").render(
        board=board, moment=_moment, age=lambda at: _age(at, board.at)
    )


def _moment(at: datetime) -> str:
    """Without seconds, which the attribute of a time has."""
    return f"{at:%Y-%m-%d %H:%M}"


def _age(at: datetime, now: datetime) -> str:
    """The time between, in its largest unit, such as "3 h ago" or "in 5 min"."""
    past = now - at
    seconds = abs(past).total_seconds()
    units = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    size, unit = next((each for each in units if seconds >= each[0]), units[-1])
    text = f"{int(seconds // size)} {unit}"
    return f"{text} ago" if past >= timedelta(0) else f"in {text}"
