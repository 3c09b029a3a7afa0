"""Every name that is stored or sent, collected from the code, by kind."""

import argparse
import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from gem_core.__main__ import command_line
from gem_core.advice.result import State
from gem_core.audit.judging.check import Severity
from gem_core.audit.judging.checks import CHECKS
from gem_core.audit.judging.verdict import Verdict
from gem_core.commands import exit_codes
from gem_core.deliver.manifest import DATA_SCHEMA, EVENT_TYPE, manifest_id
from gem_core.deliver.outbox import SERVED
from gem_core.deliver.outdated import OUTDATED_SCHEMA, OUTDATED_TYPE
from gem_core.deliver.sample import SAMPLE_TYPE
from gem_core.deliver.version import NotAudited, Version
from gem_core.doctor.diagnose_stores import CLOCK_PROBE, PROBE
from gem_core.doctor.diagnostics import DIAGNOSTICS
from gem_core.doctor.finding import DiagnosticStatus
from gem_core.flows import in_bulk
from gem_core.flows.check_jobs import counts
from gem_core.flows.job_documents import JobDocument
from gem_core.flows.list_jobs import list_jobs
from gem_core.flows.replay_poison import Replay
from gem_core.flows.timer_status import TimerStatus
from gem_core.gem.contracts.known import CONTRACTS, OTHER_LAYOUTS
from gem_core.host_http import ROUTE
from gem_core.logs import Event
from gem_core.outcome import Outcome
from gem_core.preflight.road_checks import ROAD_CHECKS
from gem_core.settings.app_settings import InputCompare, QueueEncoding, TriggerSource, read_settings
from gem_core.settings.route import EventType
from gem_core.storage import names
from gem_core.succession.compare import pair_columns
from gem_core.succession.kind import Kind
from gem_core.watch import registration
from gem_core.watch.discovery import NAME as DISCOVERY
from gem_core.watch.heartbeat import Tick
from gem_core.watch.marker import JobState
from gem_core.watch.record import Settlement, Stage
from gem_core.watch.tombstones import PREFIX as TOMBSTONES
from gem_core.watch.trouble import TroubleKind
from gem_core.web import PROBLEMS, TYPE_PREFIX
from tests.builders import JOB, SCHEMA, World
from tests.fakes import START
from tests.frozen.answers import answers
from tests.frozen.golden import Golden, kept, members
from tests.frozen.stored import ENDS, documents
from tests.infra.contract import indexed
from tests.published import SAMPLE, settings_of_the_code

ROOT = Path(__file__).resolve().parent.parent.parent
FILE = Path(__file__).resolve().parent / "names.json"
OUTDATED_FILE = ROOT / "docs" / "outdated.schema.json"

_ENUMS: tuple[type[StrEnum], ...] = (
    Stage, Settlement, Outcome, Verdict, Severity, TroubleKind, Replay, TimerStatus,
    DiagnosticStatus, JobDocument, JobState, Kind, EventType, State,
)  # fmt: skip
_CHOICES = {
    "GEM_INPUT_COMPARE": InputCompare,
    "GEM_RESULTS_QUEUE_ENCODING": QueueEncoding,
    "GEM_TRIGGER_SOURCE": TriggerSource,
}


