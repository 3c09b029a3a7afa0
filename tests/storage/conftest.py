"""Fixtures of these tests."""

from collections.abc import Iterator

import pytest
from azure.core.pipeline.transport import HttpTransport

from tests.wiring.fresh import forget_edges


@pytest.fixture
def without_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Azure's clients try again at once, and no test gets a client of another one."""
    monkeypatch.setattr(HttpTransport, "sleep", lambda *_: None)
    monkeypatch.setattr("azure.storage.blob._download.time.sleep", lambda _: None)
    yield
    forget_edges()
