"""Advice to many listeners at once: a sample of what `make chaos` does with a thousand jobs."""

from collections.abc import Iterator
from contextlib import suppress
from unittest.mock import patch
from uuid import uuid4

import pytest

from gem_core.advice.result import State
from gem_core.deliver.outbox import Outbox
from tests.fakes import Killed
from tests.world.campaign import quiet
from tests.world.outdated import (
    PLANS,
    Advised,
    Edge,
    advised_world,
    killed_at_each_write,
    plan_of,
    without_answers,
)

JOBS = 2 * len(PLANS)
OUTDATED = sum(plan_of(number).state is State.OUTDATED for number in range(JOBS))
WRITES = 4
"""For each event: its document, two queues, and the mark."""


@pytest.fixture(scope="module")
def world() -> Iterator[Advised]:
    with quiet(), advised_world(JOBS) as found:
        yield found


@pytest.fixture
def fresh(world: Advised) -> Advised:
    world.forget()
    return world


def test_each_output_gets_the_advice_that_was_planted(world: Advised) -> None:
    assert [each.state for each in world.advice] == [plan_of(n).state for n in range(JOBS)]


def test_a_death_at_each_write_loses_no_event(fresh: Advised) -> None:
    deaths, breaches = killed_at_each_write(fresh)
    assert breaches == []
    assert deaths == 2 * WRITES * OUTDATED


@pytest.mark.parametrize("seed", range(10))
def test_lost_answers_lose_no_event(fresh: Advised, seed: int) -> None:
    counts, breaches = without_answers(fresh, seed)
    assert breaches == []
    assert counts["lost"] > 0
    assert counts["refused"] > 0


SABOTAGES = {
    "an event is not stored": (
        patch.object(Outbox, "keep", lambda _, __, event: event), "not stored as sent"
    ),
    "what is stored counts as sent": (
        patch.object(Outbox, "served", lambda *_: ("gem-outdated", "gem-both")), "lost on"
    ),
    "each run makes other ids": (
        patch("gem_core.deliver.outdated.outdated_id", lambda *_: uuid4().hex), "2 ids"
    ),
}  # fmt: skip


def die_twice(of: Advised) -> list[str]:
    """A run dies when it has stored the first event, another one later, the last one does not."""
    for last in (1, 2, 0):
        with suppress(Killed):
            of.run(Edge(lambda number, last=last: "kill after" if number == last else ""))  # type: ignore[misc] # of a default
    return of.breaches()


@pytest.mark.parametrize("name", SABOTAGES)
def test_what_is_broken_is_found(fresh: Advised, name: str) -> None:
    sabotage, breach = SABOTAGES[name]
    assert die_twice(fresh) == []
    fresh.forget()
    with sabotage:
        found = die_twice(fresh)
    assert any(breach in each for each in found)