@cache
def collected() -> dict[str, list[str]]:
    """All names now, each kind in order."""
    # What this version no longer writes has a golden file; its names are never given away.
    stored = {document: forms[0] for document, forms in kept().items()} | documents()
    shown = [(what, json.loads(json.dumps(body))) for what, body in answers()]
    of_record = _paths(stored["record-redelivered"].json) | _paths(stored["record-watching"].json)
    of_record |= _paths(stored["record-postponed"].json)
    found: dict[str, Iterable[str]] = {
        "settings": _settings(),
        "containers": names.CONTAINERS,
        "queues": (read_settings(SAMPLE).routes[0].queue, names.BATCHES, *names.POISON_QUEUES),
        "blobs": _blobs(stored),
        "metadata": {f"{_kind(n)}.{word}" for n, each in stored.items() for word in each.metadata},
        "members": _stored_members(stored),
        "manifest": {
            f"type {EVENT_TYPE}",
            f"type {SAMPLE_TYPE}",
            f"dataschema {DATA_SCHEMA}",
            *_of_schema(SCHEMA),
        },
        "outdated": {
            f"type {OUTDATED_TYPE}",
            f"dataschema {OUTDATED_SCHEMA}",
            f"metadata {SERVED}",
            *_of_schema(json.loads(OUTDATED_FILE.read_text("utf-8"))),
        },
        "ids": _ids(),
        "words": {f"{kind.__name__}.{word}" for kind in _ENUMS for word in kind},
        "problems": {TYPE_PREFIX + kind.name for _, kind in PROBLEMS},
        "contracts": {*CONTRACTS, *(layout.name for layout in OTHER_LAYOUTS)},
        "checks": {f"{check.name} {check.severity}" for check in CHECKS},
        "preflight checks": {f"{check.name} {check.severity}" for check in ROAD_CHECKS},
        "diagnostics": {check.name for check in DIAGNOSTICS},
        "events": _events(),
        "functions": _functions(),
        "query": _query() | {ROUTE},
        "body": registration.MEMBERS | in_bulk.SELECTION,
        "answers": {
            f"{what}: {path}"
            for what, body in shown
            for path in _paths(body) - (of_record if "schemaVersion" in body else set())
        },
        "results": {f"{what}: {body['result']}" for what, body in shown if "result" in body},
        "pairs": pair_columns(pa.string()).names,
        "command": _command(command_line()),
        "exit codes": _exit_codes(),
        "infrastructure": _infrastructure(),
    }
    return {kind: sorted(set(map(str, each))) for kind, each in found.items()}


def frozen() -> dict[str, list[str]]:
    """The list that is held."""
    held: dict[str, list[str]] = json.loads(FILE.read_text(encoding="utf-8"))
    return held


def gone(held: Mapping[str, list[str]], now: Mapping[str, list[str]]) -> list[str]:
    """The names of the one that the other does not have, with their kinds."""
    return [
        f"{kind}: {name}" for kind in held for name in held[kind] if name not in now.get(kind, ())
    ]


def _settings() -> Iterator[str]:
    yield from settings_of_the_code()
    for name, kind in _CHOICES.items():
        yield from (f"{name}={word}" for word in kind)


def _kind(document: str) -> str:
    """A record in each stage is a record; each event has the members of the schema."""
    return document if document.startswith("tick-") else document.partition("-")[0]


def _blobs(stored: Mapping[str, Golden]) -> Iterator[str]:
    for each in stored.values():
        if each.name:
            name = re.sub("[0-9a-f]{32}", "{id}", each.name.replace(JOB, "{jobRunId}"))
            name = re.sub("[0-9]{4}-[0-9]{2}", "{month}", name)
            yield f"{each.store}/{re.sub('/[0-9]+$', '/{number}', name)}"
    yield f"{names.REPORTS}/{{jobRunId}}/{{id}}/report.html"
    yield f"{names.FAILURES}/{{jobRunId}}/{{id}}/failures-{{digest}}.parquet"
    yield from (PROBE, CLOCK_PROBE)
    yield f"{names.WORKLIST}/{DISCOVERY}"
    yield f"{names.WORKLIST}/{TOMBSTONES}{{jobRunId}}"


def _stored_members(stored: Mapping[str, Golden]) -> Iterator[str]:
    for document, each in stored.items():
        kind = _kind(document)
        if kind not in {"event", "report"} and each.body:
            yield from (f"{kind}: {path}" for path in _paths(each.json))


def _paths(body: Any) -> set[str]:  # noqa: ANN401 - any JSON value
    return {path for path, _ in members(body) if not path.endswith("[]")}


