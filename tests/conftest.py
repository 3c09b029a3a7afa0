"""What several test folders share."""

from collections.abc import Iterator

import pytest

from devkit.azurite import Azurite


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """One in-memory storage emulator for the whole run; a test takes containers of its own."""
    with Azurite() as running:
        yield running
