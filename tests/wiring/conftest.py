"""Fixtures of these tests."""

from collections.abc import Iterator

import pytest

from tests.wiring.fresh import forget_edges


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Every test builds its own edges."""
    forget_edges()
    yield monkeypatch
    forget_edges()
