"""A delivery is read from one module to the next, and asks storage no more than it must."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from types import CodeType, FrameType
from unittest.mock import Mock

import pytest

import function_app
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.deliverer import Deliverer
from gem_core.page.make import make_page
from gem_core.storage.names import TICKETS
from gem_core.wiring import delivery
from tests.builders import JOB, World, matched_file
from tests.flows.build import INPUT, settled

ROOT = Path(function_app.__file__).parent
MAX_STATIONS = 14
STORIES_APART = {"audit", "page", "settings"}
"""Packages that are read on their own, and so is what they call."""
REGISTRY = "watch.registry"
"""A station; how a record is read is a story apart as well."""


def with_everything() -> tuple[World, Deliverer]:
    """A settled job with output and input, whose report is drawn too."""
    world = settled()
    world.files.write(INPUT, matched_file())
    world.trap.calls.clear()
    return world, replace(world.deliverer, make_page=partial(make_page, with_map=True))


class Stations:
    """The modules that are visited, in the order of the first visit.

    Those directly in `gem_core` (errors, log events, outcomes) are the vocabulary of all others,
    and do not count.
    """

    def __init__(self) -> None:
        self.visited: list[str] = []

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Note visits meanwhile."""
        tool, start = sys.monitoring.PROFILER_ID, sys.monitoring.events.PY_START
        sys.monitoring.use_tool_id(tool, "stations")
        sys.monitoring.register_callback(tool, start, self._started)
        sys.monitoring.set_events(tool, start)
        try:
            yield
        finally:
            self.stop()
            sys.monitoring.free_tool_id(tool)
            sys.monitoring.restart_events()

    def stop(self) -> None:
        """Note none any more."""
        sys.monitoring.set_events(sys.monitoring.PROFILER_ID, 0)

    def _started(self, code: CodeType, _: int) -> object:
        module = module_of(code.co_filename)
        if not module or module in self.visited or package_of(module) in STORIES_APART:
            return sys.monitoring.DISABLE
        callers = set(map(module_of, files_of(sys._getframe(2))))
        if REGISTRY not in callers and not STORIES_APART & set(map(package_of, callers)):
            self.visited.append(module)
        return None


@cache
def module_of(file: str) -> str:
    """Such as "flows.deliver_results"; empty for what does not count."""
    path = Path(file)
    if not path.is_relative_to(ROOT):
        return ""
    match path.relative_to(ROOT).with_suffix("").parts:
        case ("gem_core", package, *rest) if rest:
            return ".".join((package, *rest))
        case ("function_app",):
            return "function_app"
    return ""


def package_of(module: str) -> str:
    return module.partition(".")[0]


def files_of(frame: FrameType | None) -> Iterator[str]:
    """Of a function and of all that called it."""
    while frame:
        yield frame.f_code.co_filename
        frame = frame.f_back


def test_a_delivery_visits_few_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    world, deliverer = with_everything()
    stations = Stations()

    def wired() -> Deliverer:
        stations.visited.append("wiring.delivery")
        return deliverer

    def send(body: str) -> None:
        stations.stop()
        world.queue.sent.append(body)

    monkeypatch.setattr(delivery, "deliverer", wired)
    monkeypatch.setattr(world.queue, "send", send)
    ticket = Mock()
    ticket.name = f"{TICKETS}/{JOB}.json"
    deliver = function_app.deliver_results.build().get_user_function()
    with stations.watched():
        deliver(ticket)
    assert world.queue.sent
    assert stations.visited[0] == "function_app"
    assert {"flows.audit_output", "flows.keep_manifest"} <= set(stations.visited)
    assert len(stations.visited) <= MAX_STATIONS, " -> ".join(stations.visited)


def test_a_delivery_costs_a_fixed_number_of_requests() -> None:
    world, deliverer = with_everything()
    deliver_results(deliverer, JOB)
    requests = [call for call in world.trap.calls if not call.endswith(".url")]
    assert requests == [
        "jobs.get",
        "files.open", "manifests.get", "manifests.get",
        "manifests.create", "files.open", "files.source.read", "files.source.read",
        "manifests.delete",
        "reports.create", "files.source.read", "reports.put", "manifests.create",
        "files.source.read", "queue.send",
        "worklist.get", "jobs.replace", "worklist.delete",
    ]  # fmt: skip
