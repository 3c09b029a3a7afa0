"""Routes: what GEM_RESULTS_QUEUE and GEM_RESULTS_ROUTES may say, and what goes which way."""

import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.errors import RequestError
from gem_core.outcome import Outcome
from gem_core.settings.reader import SettingReader
from gem_core.settings.route import DEFAULT, EventType, Route, names_of, route_of
from gem_core.settings.route_reader import MAX_ROUTES, OWN_QUEUES, read_routes
from gem_core.storage.names import BATCHES, POISON_QUEUES

JOB_SETTLED = EventType.JOB_SETTLED
RULES = Path(__file__).resolve().parents[2] / "infra" / "routes.bicep"
AZURE = 63
"""Characters of a queue's name, at most (Azure Storage, "Naming Queues and Metadata")."""


def test_the_poison_queue_of_each_route_has_a_valid_name_too() -> None:
    longest = "q" * (AZURE - len("-poison"))
    assert read([{"queue": longest}], queue="d" * len(longest))[1] == []
    assert len(read([{"queue": f"{longest}q"}], queue=f"{longest}d")[1]) == 2
    deployed = re.search(r"@maxLength\((\d+)\)\s+queue: string", RULES.read_text("utf-8"))
    assert deployed
    assert int(deployed[1]) == len(longest)


def read(routes: object = None, queue: str = "") -> tuple[tuple[Route, ...], list[str]]:
    """The routes, and what is wrong."""
    text = routes if isinstance(routes, str) else json.dumps(routes) if routes else ""
    reader = SettingReader({"GEM_RESULTS_QUEUE": queue, "GEM_RESULTS_ROUTES": text})
    return read_routes(reader), reader.problems


def test_without_routes_every_job_goes_to_the_default_queue() -> None:
    assert read() == ((Route(DEFAULT, "gem-results"),), [])
    assert read(queue="gem-out") == ((Route(DEFAULT, "gem-out"),), [])


def test_a_route_has_a_queue_and_may_have_conditions() -> None:
    routes, problems = read(
        [
            {"queue": "gem-maps"},
            {
                "queue": "gem-night",
                "types": ["job.settled"],
                "outcomes": ["failed", "invalid"],
                "labels": {"team": "maps", "region": ""},
            },
        ]
    )
    assert problems == []
    assert [route.name for route in routes] == [DEFAULT, "gem-maps", "gem-night"]
    assert routes[1] == Route("gem-maps", "gem-maps", (JOB_SETTLED,), (), {})
    assert routes[2].outcomes == (Outcome.FAILED, Outcome.INVALID)
    assert routes[2].labels == {"team": "maps", "region": ""}


@pytest.mark.parametrize("outcome", Outcome)
def test_a_manifest_goes_to_the_routes_that_take_it(outcome: Outcome) -> None:
    routes = (
        Route(DEFAULT, "gem-results"),
        Route("all", "all"),
        Route("bad", "bad", outcomes=(Outcome.FAILED, Outcome.INVALID)),
        Route("maps", "maps", labels={"team": "maps"}),
        Route("outdated", "outdated", types=(EventType.JOB_OUTDATED,)),
    )
    bad = {"bad"} if outcome in {Outcome.FAILED, Outcome.INVALID} else set()
    of: list[tuple[dict[str, str], set[str]]] = [
        ({}, set()),
        ({"team": "maps", "more": "x"}, {"maps"}),
        ({"team": "Maps"}, set()),
        ({"Team": "maps"}, set()),
    ]
    for labels, maps in of:
        found = names_of(routes, JOB_SETTLED, outcome, labels)
        assert set(found) == {DEFAULT, "all", *bad, *maps}


WRONG: dict[str, tuple[Any, str]] = {
    "no JSON": ("queue=gem-maps", "is not a JSON list"),
    "deep": ("[" * 100_000, "is not a JSON list"),
    "an object": ({"queue": "gem-maps"}, "is not a JSON list"),
    "too many": ([{"queue": f"q-{n}"} for n in range(MAX_ROUTES + 1)], "at most 20 routes"),
    "a text": (["gem-maps"], "route 1 is not an object with only queue, types, outcomes, labels"),
    "a member": ([{"queue": "gem-maps", "outcome": ["valid"]}], "route 1 is not an object with"),
    "no queue": ([{"queue": "gem-a"}, {"outcomes": ["valid"]}], "route 2 has no queue"),
    "a bad name": ([{"queue": "Gem_Maps"}], "route 1 has no queue, or not a queue name"),
    "a number": ([{"queue": 5}], "route 1 has no queue"),
    "default": ([{"queue": "default"}], "route 1 has a queue whose name is used"),
    "none": ([{"queue": "none"}], "route 1 has a queue whose name is used"),
    "batches": ([{"queue": BATCHES}], "route 1 has a queue whose name is used"),
    "poison": ([{"queue": "gem-maps-poison"}], "route 1 has a queue whose name is used"),
    "types": ([{"queue": "gem-maps", "types": ["job.ended"]}], "has types that are not a list of"),
    "outcomes": ([{"queue": "gem-maps", "outcomes": ["good"]}], "not a list of valid, valid_with"),
    "no outcome": ([{"queue": "gem-maps", "outcomes": []}], "has outcomes that are not a list"),
    "one outcome": ([{"queue": "gem-maps", "outcomes": "valid"}], "has outcomes that are not a"),
    "odd outcome": ([{"queue": "gem-maps", "outcomes": [{}]}], "has outcomes that are not a list"),
    "labels": ([{"queue": "gem-maps", "labels": ["team"]}], "has labels that are not an object"),
    "a label": ([{"queue": "gem-maps", "labels": {"a": 1}}], "has labels that are not an object"),
    "twice": ([{"queue": "gem-maps"}, {"queue": "gem-maps"}], "has two routes to one queue"),
    "the default": ([{"queue": "gem-results"}], "or one to GEM_RESULTS_QUEUE"),
}


