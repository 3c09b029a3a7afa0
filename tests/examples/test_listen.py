"""`examples/listeners/python/listen.py`, which people copy: no message ends it."""

import base64
import json
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import Mock

import pytest
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
)
from azure.storage.queue import QueueClient, QueueMessage

from devkit.azurite import Azurite
from tests.examples.listeners import FOLDER
from tests.gem.server import Reply, ScriptedServer


@dataclass
class Message:
    content: str


@dataclass
class Queue:
    """Gives its messages once."""

    messages: list[Message]
    deleted: list[Message] = field(default_factory=list)
    queue_name: str = "gem-results"

    def receive_message(self, **_: object) -> Message | None:
        return self.messages.pop(0) if self.messages else None

    def delete_message(self, message: Message) -> None:
        self.deleted.append(message)


@dataclass
class HalfWay:
    """A real queue, of which another listener gets each message while this one works."""

    queue: QueueClient
    is_deleted: bool
    """Whether the other listener has also ended its work."""

    def receive_message(self, **words: Any) -> QueueMessage | None:  # noqa: ANN401 - the SDK's
        message = self.queue.receive_message(**words)
        if message:
            again = self.queue.update_message(message, visibility_timeout=60)
            if self.is_deleted:
                self.queue.delete_message(again)
        return message

    def delete_message(self, message: QueueMessage) -> None:
        self.queue.delete_message(message)


@pytest.fixture(scope="module")
def listener() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        yield import_module("listen")


def receive(listener: ModuleType, queue: Queue | HalfWay) -> Iterator[dict[str, Any]]:
    with closing(sqlite3.connect(":memory:")) as database:
        yield from listener.receive(queue, listener.Handled(database), once=True)


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
        {"data": {"outcome": "postponed"}},
        {"data": {"outcome": "odd\x1b[2J"}},
        {"dataschema": None},
        {"type": "odd\x1b[2J"},
    ],
    ids=["type", "dataschema", "outcome", "odd outcome", "no dataschema", "terminal"],
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
    assert line.startswith(f"event {event['id']} is unknown (type ")
    assert line.isprintable()
    assert listener.advice(received) is listener.Advice.ASK


@pytest.mark.parametrize("outcome", [None, "", 5, ["valid"]])
def test_what_has_no_outcome_is_no_manifest(
    listener: ModuleType, event: dict[str, Any], outcome: object
) -> None:
    odd = event | {"data": event["data"] | {"outcome": outcome}}
    queue = Queue([Message(json.dumps(odd))])
    assert list(receive(listener, queue)) == []
    assert queue.deleted == []


@pytest.mark.azurite
@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_message_that_another_listener_got_meanwhile_does_not_end_it(
    listener: ModuleType, event: dict[str, Any], azurite: Azurite, *, is_deleted: bool
) -> None:
    """Storage answers 400, or 404 when the other one has deleted it."""
    with QueueClient.from_connection_string(
        azurite.connection_string, f"slow-{uuid.uuid4().hex}"
    ) as queue:
        queue.create_queue()
        for number in range(2):
            queue.send_message(json.dumps(event | {"id": f"{number:032}"}))
        received = receive(listener, HalfWay(queue, is_deleted=is_deleted))
        assert [int(each["id"]) for each in received] == [0, 1]
        assert queue.get_queue_properties().approximate_message_count == (0 if is_deleted else 2)


def test_a_queue_that_refuses_to_delete_ends_it(
    listener: ModuleType, event: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No rights, for example: a person must see that."""
    error = HttpResponseError("AuthorizationPermissionMismatch")
    error.status_code = 403
    queue = Queue([Message(json.dumps(event))])
    monkeypatch.setattr(queue, "delete_message", Mock(side_effect=error))
    with pytest.raises(listener.QueueUnusable, match=r"^queue 'gem-results' refuses access: .*403"):
        list(receive(listener, queue))


def refusal(status: int, code: str) -> Reply:
    """An answer in storage's form."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>"
    headers = {"x-ms-error-code": code, "Content-Type": "application/xml"}
    return Reply(status, body.encode(), headers)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reply", "advice"),
    [
        (refusal(404, "QueueNotFound"), "does not exist: create it"),
        (refusal(403, "AuthorizationPermissionMismatch"), "refuses access: ask for the role"),
    ],
    ids=["missing", "refused"],
)
def test_a_queue_that_cannot_be_read_is_one_line(reply: Reply, advice: str, tmp_path: Path) -> None:
    with ScriptedServer(reply) as server:
        text = f"AccountName=a;AccountKey=a2V5;QueueEndpoint={server.url}/a"
        done = subprocess.run(
            [sys.executable, FOLDER / "listen.py", "--connection-string", text, "--once"],
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"queue 'gem-results' {advice}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (ClientAuthenticationError("long text of azure.identity"), "needs an identity: .*az login"),
        (ServiceRequestError("long text of urllib3"), "cannot be read: check the address"),
    ],
)
def test_a_queue_that_was_not_asked_is_one_line(
    listener: ModuleType, error: AzureError, advice: str
) -> None:
    queue = Mock(receive_message=Mock(side_effect=error), queue_name="gem-maps")
    with pytest.raises(listener.QueueUnusable, match=f"^queue 'gem-maps' {advice}") as caught:
        list(receive(listener, queue))
    assert "long text" not in str(caught.value)


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
