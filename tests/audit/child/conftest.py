"""Engines for the tests of the child."""

import os
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from gem_core.audit.child import attempt, serving, stopwatch
from gem_core.audit.child.engine import Engine
from gem_core.audit.child.serving import RangeServer
from tests.audit.child.children import LIMITS, Dripping


@pytest.fixture(scope="module")
def shared() -> Iterator[Engine]:
    """For tests that leave the child as it was."""
    with Engine(LIMITS, os.environ) as engine:
        yield engine


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine(LIMITS, os.environ) as engine:
        yield engine


@pytest.fixture
def dripping_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes only while every range that is waited for drips: one second at each look.

    So a limit of one second is exceeded at the second look, and never by a machine that is slow.
    """
    now = 0.0
    look = RangeServer.give_up_overdue

    def looked(self: RangeServer) -> None:
        nonlocal now
        files = [self._files[wanted.range.file].source for wanted in [*self._wanted.values()]]
        drips = [isinstance(file, Dripping) and file.began.is_set() for file in files]
        now += bool(drips) and all(drips)
        look(self)

    monkeypatch.setattr(RangeServer, "give_up_overdue", looked)
    for module in (attempt, serving, stopwatch):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now))