@pytest.mark.parametrize(("routes", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_without_the_value(routes: object, words: str) -> None:
    _, problems = read(routes)
    (problem,) = problems
    assert problem.split()[0] == "GEM_RESULTS_ROUTES"
    assert words in problem
    assert "gem-maps" not in problem


def test_each_wrong_route_is_named() -> None:
    _, problems = read([{"queue": "x"}, {"queue": "gem-b"}, {"queue": "gem-c", "types": 5}])
    assert [problem.partition(" has ")[0] for problem in problems] == [
        "GEM_RESULTS_ROUTES is wrong: route 1",
        "GEM_RESULTS_ROUTES is wrong: route 3",
    ]


def test_the_queues_of_the_app_are_no_routes() -> None:
    assert {BATCHES} == OWN_QUEUES
    assert all(name.endswith("-poison") for name in POISON_QUEUES)


@pytest.mark.parametrize(
    ("route", "is_enough"),
    [
        ({}, True),
        ({"types": ["job.settled"]}, True),
        ({"outcomes": list(Outcome)}, False),
        ({"labels": {"team": "maps"}}, False),
        ({"types": ["job.outdated"]}, False),
        ({"types": ["job.outdated", "job.settled"]}, True),
        (None, False),
    ],
)
def test_the_default_queue_may_be_left_out_if_one_route_takes_every_job(
    route: dict[str, Any] | None, *, is_enough: bool
) -> None:
    entries: list[dict[str, Any]] = [{"queue": "gem-a", "outcomes": ["valid"]}]
    if route is not None:
        entries.append({"queue": "gem-b", **route})
    routes, problems = read(entries, "none")
    assert DEFAULT not in {route.name for route in routes}
    if is_enough:
        assert problems == []
    else:
        (problem,) = problems
        assert problem.startswith("GEM_RESULTS_QUEUE is none, so GEM_RESULTS_ROUTES needs a route")


def test_a_name_that_is_no_route_is_answered_with_those_that_are() -> None:
    routes, _ = read([{"queue": "gem-maps"}])
    assert route_of(routes, "gem-maps").queue == "gem-maps"
    with pytest.raises(RequestError, match=r"no route 'maps': .* have default, gem-maps$"):
        route_of(routes, "maps")


LABELS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy"), max_size=3)


@given(
    st.lists(st.tuples(st.sets(st.sampled_from(Outcome), max_size=3), LABELS), max_size=4),
    st.sampled_from(Outcome),
    LABELS,
)
def test_with_valid_settings_every_job_goes_somewhere(
    conditions: list[tuple[set[Outcome], dict[str, str]]], outcome: Outcome, labels: dict[str, str]
) -> None:
    entries = [
        {
            "queue": f"gem-{number}",
            **({"outcomes": sorted(outcomes)} if outcomes else {}),
            "labels": wanted,
        }
        for number, (outcomes, wanted) in enumerate(conditions)
    ]
    for queue in ("", "none"):
        routes, problems = read(entries, queue)
        assert problems or names_of(routes, JOB_SETTLED, outcome, labels)


def test_the_default_queue_gets_manifests_alone() -> None:
    both = ["job.settled", "job.outdated"]
    routes, problems = read(
        [{"queue": "gem-a", "types": both[1:]}, {"queue": "gem-b", "types": both}]
    )
    assert problems == []
    assert names_of(routes, JOB_SETTLED, "valid", {}) == (DEFAULT, "gem-b")
    assert names_of(routes, EventType.JOB_OUTDATED, "valid", {}) == ("gem-a", "gem-b")


def test_every_pair_of_conditions_must_hold() -> None:
    route = Route("a", "a", outcomes=(Outcome.VALID,), labels={"a": "x"})
    for outcome, labels in product(("valid", "failed"), ({"a": "x"}, {})):
        expected = outcome == "valid" and bool(labels)
        assert route.takes(JOB_SETTLED, outcome, labels) is expected
