"""What several test folders share."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from devkit.azurite import Azurite

# No test asserts a duration; hypothesis would, by default, and fail on a busy machine.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """One in-memory storage emulator for the whole run; a test takes containers of its own."""
    with Azurite() as running:
        yield running
