"""A short form of the campaign on real parts; `make chaos-real` runs the long one."""

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from tests.integration.campaign import run
from tests.integration.campaign_plan import Fault, Plan, plan
from tests.integration.campaign_result import CampaignResult, show

SEED = 7
ID = "a" * 32


@pytest.mark.azurite
def test_every_manifest_arrives_whatever_is_done() -> None:
    """A fault of each kind while jobs end; events dropped, and repeated in parallel."""
    made = plan(SEED, jobs=8, faults=4, seconds=3)
    result = run(made, Console(file=io.StringIO()), GEM_REPORT_PAGE="false")
    assert list(result.breaches()) == []
    assert result.faults.keys() == set(Fault)
    assert result.events_dropped > 0
    assert result.events_repeated > 0
    assert result.postponed > 0


@pytest.mark.parametrize("seed", range(5))
def test_a_plan_holds_every_fault_and_is_the_seeds_alone(seed: int) -> None:
    made = plan(seed, jobs=50, faults=16, seconds=60)
    assert made == plan(seed, jobs=50, faults=16, seconds=60)
    assert {fault for _, fault in made.faults} == set(Fault)
    assert len(made.jobs) == len({job.job_run_id for job in made.jobs}) == 50
    assert len(made.faults) == 16


def result_of(one: Plan, **changes: Any) -> CampaignResult:  # noqa: ANN401 - its fields
    """The result of a campaign of one job in which nothing went wrong."""
    job = one.jobs[0]
    event = {"id": ID, "data": {"outcome": job.outcome}}
    right = CampaignResult(
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
RIGHT = result_of(ONE)


def test_a_campaign_without_a_fault_breaks_no_promise() -> None:
    assert list(RIGHT.breaches()) == []
    assert RIGHT.lost == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"manifests": {}}, "no manifest"),
        ({"poisoned": 1}, "1 tickets failed too often"),
        ({"outbox": frozenset()}, "not in the outbox"),
        ({"records": {NAME: {"stage": "settled", "manifestId": ID}}}, "is settled"),
        ({"records": {NAME: {"stage": "delivered", "manifestId": "c"}}}, "names another"),
    ],
)
def test_a_broken_promise_is_reported(changes: dict[str, Any], words: str) -> None:
    assert any(words in line for line in result_of(ONE, **changes).breaches())


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(another, "several ids"), (with_another_outcome, "differ"), (with_another_outcome, "not ")],
)
def test_manifests_that_do_not_agree_are_reported(
    spoil: Callable[[dict[str, Any]], dict[str, Any]], words: str
) -> None:
    first, second = RIGHT.manifests[NAME]
    result = result_of(ONE, manifests={NAME: [first, spoil(second)]})
    assert any(words in line for line in result.breaches())


def test_the_table_lists_each_manifest_by_its_id() -> None:
    page = io.StringIO()
    show(RIGHT, Console(file=page, width=100))
    assert ID in page.getvalue()
    lost = io.StringIO()
    show(result_of(ONE, manifests={}), Console(file=lost, width=100))
    assert "LOST" in lost.getvalue()
