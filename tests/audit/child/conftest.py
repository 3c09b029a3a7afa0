"""Engines for the tests of the child."""

import os
from collections.abc import Iterator

import pytest

from gem_core.audit.child.engine import Engine
from tests.audit.child.children import LIMITS


@pytest.fixture(scope="module")
def shared() -> Iterator[Engine]:
    """For tests that leave the child as it was."""
    with Engine(LIMITS, os.environ) as engine:
        yield engine


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine(LIMITS, os.environ) as engine:
        yield engine
