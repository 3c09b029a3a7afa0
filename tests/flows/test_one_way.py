"""A delivery visits few modules, and sends no more requests to storage than necessary."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from unittest.mock import Mock

import pytest

from gem_core import functions
from gem_core.audit.reading.blob_source import HEAD_BYTES
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.deliverer import Deliverer, PageMode
from gem_core.storage.names import TICKETS
from gem_core.wiring import delivery
from tests.builders import JOB, World, matched_file
from tests.flows.build import INPUT, settled

ROOT = Path(functions.__file__).parent.parent
MAX_MODULES = 14
SKIPPED = {"audit", "page", "settings"}
"""Packages that a reader can skip. They and what they call are not counted."""
REGISTRY = "watch.registry"
"""It is counted, but what it calls is not."""


def with_everything() -> tuple[World, Deliverer]:
    """A settled job with output and input, whose report has a page."""
    world = settled()
    world.files.write(INPUT, matched_file())
    world.trap.calls.clear()
    return world, replace(world.deliverer, page=PageMode.WITH_MAP)


class Visits:
    """The modules that a delivery visits, in the order of the first visit.

    Modules directly in `gem_core` (errors, log events, outcomes) are used everywhere and are not
    counted.
    """

    def __init__(self) -> None:
        self.visited: list[str] = []

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Record the visits during the block."""
        tool, start = sys.monitoring.PROFILER_ID, sys.monitoring.events.PY_START
        sys.monitoring.use_tool_id(tool, "visits")
        sys.monitoring.register_callback(tool, start, self._started)
        sys.monitoring.set_events(tool, start)
        try:
            yield
        finally:
            self.stop()
            sys.monitoring.free_tool_id(tool)
            sys.monitoring.restart_events()

    def stop(self) -> None:
        """Record no more visits."""
        sys.monitoring.set_events(sys.monitoring.PROFILER_ID, 0)

    def _started(self, code: CodeType, _: int) -> object:
        module = module_of(code.co_filename)
        if not module or module in self.visited or package_of(module) in SKIPPED:
            return sys.monitoring.DISABLE
        callers = set(map(module_of, files_of(sys._getframe(2))))
        if REGISTRY not in callers and not SKIPPED & set(map(package_of, callers)):
            self.visited.append(module)
        return None


@cache
def module_of(file: str) -> str:
    """The module of a file, such as "flows.deliver_results"; empty if it is not counted."""
    path = Path(file)
    if not path.is_relative_to(ROOT):
        return ""
    match path.relative_to(ROOT).with_suffix("").parts:
        case ("gem_core", package, *rest) if rest:
            return ".".join((package, *rest))
        case ("gem_core", "functions"):
            return "functions"
    return ""


def package_of(module: str) -> str:
    return module.partition(".")[0]


def files_of(frame: FrameType | None) -> Iterator[str]:
    """The files of a function and of all its callers."""
    while frame:
        yield frame.f_code.co_filename
        frame = frame.f_back


def test_a_delivery_visits_few_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    world, deliverer = with_everything()
    visits = Visits()

    def wired() -> Deliverer:
        visits.visited.append("wiring.delivery")
        return deliverer

    monkeypatch.setattr(delivery, "deliverer", wired)
    world.queue.on_send = visits.stop
    ticket = Mock()
    ticket.name = f"{TICKETS}/{JOB}.json"
    deliver = functions.deliver_results.build().get_user_function()
    with visits.watched():
        deliver(ticket)
    assert world.queue.sent
    assert visits.visited[0] == "functions"
    assert {"flows.audit_output", "flows.keep_manifest"} <= set(visits.visited)
    assert len(visits.visited) <= MAX_MODULES, " -> ".join(visits.visited)


def test_a_delivery_costs_a_fixed_number_of_requests() -> None:
    world, deliverer = with_everything()
    world.files.head_bytes = HEAD_BYTES
    deliver_results(deliverer, JOB)
    requests = [call for call in world.trap.calls if not call.endswith(".url")]
    assert requests == [
        "jobs.get",
        "files.open",
        "jobs.replace", "files.open",
        "reports.create", "reports.put", "manifests.create",
        "files.source.read", "queue.send", "manifests.append",
        "worklist.etag", "jobs.replace", "worklist.delete",
    ]  # fmt: skip
