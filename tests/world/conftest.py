"""Coverage is not measured here: other tests reach the same code, and coverage.py does not see all
that runs in a greenlet.
"""

import pytest


@pytest.fixture(autouse=True)
def _unmeasured(no_cover: None) -> None:
    """Of pytest-cov; it does nothing unless `--cov` is given."""
