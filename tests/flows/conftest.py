"""What the stories log is part of what they tell."""

import pytest


@pytest.fixture(autouse=True)
def _all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "gem_core")
