"""Valid registrations are accepted; invalid ones are refused with a reason."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.errors import RequestError
from gem_core.watch.record import Stage
from gem_core.watch.record_json import record_to_bytes
from gem_core.watch.registration import parse_job_run_id, register
from tests.builders import JOB
from tests.fakes import START


@pytest.mark.parametrize(
    "value", [JOB, "a", "7", "A.b_c~d-e", "x" * 128, "0f8fad5b-d9cb-469f-a165-70867728950e", "a..b"]
)
def test_a_valid_job_id_is_taken_as_it_is(value: str) -> None:
    assert parse_job_run_id(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        "x" * 129,
        "x" * 300,
        "a.",
        ".a",
        "-a",
        "~a",
        "_a",
        "a\n",
        "\na",
        "a b",
        "jöb",
        "\u0661",
        "\U0001f600",
        "a%2Fb",
        "a?b",
        "a#b",
        "a\x00b",
    ],
    ids=ascii,
)
def test_an_invalid_job_id_is_refused(value: str) -> None:
    with pytest.raises(RequestError, match="is not a valid job id: it must have 1 to 128 of"):
        parse_job_run_id(value)


def test_a_registration_stores_all_of_its_members() -> None:
    body = {"labels": {"team": "roads", "": ""}, "expectedInputName": "roads.parquet"}
    record = register(JOB, body, START)
    assert record.job_run_id == JOB
    assert record.stage is Stage.WATCHING
    assert record.registered_at == record.due_at == START
    assert record.labels == body["labels"]
    assert record.expected_input_name == "roads.parquet"


@pytest.mark.parametrize(
    "body", [None, {}, {"labels": {}}, {"labels": None, "expectedInputName": None}]
)
def test_everything_in_the_body_is_optional(body: object) -> None:
    record = register(JOB, body, START)
    assert record.labels == {}
    assert record.expected_input_name is None


_LABELS = {f"l{number}": "v" for number in range(32)}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], "must be empty, or a JSON object"),
        ("labels", "must be empty, or a JSON object"),
        (7, "must be empty, or a JSON object"),
        (False, "must be empty, or a JSON object"),
        (
            {"label": {}},
            r"the body has unknown members: label\. It can have expectedInputName, labels",
        ),
        ({"x" * 500: 1}, "the body has unknown members"),
        ({"expectedInputName": ""}, "1 to 1,?024 characters"),
        ({"expectedInputName": "x" * 1025}, "1 to 1,?024 characters"),
        ({"expectedInputName": 7}, "must be a string"),
        ({"labels": "a"}, "labels must be an object"),
        ({"labels": ["a"]}, "labels must be an object"),
        ({"labels": []}, "labels must be an object"),
        ({"labels": False}, "labels must be an object"),
        ({"labels": {"a": 1}}, "labels must be an object"),
        ({"labels": {"a": None}}, "labels must be an object"),
        ({"labels": {"a": {}}}, "labels must be an object"),
        ({"labels": {"a": "x" * 257}}, "256 characters in a name or a value"),
        ({"labels": {"x" * 257: ""}}, "256 characters in a name or a value"),
        ({"labels": _LABELS | {"one more": ""}}, "at most 32 labels"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_an_invalid_body_is_refused(body: object, words: str) -> None:
    with pytest.raises(RequestError, match=words) as caught:
        register(JOB, body, START)
    assert len(str(caught.value)) < 300


def test_the_most_labels_that_are_allowed() -> None:
    labels = {f"{number:02}": "v" * 200 for number in range(32)}
    assert register(JOB, {"labels": labels}, START).labels == labels


def test_labels_leave_room_in_the_message() -> None:
    # Labels are never cut from a message, where a character outside ASCII takes up to 12 bytes.
    labels = {f"{number:02}": "\U0001f6e3" * 256 for number in range(32)}
    with pytest.raises(RequestError, match="labels must be"):
        register(JOB, {"labels": labels}, START)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(_JSON | st.fixed_dictionaries({}, optional={"labels": _JSON, "expectedInputName": _JSON}))
def test_what_is_accepted_can_be_stored(body: Any) -> None:  # noqa: ANN401 - any JSON
    try:
        record = register(JOB, body, START)
    except RequestError:
        return
    record_to_bytes(record)


def test_a_label_that_utf8_cannot_encode_is_refused() -> None:
    with pytest.raises(RequestError):
        register(JOB, {"labels": {"team": "\ud800"}}, START)
