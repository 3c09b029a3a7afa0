"""The published schema is strict, names its types for code generators, and fits real manifests."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from gem_core.audit.judging.check import Severity
from gem_core.audit.judging.verdict import Verdict
from gem_core.deliver.manifest import DATA_SCHEMA, EVENT_TYPE
from gem_core.outcome import Outcome
from gem_core.watch.record import Settlement
from tests.builders import SCHEMA, check_manifest
from tests.deliver.real_manifests import real_manifests
from tests.deliver.schemas import strict, types_of


@pytest.fixture(scope="module")
def manifests() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return real_manifests()


@pytest.mark.slow
def test_real_manifests_and_reports_match_the_schema(
    manifests: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    assert len(manifests) >= 50
    assert {event["data"]["outcome"] for event, _ in manifests} == set(Outcome)
    for event, report in manifests:
        check_manifest(json.dumps(event))
        check_manifest(json.dumps(report))
        checks = report["data"]["checks"]
        every = checks.pop("all")
        assert bool(every) == (event["data"]["timing"]["auditedAt"] is not None)
        assert checks == event["data"]["checks"]


def test_ajv_in_strict_mode_accepts_the_schema_and_real_manifests(
    manifests: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    events = [event for pair in manifests for event in pair]
    wrong = events[0] | {"data": events[0]["data"] | {"outcome": "postponed"}}
    done = strict(SCHEMA, *events, wrong)
    assert done.stderr == ""
    *problems, last = json.loads(done.stdout)
    assert problems == [[]] * len(events)
    assert last == ["/data/outcome must be equal to one of the allowed values"]


def test_ajv_in_strict_mode_refuses_what_generators_misread() -> None:
    checks = SCHEMA["$defs"]["checks"] | {"oneOf": [{"required": ["notPassed"]}]}
    done = strict(SCHEMA | {"$defs": SCHEMA["$defs"] | {"checks": checks}})
    assert done.returncode == 1
    assert 'strict mode: required property "notPassed" is not defined' in done.stderr


def test_every_type_has_a_title_of_its_own() -> None:
    """Code generators use it as the name of a type; without it they make AllElement and Checks1."""
    found = dict(types_of(SCHEMA))
    assert len(found) >= 30
    nameless = {at for at, part in found.items() if "title" not in part} - {
        "#/data/schemaVersion"  # a number, no type
    }
    assert nameless == set()
    titles = Counter(part.get("title") for part in found.values())
    assert [title for title, times in titles.items() if times > 1] == []


def test_a_reference_has_no_other_keyword_beside_it() -> None:
    """With a description beside it, json-schema-to-typescript makes a copy: Verdict1."""

    def references(part: object) -> Iterator[dict[str, Any]]:
        if isinstance(part, dict):
            if "$ref" in part:
                yield part
            part = list(part.values())
        if isinstance(part, list):
            for inner in part:
                yield from references(inner)

    found = list(references(SCHEMA))
    assert len(found) > 50
    assert [each for each in found if len(each) > 1] == []


def test_schema_and_code_have_the_same_values() -> None:
    defs = SCHEMA["$defs"]
    assert defs["outcome"]["enum"] == list(Outcome)
    assert defs["verdict"]["enum"] == list(Verdict)
    assert defs["severity"]["enum"] == list(Severity)
    assert defs["settlement"]["properties"]["reason"]["enum"] == list(Settlement)
    assert SCHEMA["properties"]["type"]["const"] == EVENT_TYPE
    assert SCHEMA["properties"]["dataschema"]["const"] == SCHEMA["$id"] == DATA_SCHEMA


ADDED = {
    "data/search",
    "search/url",
    "search/otherNames",
    "job/message",
    "settlement/lastHeard",
    "output/layout",
    "confidence/scale",
}
"""Members that were added later: manifests that an older version stored do not have them."""


def test_every_listed_member_is_present_unless_it_is_optional() -> None:
    """A member may be absent only if its absence has no meaning, or if it was added later."""
    optional = {
        f"{at}/{name}"
        for at, part in types_of(SCHEMA)
        for name in set(part.get("properties", {})) - set(part.get("required", ()))
    }
    assert {place.removeprefix("#/") for place in optional} == {
        *ADDED,
        "comparison/detail",
        "checks/all",
        "report/failures",
        "check/asked",
        "check/detail",
        "check/offending",
        "check/examples",
        "example/row",
        "example/id",
        "example/value",
        "example/column",
        "example/inputValue",
        # Added later:
        "output/columnCount",
        "input/differenceCount",
    }
