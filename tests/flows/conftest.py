"""The log lines of the flows are tested too."""

import pytest


@pytest.fixture(autouse=True)
def _all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "gem_core")
