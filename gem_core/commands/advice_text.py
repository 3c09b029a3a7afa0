"""Advice as lines for a terminal. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from gem_core.advice.fold import Fate
from gem_core.advice.result import Advice, State
from gem_core.commands.table import Column, plain, table, wrapped
from gem_core.flows.send_outdated import Told
from gem_core.page.words import number_of

_STATES = {
    State.OUTDATED: "outdated",
    State.CURRENT: "not outdated",
    State.NOT_OLDER: "of this release or a later one",
    State.NOT_VERIFIABLE: "not verifiable",
}
_FATES = {
    Fate.REMOVED: "REMOVED",
    Fate.RESTORED: "RESTORED",
    Fate.GEOMETRY: "GEOMETRY",
    Fate.CLASS: "CLASS",
    Fate.UNKNOWN: "UNKNOWN",
}
"""Those that outdate an output."""


def advice_lines(found: Sequence[Advice], release: str, *, width: int) -> list[str]:
    """How many outputs are outdated, each of them with its ids, and what is not known."""
    lines = [f"release {plain(release)}, {number_of(len(found), 'output')}, of which"]
    for state, words in _STATES.items():
        count = sum(each.state is state for each in found)
        lines += [f"{count:>9,} {words}"] if count else []
    if outdated := [each for each in found if each.state is State.OUTDATED]:
        lines += ["", "ids of outdated outputs:", *_table(outdated, width)]
    for each in found:
        if each.state is State.NOT_VERIFIABLE:
            text = plain(f"not verifiable: {each.name}: {each.reason}")
            lines += ["", *wrapped(text, width, indent=2)]
        elif each.read_as:
            text = plain(f"{each.name}: release {each.release} was read as {each.read_as}")
            lines += ["", *wrapped(text, width, indent=2)]
    return lines


def _table(outdated: Sequence[Advice], width: int) -> list[str]:
    columns = [Column(name) for name in ("IDS", "OUTDATED", *_FATES.values(), "OUTPUT")]
    return table(columns, [_row(each) for each in outdated], width=width)


def _row(advice: Advice) -> list[str]:
    assert advice.figures  # noqa: S101 - an outdated output has them
    by_fate = [advice.figures.by_fate[fate] for fate in _FATES]
    tallies = (advice.figures.total, advice.figures.outdated, *by_fate)
    return [*(f"{tally.ids:,}" for tally in tallies), advice.name]


def told_lines(told: Sequence[Told]) -> list[str]:
    """What came of sending events."""
    sent = sum(bool(each.to) for each in told)
    before = sum(bool(each.id and not each.to and not each.failed) for each in told)
    untaken = sum(not each.id and not each.failed for each in told)
    lines = [f"{number_of(sent, 'event')} sent"]
    lines += [f"{number_of(before, 'event')} had been sent before"] if before else []
    lines += [f"{number_of(untaken, 'job')} without a route that takes it"] if untaken else []
    return lines


def told_json(told: Told) -> Mapping[str, Any]:
    """What came of one job, as plain JSON."""
    return {
        "jobRunId": told.job_run_id,
        "id": told.id or None,
        "sentTo": list(told.to),
        "problems": list(told.failed),
    }
