"""Boards to look at: without jobs, with many, and with trouble."""

from collections import Counter
from datetime import datetime, timedelta

from gem_core.outcome import WITHOUT_OUTPUT, Outcome
from gem_core.page.board import (
    Board,
    DeliveredLine,
    Filter,
    OpenLine,
    TickLine,
    TimerLine,
    draw_board,
)
from tests.fakes import START


def board(open_jobs: int = 0, delivered: int = 0, *, trouble: bool = False) -> Board:
    at = START + timedelta(hours=3)
    lines = [_delivered(number, at - timedelta(minutes=7 * number)) for number in range(delivered)]
    due = min(open_jobs, 3)
    done = f"{due} due, {due} checked" if due else "nothing to do"
    poison = "; 2 poison messages" if trouble else ""
    return Board(
        at=at,
        storage="state.blob.example",
        timer=TimerLine(
            f"{open_jobs} open jobs, {done}{poison}. The last tick ended",
            at - timedelta(seconds=40),
            is_trouble=trouble,
            before=[
                TickLine(f"{open_jobs} open jobs, {done}", at - timedelta(seconds=40, minutes=ago))
                for ago in range(1, 5)
            ],
        ),
        open_jobs=[
            OpenLine(
                f"job-{number:03}-9c1b2d",
                "watching",
                "running",
                "x-version-1",
                START + timedelta(minutes=number),
                at + timedelta(seconds=90),
                "not_answered" if trouble and number < 4 else "",
                "7 times in a row" if trouble and number < 4 else "",
            )
            for number in range(open_jobs)
        ],
        open_left_out="",
        delivered=lines,
        delivered_left_out="",
        counts=Counter(line.outcome for line in lines),
        chosen=Filter(month="2026-01"),
        outcomes=("trouble", *Outcome),
        earlier="2025-12",
        later="",
    )


FAILED = {
    Outcome.VALID_WITH_WARNINGS: ["confidence_threshold"],
    Outcome.INVALID: ["matched_share_close", "ids_unique"],
    Outcome.NOT_AUDITED: ["auditable"],
}
"""The failed checks of jobs that ended like this; others have none."""


def _delivered(number: int, at: datetime) -> DeliveredLine:
    outcome = tuple(Outcome)[number % len(Outcome)]
    is_audited = outcome in {Outcome.VALID, Outcome.VALID_WITH_WARNINGS, Outcome.INVALID}
    return DeliveredLine(
        f"job-{number:03}-5f6a7b",
        f"{number:032x}",
        at,
        outcome,
        "unversioned" if number % 2 else "",
        {"team": "maps", "region": "nl"} if number % 4 else {},
        0.9123 if is_audited else None,
        FAILED.get(outcome, []),
        has_report=outcome not in WITHOUT_OUTPUT,
    )


BOARDS = {
    "board-empty": draw_board(board()),
    "board-200": draw_board(board(80, 120)),
    "board-trouble": draw_board(board(12, 20, trouble=True)),
}
"""The HTML of each, by the name of its page."""
