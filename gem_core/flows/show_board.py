"""Collects what the board shows, with three requests: worklist, last ticks, list of a month.

No record is read. What the worklist's markers do not say, `jobs list --trouble` does.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from gem_core.deliver.delivered_list import Delivered, month_of, read_lines
from gem_core.flows.check_jobs import TICK_BUDGET
from gem_core.flows.manage_jobs import JobManager
from gem_core.moments import read_lenient_moment
from gem_core.outcome import WITHOUT_OUTPUT, Outcome
from gem_core.page.board import Board, DeliveredLine, Filter, OpenLine, TickLine, TimerLine
from gem_core.watch.heartbeat import is_silent
from gem_core.watch.marker import JobState, OpenJob
from gem_core.watch.trouble import OVERDUE_AFTER, TroubleKind, in_a_row

MAX_OPEN = 5_000
"""Open jobs: one page of a listing."""
MAX_DELIVERED = 500
"""Delivered manifests that one view shows."""
TROUBLE = "trouble"
"""The filter that shows only open jobs in trouble."""
_TROUBLE = {
    JobState.NOT_ANSWERED: (TroubleKind.NOT_ANSWERED, "failures"),
    JobState.REFUSED: (TroubleKind.NOT_ANSWERED, ""),
    JobState.NOT_FOUND: (TroubleKind.NOT_FOUND, "notfound"),
    JobState.UNKNOWN_STATUS: (TroubleKind.UNKNOWN_STATUS, ""),
    JobState.UNREADABLE: (TroubleKind.UNREADABLE, ""),
}
"""By the state that a marker shows: the trouble, and the word of the marker that counts it."""
_MONTH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])", re.ASCII)
_MAX_TEXT = 200


def read_filter(query: Mapping[str, str], now: datetime) -> Filter:
    """The filter of an address. What is not a month or an outcome counts as absent."""
    month, outcome = query.get("month", ""), query.get("outcome", "")
    return Filter(
        text=query.get("text", "").strip()[:_MAX_TEXT],
        outcome=outcome if outcome in {TROUBLE, *Outcome} else "",
        month=month if _MONTH.fullmatch(month) else month_of(now),
    )


def show_board(manager: JobManager, chosen: Filter) -> Board:
    """What one view of the board shows.

    Raises:
        StoreError: storage could not be read.

    """
    now = manager.clock()
    ticks = manager.heartbeat.ended()
    last = ticks[0] if ticks else {}
    jobs, more = manager.registry.first_open_jobs(MAX_OPEN)
    lines = [_open_line(job, now) for job in jobs]
    sent = read_lines(manager.outbox.delivered(chosen.month))
    fitting = [each for each in sent if _fits(each, chosen)]
    return Board(
        at=now,
        storage=urlsplit(manager.outbox.report_url("job", "id")).netloc,
        timer=_timer(ticks, now, manager),
        open_jobs=_open_lines(lines, chosen),
        open_left_out=_open_left_out(len(jobs), last) if more else "",
        delivered=[_delivered_line(each) for each in fitting[:MAX_DELIVERED]],
        delivered_left_out=_left_out(len(fitting)),
        counts=dict(Counter(each.outcome for each in sent).most_common()),
        chosen=chosen,
        outcomes=(TROUBLE, *Outcome),
        earlier=_month(chosen.month, -1),
        later=_month(chosen.month, 1) if chosen.month < month_of(now) else "",
    )


def _open_lines(lines: Iterable[OpenLine], chosen: Filter) -> list[OpenLine]:
    """Those that fit the filter: trouble first, then the oldest first."""
    if chosen.outcome and chosen.outcome != TROUBLE:
        return []
    text = chosen.text.lower()
    fitting = (
        line
        for line in lines
        if text in line.job_run_id.lower() and (line.trouble or not chosen.outcome)
    )
    return sorted(fitting, key=lambda line: (not line.trouble, line.since or line.due_at))


def _open_line(job: OpenJob, now: datetime) -> OpenLine:
    shown = job.shown
    since = read_lenient_moment(shown.get("since"))
    trouble, note = _trouble(job, since, now)
    return OpenLine(
        job_run_id=job.job_run_id,
        stage=shown.get("stage", "not known"),
        status=shown.get("status", "nothing yet"),
        contract=shown.get("contract", ""),
        since=since,
        due_at=job.due_at,
        trouble=trouble,
        note=note,
    )


def _trouble(job: OpenJob, since: datetime | None, now: datetime) -> tuple[str, str]:
    """Why a person must look, and more about it; as `watch.trouble` says it from a whole record."""
    is_late = now - job.due_at > OVERDUE_AFTER
    if job.state is JobState.SETTLED:
        is_old = is_late or (since is not None and now - since > OVERDUE_AFTER)
        return (TroubleKind.UNDELIVERED, "its manifest was not sent yet") if is_old else ("", "")
    if is_late and job.state is not JobState.UNREADABLE:
        return TroubleKind.OVERDUE, "no tick has handled it"
    kind, word = _TROUBLE.get(job.state, ("", "")) if job.state else ("", "")
    number = job.shown.get(word, "")
    if job.state is JobState.REFUSED:
        return kind, "GEM refused the question"
    return kind, in_a_row(int(number)) if number.isdecimal() else ""


def _timer(ticks: Iterable[Mapping[str, Any]], now: datetime, manager: JobManager) -> TimerLine:
    """The timer, from the last ticks that ended. One that still runs is not looked up."""
    lines = [
        (tick, TickLine(_tick_text(tick), ended_at))
        for tick in ticks
        if (ended_at := read_lenient_moment(tick.get("endedAt")))
    ]
    if not lines:
        return TimerLine("No tick has ended yet.", None, is_trouble=True)
    (last, line), *before = lines
    is_silent_now = is_silent(line.ended_at + TICK_BUDGET, now, manager.schedule)
    return TimerLine(
        f"{line.text}. The last tick ended",
        line.ended_at,
        is_trouble=bool(last.get("poisonMessages") or last.get("stopped") or is_silent_now),
        before=[line for _, line in before],
    )


def _tick_text(tick: Mapping[str, Any]) -> str:
    """What a tick did, in a few words."""
    counts = (("dueJobs", "due"), ("checked", "checked"), ("settled", "settled"),
              ("problems", "problems"), ("remaining", "remaining"))  # fmt: skip
    done = ", ".join(f"{tick[name]} {word}" for name, word in counts if tick.get(name))
    poison, stopped = tick.get("poisonMessages"), tick.get("stopped")
    text = f"{tick.get('openJobs')} open jobs, {done or 'nothing to do'}"
    text += f"; {poison} poison messages" if poison else ""
    return f"{text}; stopped: {stopped}" if stopped else text


def _fits(sent: Delivered, chosen: Filter) -> bool:
    if chosen.outcome and sent.outcome != chosen.outcome:
        return False
    # A label as the board writes it, as the command does, and as the query of the app does.
    labels = (
        f"{name}{sign}{text}" for sign in (": ", "=", ":") for name, text in sent.labels.items()
    )
    return any(chosen.text.lower() in text.lower() for text in (sent.job_run_id, *labels))


def _delivered_line(sent: Delivered) -> DeliveredLine:
    return DeliveredLine(
        job_run_id=sent.job_run_id,
        manifest_id=sent.id,
        at=sent.at,
        outcome=sent.outcome,
        contract=sent.contract,
        labels=sent.labels,
        share_matched=sent.share_matched,
        failed=sent.failed,
        has_report=sent.outcome not in WITHOUT_OUTPUT,
    )


def _left_out(fitting: int) -> str:
    more = fitting - MAX_DELIVERED
    return f"Only the last {MAX_DELIVERED} are shown: {more:,} are left out." if more > 0 else ""


def _open_left_out(shown: int, last: Mapping[str, Any]) -> str:
    counted = last.get("openJobs")
    total = f" The last tick counted {counted:,}." if isinstance(counted, int) else ""
    return f"Only the first {shown:,} open jobs, by their ids, were read.{total}"


def _month(month: str, step: int) -> str:
    """The month before or after."""
    year, number = map(int, month.split("-"))
    at = year * 12 + number - 1 + step
    return f"{max(at, 0) // 12:04}-{max(at, 0) % 12 + 1:02}"
