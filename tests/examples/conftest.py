"""Fixtures of these tests."""

from typing import Any

import pytest

from tests.flows.build import delivered, settled


@pytest.fixture(scope="session")
def event() -> dict[str, Any]:
    """A manifest."""
    return delivered(settled())
