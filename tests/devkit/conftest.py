"""Fixtures of these tests."""

from collections.abc import Iterator

import pytest

from devkit.azurite import Azurite
from devkit.simulator import SimulatorSettings
from tests.devkit.plain_app import Storage
from tests.devkit.simulator_client import SimulatorClient


@pytest.fixture
def storage(azurite: Azurite) -> Iterator[Storage]:
    made = Storage(azurite)
    yield made
    made.close()


@pytest.fixture
def client() -> Iterator[SimulatorClient]:
    client = SimulatorClient(SimulatorSettings(hold_seconds=0.01))
    with client.simulator, client.session:
        yield client
