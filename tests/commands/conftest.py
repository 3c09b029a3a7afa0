"""The stores of the emulator for commands."""

from collections.abc import Iterator

import pytest

from devkit.azurite import Azurite
from tests.commands.command_runner import CommandRunner, empty_stores
from tests.wiring.fresh import forget_edges


@pytest.fixture
def command(
    azurite: Azurite, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[CommandRunner]:
    """A command runner with GEM_STATE as its only setting."""
    monkeypatch.setattr("os.environ", {"GEM_STATE": azurite.connection_string})
    empty_stores(azurite)
    yield CommandRunner(azurite, capsys)
    forget_edges()
