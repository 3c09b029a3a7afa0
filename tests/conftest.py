"""What several test folders share: the storage emulator, and the markers that tests go by."""

import gc
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, override

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

from devkit.azurite import Azurite
from tests import guard

# No test asserts a duration; hypothesis would, by default, and fail on a busy machine.
settings.register_profile(
    "no-deadline", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("no-deadline")

guard.install()

# A shell ignores Ctrl-C for commands started with `&`, and what the tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)  # before pytest selects by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test the markers of its fixtures, and put files of a kind together."""
    for item in items:
        for marker in guard.markers_of(getattr(item, "fixturenames", ())):
            item.add_marker(marker)
    kinds: dict[Path, set[str]] = {}
    for item in items:
        kinds.setdefault(item.path, set()).update(mark.name for mark in item.iter_markers())
    places = {path: _place(kinds[path], number) for number, path in enumerate(kinds)}
    items.sort(key=lambda item: places[item.path])


def _place(kinds: set[str], number: int) -> tuple[int, int]:
    """Of a file: tests that start the whole app, quick ones, those that compute much.

    The longest of these are in `tests/audit`. They come last, where `FromBothEnds` begins.
    """
    if "azurite" in kinds:
        return 0, number
    return (2, -number) if kinds & {"browser", "slow"} else (1, number)


class FromBothEnds(LoadFileScheduling):  # type: ignore[misc] # pytest-xdist has no types
    """One worker takes the last file, the others the first ones.

    So tests that wait run beside tests that compute, and the last ones to run are quick.
    """

    @override
    def _assign_work_unit(self, node: WorkerController) -> None:
        if node is self.nodes[-1]:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    return FromBothEnds(config, log) if config.option.dist == "loadfile" else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """For `-n auto`: while a test of the whole app waits, another process has its core."""
    return (os.process_cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """Thousands of tests stay until the end: let no garbage collection visit them again."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Some libraries report at exit what was not collected."""
    gc.unfreeze()


@pytest.hookimpl(tryfirst=True)  # before the fixtures of the test
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let the test start what its markers say."""
    guard.allow(marker.name for marker in item.iter_markers())


@pytest.fixture(autouse=True)
def _marked(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fixtures that a test asks for by `getfixturevalue` are known only at its end."""
    yield
    marked = {marker.name for marker in request.node.iter_markers()}
    missing = guard.markers_of(request.fixturenames) - marked
    assert not missing, f"the test needs these markers: {missing}"


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """In a worker of pytest-xdist, which reports all but this: count for the summary."""
    output = getattr(items[0].config, "workeroutput", {})
    output["deselected"] = output.get("deselected", 0) + len(items)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_testnodedown(node: Any) -> None:  # noqa: ANN401 - not exported by pytest-xdist
    """In its controller: all workers have deselected the same tests."""
    count = getattr(node, "workeroutput", {}).get("deselected", 0)
    reporter = node.config.pluginmanager.get_plugin("terminalreporter")
    reporter.stats["deselected"] = [node] * count  # the summary gives only their number


@pytest.fixture
def all_levels(caplog: pytest.LogCaptureFixture) -> None:
    """`caplog` has our lines of every level; without this, warnings and errors only."""
    caplog.set_level("INFO", "gem_core")


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """One in-memory storage emulator for the whole run; a test takes containers of its own."""
    with Azurite() as running:
        yield running