def _of_schema(schema: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - any JSON value
    """Every property of the published schema, by the type that has it, and each enum's values."""
    if isinstance(schema, dict):
        for name in schema.get("properties", ()):
            yield f"{path}: {name}"
        yield from (f"{path} = {word}" for word in schema.get("enum", ()))
        for name, each in schema.items():
            is_step = name in {"properties", "$defs", "items", "anyOf", "oneOf", "allOf"}
            yield from _of_schema(each, path if is_step else f"{path}.{name}".removeprefix("."))
    elif isinstance(schema, list):
        for each in schema:
            yield from _of_schema(each, path)


def _ids() -> Iterator[str]:
    """What is hashed into the ids of manifests, and the id that comes of it."""
    versions = [
        Version.of_etag("0x1"),
        *(Version.in_part("0x1", request) for request in (None, START)),
        *(Version.not_audited("0x1", reason, START) for reason in NotAudited),
        *(Version.changed(request) for request in (None, START)),
        Version.refused(),
        *(Version.output_missing(request) for request in (None, START)),
        *(Version.of_settlement(outcome) for outcome in ENDS),
    ]
    for version in versions:
        yield f"{version.text}: {manifest_id(JOB, START, version=version.text, ruleset='1')}"


def _events() -> Iterator[str]:
    """Each event with its facts, as the calls of `log` have them."""
    more = {
        "asdict(tick)": [field.name for field in fields(Tick)],
        "counts(run.results)": list(counts([])),
    }
    yield from Event
    for path in (ROOT / "gem_core").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "log" and call.args:
                named = [each for each in ast.walk(call.args[0]) if isinstance(each, ast.Attribute)]
                known = [Event[each.attr] for each in named if each.attr in Event.__members__]
                for fact in call.keywords:
                    if fact.arg == "traceback":
                        continue
                    facts = [fact.arg] if fact.arg else more[ast.unparse(fact.value)]
                    yield from (f"{each}.{name}" for each in known or _REQUESTS for name in facts)


_REQUESTS = [Event.REQUEST_REFUSED, Event.REQUEST_FAILED]
"""web.py chooses among these."""


def _functions() -> Iterator[str]:
    for name, bindings in indexed().items():
        for binding in bindings:
            if binding["type"] == "httpTrigger":
                place = f"/api/{binding['route']} ({binding['authLevel']})"
                yield from (f"{name}: {method} {place}" for method in binding["methods"])
            elif binding["direction"].lower().endswith("in"):
                yield f"{name}: {binding['type']}"


def _query() -> set[str]:
    """The words of the query that a listing reads."""
    asked: set[str] = set()

    class Query(dict[str, str]):
        def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - dict's own signature
            asked.add(name)
            return super().get(name, default)

    list_jobs(World().manager, Query())
    return asked


def _command(parser: argparse.ArgumentParser, path: str = "") -> Iterator[str]:
    """Every command, option, argument and choice of the command line."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield f"{path}{name}"
                yield from _command(command, f"{path}{name} ")
            continue
        if isinstance(action, argparse._HelpAction):
            continue
        for word in action.option_strings or [str(action.metavar or action.dest)]:
            yield f"{path}{word}"
            yield from (f"{path}{word}={choice}" for choice in action.choices or ())


def _exit_codes() -> Iterator[str]:
    for name in ("DONE", "NOT_SO", "COULD_NOT", "TIMED_OUT"):
        yield f"{getattr(exit_codes, name)} {name}"


def _infrastructure() -> Iterator[str]:
    """What pipelines set and read, and the names of the alerts."""
    given = json.loads((ROOT / "infra" / "main.parameters.json").read_text())["parameters"]
    yield from (f"parameter {name}" for name in given)
    yield from (f"variable {name}" for name in re.findall(r"\$\{(\w+)", json.dumps(given)))
    main = (ROOT / "infra" / "main.bicep").read_text(encoding="utf-8")
    yield from (f"output {name}" for name in re.findall(r"^output (\w+)", main, re.MULTILINE))
    alerts = (ROOT / "infra" / "modules" / "alerts.bicep").read_text(encoding="utf-8")
    rules = alerts.partition("resource ")[0]
    yield from (f"alert {name}" for name in re.findall(r"name: '([a-z-]+)'", rules))
