"""Runs the app and its command among servers that repeat every secret, and collects what gets out.

Each function runs in Microsoft's worker library, as in the host, in a process whose root logger
takes everything.
"""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from devkit.stage import QUEUE, ROOT
from gem_core.redaction import PREFIX
from gem_core.storage.names import CONTAINERS
from gem_core.web import TYPE_PREFIX

_EACH_RUN = """
import json, os, sys
from tests.wiring.fresh import forget_edges
if sys.argv[1] == "off":
    from gem_core.redaction import Redactor
    Redactor.__call__ = lambda self, text: text

def each_run():
    for label, settings, calls in json.loads(sys.stdin.read()):
        for stream in (sys.stdout, sys.stderr):
            print(f"\\x1e{label}", file=stream, flush=True)
        os.environ.clear()
        os.environ.update(settings)
        forget_edges()
        yield from calls
"""
_APP = (
    _EACH_RUN
    + """
import logging
from pathlib import Path
logging.basicConfig(level=logging.DEBUG)
from devkit.runner.worker import Invocation, TypedData, Worker
from gem_core.flows import deliver_results
deliver_results.SECONDS_BEFORE_RAISING = 0
worker = Worker()
functions = {function.name: function for function in worker.load(Path.cwd())}
for name, parameter, kind, value, metadata in each_run():
    data = TypedData(**{kind: value.encode() if kind == "bytes" else value})
    if kind == "http":
        data = TypedData(http=type("Http", (), {
            "method": "GET", "url": "http://127.0.0.1/api/x", "headers": {}, "params": value,
            "query": {}, "body": TypedData(bytes=b""),
        })())
    metadata = {key: TypedData(string=text) for key, text in metadata.items()}
    answer = worker.invoke(Invocation(functions[name], parameter, data, metadata))
    body = answer.returned.http.body.bytes if answer.returned else b""
    print(json.dumps([name, answer.failure, bytes(body or b"").decode()]))
"""
)
_COMMANDS = (
    _EACH_RUN
    + """
from gem_core.__main__ import main
for words in each_run():
    try:
        main(words)
    except SystemExit:
        pass
"""
)
type Call = tuple[str, str, str, Any, Mapping[str, str]]


def http(name: str, job_run_id: str = "") -> Call:
    """A request to a route."""
    return name, "req", "http", {"jobRunId": job_run_id}, {}


TICK: Call = ("check_jobs", "timer", "json", '{"IsPastDue": false}', {})


def ticket(job_run_id: str) -> Call:
    """The event of a ticket."""
    path = f"gem-tickets/{job_run_id}.json"
    return "deliver_results", "ticket", "bytes", "{}", {"BlobTrigger": path}


@dataclass
class Doors:
    """What got out, by door."""

    texts: dict[str, str] = field(default_factory=dict)

    def add(self, door: str, text: str) -> None:
        """Add a text that got out by this door."""
        self.texts[door] = self.texts.get(door, "") + "\n" + text

    def hits(self, secrets: Mapping[str, str]) -> set[tuple[str, str]]:
        """Each door and secret of which it shows as much as would help somebody."""
        return {
            (door, name)
            for door, text in self.texts.items()
            for name, secret in secrets.items()
            if secret[:PREFIX] in _decoded(text)
        }


def _decoded(text: str) -> str:
    """The text as it is, and without its percent-encoding and its JSON."""
    once = unquote(text)
    return "\n".join((text, once, unquote(once), text.replace("\\", "")))


def forms(secret: str) -> list[str]:
    """Plain and percent-encoded, whole and cut."""
    coded = quote(secret, safe="")
    every = "".join(f"%{ord(letter):02x}" for letter in secret)
    return [secret, coded, every, quote(coded, safe=""), secret[: PREFIX + 2], quote(secret[:-2])]


@dataclass(frozen=True, slots=True)
class Run:
    """Calls and commands under the same settings."""

    settings: Mapping[str, str]
    calls: Sequence[Call]
    commands: Sequence[Sequence[str]]
    label: str = ""


def use(doors: Doors, *runs: Run, net: bool = True) -> None:
    """Call functions of the app in one process, and run commands in another; add what gets out.

    Args:
        doors: where to add it.
        runs: what to do, one after the other.
        net: whether known secrets are taken out of texts.

    """
    app = [(run.label, {"PATH": "", **run.settings}, run.calls) for run in runs]
    for label, out, err in _outputs(_APP, app, net=net):
        doors.add(f"{label}log", err)
        for name, failure, body in map(json.loads, out.splitlines()):
            doors.add(f"{label}host", failure)
            is_problem = TYPE_PREFIX in body
            door = "problem" if is_problem else "doctor" if name == "doctor" else "route"
            doors.add(label + door, body)
    terminal = [(run.label, {"PATH": "", **run.settings}, run.commands) for run in runs]
    for label, out, err in _outputs(_COMMANDS, terminal, net=net):
        doors.add(f"{label}cli", out)
        doors.add(f"{label}cli errors", err)


def _outputs(program: str, runs: object, *, net: bool) -> Iterator[tuple[str, str, str]]:
    """Label, standard output and standard error of each run."""
    done = subprocess.run(
        [sys.executable, "-c", program, "on" if net else "off"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "GEM_CHECK_BATCH_SIZE": "10"},  # so that all are indexed
        input=json.dumps(runs),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    parts = (text.split("\x1e")[1:] for text in (done.stdout, done.stderr))
    for out, err in zip(*parts, strict=True):
        label, _, rest = out.partition("\n")
        yield label, rest, err.partition("\n")[2]


def read_stores(doors: Doors, connection_string: str) -> None:
    """Add all that the app has stored and sent."""
    with BlobServiceClient.from_connection_string(connection_string) as blobs:
        for container in CONTAINERS:
            client = blobs.get_container_client(container)
            for blob in client.list_blobs(include=["metadata"]):
                text = client.download_blob(blob.name).readall().decode()
                door = blob.name.rpartition("/")[2] if container == "gem-reports" else container
                doors.add(door, f"{blob.name} {blob.metadata} {text}")
    with QueueServiceClient.from_connection_string(connection_string) as queues:
        for message in queues.get_queue_client(QUEUE).peek_messages(32):
            doors.add("queue", base64.b64decode(message.content).decode())
