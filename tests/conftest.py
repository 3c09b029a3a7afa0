"""What several test folders share: the storage emulator, and the markers that tests go by."""

import gc
import signal
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

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
    """Give each test the markers of its fixtures."""
    for item in items:
        for marker in guard.markers_of(getattr(item, "fixturenames", ())):
            item.add_marker(marker)


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


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """One in-memory storage emulator for the whole run; a test takes containers of its own."""
    with Azurite() as running:
        yield running
