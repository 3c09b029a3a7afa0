"""What the deployment makes for routes, by the snapshot in which every parameter has a value."""

import json
import re
from functools import cache
from typing import Any

import pytest

from gem_core.outcome import Outcome
from gem_core.settings.reader import SettingReader
from gem_core.settings.route import EventType
from gem_core.settings.route_reader import MEMBERS, read_routes
from tests.infra.compiler import SNAPSHOTS, found, refusal
from tests.infra.contract import ROOT
from tests.infra.parameters import ACCOUNT, NEEDED
from tests.infra.policy import ROLES

RULES = (ROOT / "infra" / "routes.bicep").read_text(encoding="utf-8")
PERSON = "00000000-0000-0000-0000-00000000000{}".format
LISTENERS = {
    "gem-results": {PERSON(1), PERSON(2)},
    "gem-maps": {PERSON(2)},
    "gem-night": {PERSON(3)},
    "gem-spare": set[str](),
}
"""As the parameters of the snapshot say."""


@cache
def resources() -> list[dict[str, Any]]:
    snapshot = json.loads((ROOT / SNAPSHOTS / "everything.snapshot.json").read_text())
    found: list[dict[str, Any]] = snapshot["predictedResources"]
    return found


def rights_on(kind: str) -> set[tuple[str, str, str]]:
    """Name, principal and role of each right on a queue or a container of the state storage."""
    names = {guid: name for name, guid in ROLES.items()}
    found = set()
    for each in resources():
        scope = re.search(rf"/{kind}/([^/]+)/providers/Microsoft.Authorization", each["id"])
        if scope:
            has = each["properties"]
            role = names[has["roleDefinitionId"].rpartition("/")[2]]
            found.add((scope[1], has["principalId"], role))
    return found


def test_each_listener_has_rights_on_its_queue_and_its_poison_queue_alone() -> None:
    wanted = {
        right
        for queue, people in LISTENERS.items()
        for person in people
        for right in (
            (queue, person, "Storage Queue Data Message Processor"),
            (queue, person, "Storage Queue Data Reader"),
            (f"{queue}-poison", person, "Storage Queue Data Contributor"),
        )
    }
    assert rights_on("queues") == wanted


def test_each_listener_reads_reports() -> None:
    assert not [name for name, _, _ in rights_on("containers") if name == "gem-failures"]
    readers = {who for name, who, _ in rights_on("containers") if name == "gem-reports"}
    assert readers == set().union(*LISTENERS.values())


def test_each_queue_and_its_poison_queue_are_made() -> None:
    made = [
        each["name"].rpartition("/")[2]
        for each in resources()
        if each["type"].endswith("/queues") and each["name"].startswith("stgem")
    ]
    poison = [f"{name}-poison" for name in LISTENERS]
    assert sorted(made) == sorted([*LISTENERS, *poison, "gem-batches"])


def test_the_app_reads_the_setting_that_the_deployment_makes() -> None:
    (text,) = {
        each["properties"]["GEM_RESULTS_ROUTES"]
        for each in resources()
        if "GEM_RESULTS_ROUTES" in each.get("properties", {})
    }
    reader = SettingReader({"GEM_RESULTS_ROUTES": text})
    routes = read_routes(reader)
    assert reader.problems == []
    assert [route.queue for route in routes] == list(LISTENERS)
    assert routes[1].labels == {"team": "maps"}
    assert routes[2].outcomes == (Outcome.FAILED, Outcome.INVALID)


def test_the_parameter_knows_the_words_of_the_app() -> None:
    form = RULES.partition("type route = {")[2].partition("\n}")[0]
    members = re.findall(r"^  (\w+):", form, re.MULTILINE)
    assert set(members) == {*MEMBERS, "listeners"}
    for name, words in (("outcome", Outcome), ("eventType", EventType)):
        (line,) = re.findall(rf"^type {name} = (.+)$", RULES, re.MULTILINE)
        assert set(re.findall(r"'([^']+)'", line)) == set(words)


WRONG = {
    "two routes to one queue": (
        "[{ queue: 'gem-a' }, { queue: 'gem-a' }]",
        "RESULTS_ROUTES has two routes to one queue",
    ),
    "the default queue": ("[{ queue: 'gem-results' }]", "or one to gem-results, the default queue"),
    "a queue of the app": ("[{ queue: 'gem-batches' }]", "used for something else"),
    "a poison queue": ("[{ queue: 'gem-a-poison' }]", "used for something else"),
    "a name that is no queue's": ("[{ queue: 'Gem_A' }]", "other characters than a-z"),
    "a name for a listener": (
        "[{ queue: 'gem-a', listeners: ['night'] }]",
        "RESULTS_ROUTES: listeners must be object ids",
    ),
    "an unknown outcome": ("[{ queue: 'gem-a', outcomes: ['good'] }]", "'valid_with_warnings'"),
    "an unknown member": ("[{ queue: 'gem-a', outcome: ['valid'] }]", "outcome"),
}


@pytest.mark.slow
@pytest.mark.skipif(found() is None, reason="bicep is not on the PATH; GitHub's CI installs it")
@pytest.mark.parametrize("routes", WRONG)
def test_mistaken_routes_are_refused(routes: str, tmp_path: Any) -> None:  # noqa: ANN401 - a folder
    value, message = WRONG[routes]
    lines = f"{NEEDED}\n{ACCOUNT}\nparam resultsRoutes = {value}"
    assert message in refusal(ROOT / "infra" / "main.bicep", lines, tmp_path)
