"""Fixtures of these tests."""

from collections.abc import Iterator

import pytest

from tests.infra.life import Life, kept


@pytest.fixture(autouse=True)
def _unmeasured(no_cover: None) -> None:
    """As in `tests/world`."""


@pytest.fixture
def life() -> Iterator[Life]:
    with kept() as handler:
        yield Life(handler)
