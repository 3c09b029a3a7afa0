"""The OpenAPI document describes the routes that functions.py registers, in the app's own terms."""

import json
import re
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from gem_core.flows import in_bulk, job_query
from gem_core.outcome import Outcome
from gem_core.watch import registration
from gem_core.watch.record import Stage
from gem_core.web import PROBLEMS, TYPE_PREFIX
from tests.frozen.answers import answers
from tests.infra.contract import indexed
from tests.published import DOCUMENT, operations

SCHEMAS = DOCUMENT["components"]["schemas"]


def routes() -> dict[tuple[str, str], tuple[str, str]]:
    """Method and path to the function that functions.py registers, and to its level of access."""
    return {
        (method, f"/api/{binding['route']}"): (name, binding["authLevel"].upper())
        for name, bindings in indexed().items()
        for binding in bindings
        if binding["type"] == "httpTrigger"
        for method in binding["methods"]
    }


def test_document_and_app_have_the_same_routes() -> None:
    """And each operation has the name of its function; two of one name would break generators."""
    head = ("HEAD", "/api/health")
    named = {route: operation["operationId"] for route, operation in operations().items()}
    functions = {route: function for route, (function, _) in routes().items()}
    assert named == functions | {head: "health_head"}


def test_every_route_but_health_needs_a_key() -> None:
    """In the app, and in the document."""
    health = {("GET", "/api/health"), ("HEAD", "/api/health")}
    assert {route for route, (_, level) in routes().items() if level != "FUNCTION"} == health
    assert {route for route, each in operations().items() if "security" in each} == health


def test_words_and_members_are_those_of_the_code() -> None:
    listing = DOCUMENT["paths"]["/api/jobs"]["get"]["parameters"]
    assert {each["name"] for each in listing} == job_query.WORDS
    assert set(SCHEMAS["Selection"]["properties"]) == in_bulk.SELECTION
    assert set(SCHEMAS["Registration"]["properties"]) == registration.MEMBERS
    assert set(SCHEMAS["NewJob"]["properties"]) == registration.MEMBERS | {"jobRunId"}
    assert SCHEMAS["NewJobs"]["properties"]["jobs"]["maxItems"] == in_bulk.MAX_JOBS
    (limit,) = [each["schema"] for each in listing if each["name"] == "limit"]
    bounds = (limit["maximum"], limit["default"])
    assert bounds == (job_query.MAX_PAGE, job_query.DEFAULT_PAGE)


def nameless(schema: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether an object with members, or a list of such, is described where it is used."""
    return isinstance(schema, dict) and (
        "properties" in schema or any(nameless(schema.get(key)) for key in ("items", "schema"))
    )


def test_every_body_has_a_name() -> None:
    """A generated client would call it `ListTrouble200ResponseJobsInner`."""
    bodies = [
        media
        for operation in operations().values()
        for holder in (*operation["responses"].values(), operation.get("requestBody", {}))
        for media in holder.get("content", {}).values()
    ]
    members = [part for each in SCHEMAS.values() for part in each.get("properties", {}).values()]
    assert [part for part in (*bodies, *members) if nameless(part)] == []


def test_values_are_those_of_the_code() -> None:
    assert SCHEMAS["Stage"]["enum"] == list(Stage)
    assert SCHEMAS["Outcome"]["enum"] == list(Outcome)
    assert SCHEMAS["JobId"]["pattern"] == f"^{registration._JOB_RUN_ID.pattern}$"
    types = SCHEMAS["Problem"]["properties"]["type"]["enum"]
    assert set(types) == {TYPE_PREFIX + kind.name for _, kind in PROBLEMS}
    described = SCHEMAS["Problem"]["properties"]["type"]["description"]
    statuses = dict(re.findall(r"^\* `([a-z-]+)`: (\d+)\. .+\.$", described, re.MULTILINE))
    assert statuses == {kind.name: str(kind.status) for _, kind in PROBLEMS}
    labels = SCHEMAS["Labels"]
    assert labels["maxProperties"] == registration.MAX_LABELS
    assert labels["additionalProperties"]["maxLength"] == registration.MAX_LABEL_LENGTH


def test_answers_are_as_described() -> None:
    """Those of the routes that answer with JSON of the app's own."""
    checked = set()
    for route, body in answers():
        method, _, path = route.partition(" ")
        operation = operations().get((method, path))
        if operation:
            good = next(each for code, each in operation["responses"].items() if code < "300")
            schema = good["content"]["application/json"]["schema"]
            whole = {**DOCUMENT, **schema}
            Draft202012Validator(whole, format_checker=FormatChecker()).validate(
                json.loads(json.dumps(body))
            )
            checked.add(route)
    assert len(checked) == 12
