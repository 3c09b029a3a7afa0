"""The log lines of the flows are tested too."""

import pytest


@pytest.fixture(autouse=True)
def _with_log_lines(all_levels: None) -> None:
    """See `all_levels` in tests/conftest.py."""
