"""The whole app, once for all tests that do not break it."""

from collections.abc import Iterator

import pytest

from devkit.stage import stage
from tests.integration.courier import FAST, Courier


@pytest.fixture(scope="package")
def courier() -> Iterator[Courier]:
    """Azurite, the GEM simulator and the app in the development runner."""
    overrides = FAST | {"GEM_FAILING_ROWS": "1000"}
    with stage(time_scale=600, overrides=overrides, hold_seconds=1) as up:
        yield Courier(up)
