"""`examples/listeners/python/listen.py`, which people copy: no message ends it."""

import base64
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.flows.build import delivered, settled

FOLDER = Path(__file__).resolve().parent.parent / "examples" / "listeners" / "python"


@dataclass
class Message:
    content: str


@dataclass
class Queue:
    """Gives its messages once."""

    messages: list[Message]
    deleted: list[Message] = field(default_factory=list)

    def receive_messages(self, **_: object) -> Iterator[Message]:
        batch, self.messages = self.messages, []
        return iter(batch)

    def delete_message(self, message: Message) -> None:
        self.deleted.append(message)


@pytest.fixture(scope="module")
def listener() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        yield import_module("listen")


def receive(listener: ModuleType, queue: Queue) -> Iterator[dict[str, Any]]:
    with closing(sqlite3.connect(":memory:")) as database:
        yield from listener.receive(queue, listener.Handled(database), once=True)


@pytest.fixture(scope="module")
def event() -> dict[str, Any]:
    return delivered(settled())


def as_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("encode", [str, as_base64])
def test_a_manifest_is_returned_once_and_deleted_each_time(
    listener: ModuleType, event: dict[str, Any], encode: type[str]
) -> None:
    queue = Queue([Message(encode(json.dumps(event)))] * 2)
    received = receive(listener, queue)
    assert next(received) == event
    assert queue.deleted == []  # whoever dies here sees it again
    assert list(received) == []
    assert len(queue.deleted) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        as_base64("\ud800".encode(errors="surrogatepass").decode("latin-1")),
        as_base64("5"),
        as_base64("[" * 40_000),
        as_base64('{"a":' * 30_000),
        '{"id": "x"}',
        '{"id": "' + "x" * 40_000 + '"}',
    ],
    ids=["empty", "text", "odd", "number", "deep-list", "deep-object", "other", "long"],
)
def test_what_is_no_manifest_is_left_alone_and_logged_in_one_line(
    listener: ModuleType, event: dict[str, Any], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = Queue([Message(text), Message(as_base64(json.dumps(event)))])
    assert list(receive(listener, queue)) == [event]
    assert [message.content for message in queue.deleted] == [as_base64(json.dumps(event))]
    err = capsys.readouterr().err
    assert err.startswith("invalid message, not deleted: ")
    assert len(err.splitlines()) == 1
    assert len(err) < 300


def test_a_job_id_that_cannot_be_one_is_no_manifest(
    listener: ModuleType, event: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    odd = event | {"data": event["data"] | {"jobRunId": "job\x1b[2J"}}
    assert list(receive(listener, Queue([Message(json.dumps(odd))]))) == []
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "newer",
    [
        {"type": "io.gemcourier.job.started.v1", "data": {}},
        {"dataschema": "urn:gem-courier:manifest:2", "data": {"outcome": "postponed"}},
        {"dataschema": None},
        {"type": "odd\x1b[2J"},
    ],
    ids=["type", "outcome", "no dataschema", "terminal"],
)
def test_an_event_that_the_schema_does_not_describe_is_for_a_person(
    listener: ModuleType, event: dict[str, Any], newer: dict[str, Any]
) -> None:
    """It is returned once and deleted, like each other event; the listener does not guess."""
    text = json.dumps(event | newer)
    queue = Queue([Message(text)] * 2)
    (received,) = receive(listener, queue)
    assert len(queue.deleted) == 2
    line = listener.summary(received)
    assert line.startswith(f"A PERSON MUST LOOK: event {event['id']} is unknown (type ")
    assert line.isprintable()


def test_an_outcome_that_the_schema_lacks_is_no_manifest_under_its_dataschema(
    listener: ModuleType, event: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    odd = event | {"data": event["data"] | {"outcome": "postponed"}}
    queue = Queue([Message(json.dumps(odd))])
    assert list(receive(listener, queue)) == []
    assert queue.deleted == []
    assert "'postponed' is not one of" in capsys.readouterr().err


def test_members_may_be_added_at_any_time(listener: ModuleType, event: dict[str, Any]) -> None:
    newer = event | {"traceparent": "00-1", "data": event["data"] | {"added": [1]}}
    (received,) = receive(listener, Queue([Message(json.dumps(newer))]))
    assert received == newer
    assert listener.summary(received).startswith("valid ")


def test_no_word_of_a_manifest_commands_a_terminal(
    listener: ModuleType, event: dict[str, Any]
) -> None:
    """The schema lets any text be the name of a check, as later rulesets may have others."""
    failed = {"name": "odd\x1b[2J\n\u202e\ud800", "severity": "error", "verdict": "failed"}
    odd = json.loads(json.dumps(event))
    odd["data"]["checks"]["notPassed"] = [failed | {"title": "x"}]
    (received,) = receive(listener, Queue([Message(json.dumps(odd))]))
    line = listener.summary(received)
    assert line.isprintable()
    assert line.endswith(r"failed: odd\x1b[2J\n\u202e\ud800")


def test_what_was_handled_is_remembered_by_the_next_process(
    listener: ModuleType, event: dict[str, Any], tmp_path: Path
) -> None:
    handled = []
    for _ in range(2):
        with closing(sqlite3.connect(tmp_path / "handled.sqlite")) as database:
            queue = Queue([Message(json.dumps(event))])
            received = listener.receive(queue, listener.Handled(database), once=True)
            handled.append(len(list(received)))
            assert len(queue.deleted) == 1
    assert handled == [1, 0]
