"""The stores of the emulator for commands."""

from collections.abc import Iterator

import pytest

from devkit.azurite import Azurite
from tests.commands.desk import DeskCommand, empty_stores
from tests.wiring.fresh import forget_edges


@pytest.fixture
def command(
    azurite: Azurite, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[DeskCommand]:
    """Nothing but GEM_STATE is set."""
    monkeypatch.setattr("os.environ", {"GEM_STATE": azurite.connection_string})
    empty_stores(azurite)
    yield DeskCommand(azurite, capsys)
    forget_edges()
