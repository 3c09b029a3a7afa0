"""Coverage is not measured here: other tests reach the same code, and these would take twice as
long.
"""

import pytest


@pytest.fixture(autouse=True)
def _unmeasured(no_cover: None) -> None:
    """Of pytest-cov; it does nothing unless `--cov` is given."""
