"""The stores of the emulator for commands, and a clock that stands."""

from collections.abc import Iterator
from datetime import datetime

import pytest

from devkit.azurite import Azurite
from gem_core.commands import jobs_read
from gem_core.wiring.environment import now
from tests.commands import stored_jobs
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


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The time, which stands: no age that is shown depends on how long a test takes."""
    moment = now()
    for module in (jobs_read, stored_jobs):
        monkeypatch.setattr(module, "now", lambda: moment)
    return moment
