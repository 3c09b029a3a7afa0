"""A short form of the campaign on real parts; `make chaos-real` runs the long one."""

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from tests.integration.campaign import run
from tests.integration.campaign_plan import Fault, Plan, plan
from tests.integration.campaign_told import Told, show

SEED = 7
ID = "a" * 32


@pytest.mark.azurite
def test_every_manifest_arrives_whatever_is_done() -> None:
    """A fault of each kind while jobs end; events dropped, and repeated in parallel."""
    made = plan(SEED, jobs=8, faults=4, seconds=3)
    told = run(made, Console(file=io.StringIO()), GEM_REPORT_PAGE="false")
    assert list(told.breaches()) == []
    assert told.faults.keys() == set(Fault)
    assert told.events_dropped > 0
    assert told.events_repeated > 0
    assert told.poisoned > 0


@pytest.mark.parametrize("seed", range(5))
def test_a_plan_holds_every_fault_and_is_the_seeds_alone(seed: int) -> None:
    made = plan(seed, jobs=50, faults=16, seconds=60)
    assert made == plan(seed, jobs=50, faults=16, seconds=60)
    assert {fault for _, fault in made.faults} == set(Fault)
    assert len(made.jobs) == len({job.job_run_id for job in made.jobs}) == 50
    assert len(made.faults) == 16


def told_of(one: Plan, **changes: Any) -> Told:  # noqa: ANN401 - fields of Told
    """What a campaign of one job tells in which nothing went wrong."""
    job = one.jobs[0]
    event = {"id": ID, "data": {"outcome": job.outcome}}
    right = Told(
        one,
        manifests={job.job_run_id: [event, dict(event)]},
        records={job.job_run_id: {"stage": "delivered", "manifestId": ID, "tickets": 2}},
        outbox=frozenset({f"{job.job_run_id}/{ID}.json"}),
    )
    return replace(right, **changes)


def another(event: dict[str, Any]) -> dict[str, Any]:
    return event | {"id": "b" * 32}


def with_another_outcome(event: dict[str, Any]) -> dict[str, Any]:
    return event | {"data": {"outcome": "lost"}}


ONE = plan(1, jobs=1, faults=4, seconds=1)
NAME = ONE.jobs[0].job_run_id
RIGHT = told_of(ONE)


def test_a_campaign_without_a_fault_breaks_no_promise() -> None:
    assert list(RIGHT.breaches()) == []
    assert RIGHT.lost == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"manifests": {}}, "no manifest"),
        ({"outbox": frozenset()}, "not in the outbox"),
        ({"records": {NAME: {"stage": "settled", "manifestId": ID}}}, "is settled"),
        ({"records": {NAME: {"stage": "delivered", "manifestId": "c"}}}, "names another"),
    ],
)
def test_a_broken_promise_is_told(changes: dict[str, Any], words: str) -> None:
    assert any(words in line for line in told_of(ONE, **changes).breaches())


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(another, "several ids"), (with_another_outcome, "differ"), (with_another_outcome, "not ")],
)
def test_manifests_that_do_not_agree_are_told(
    spoil: Callable[[dict[str, Any]], dict[str, Any]], words: str
) -> None:
    first, second = RIGHT.manifests[NAME]
    told = told_of(ONE, manifests={NAME: [first, spoil(second)]})
    assert any(words in line for line in told.breaches())


def test_the_table_lists_each_manifest_by_its_id() -> None:
    page = io.StringIO()
    show(RIGHT, Console(file=page, width=100))
    assert ID in page.getvalue()
    lost = io.StringIO()
    show(told_of(ONE, manifests={}), Console(file=lost, width=100))
    assert "LOST" in lost.getvalue()
