"""The stores of the emulator, a clock that stands, and files to audit."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from devkit.azurite import Azurite
from gem_core.commands import jobs_read
from gem_core.wiring.environment import now
from tests.audit.build import changed, input_table, job, matched_table, write
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


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A valid output, one with a warning, an invalid one, the input, and GEM's answer."""
    write(tmp_path, input_table(), "roads.parquet")
    write(tmp_path, matched_table())
    write(tmp_path, matched_table(c=pa.array(["\x1b[2J<b>"] * 12)), "odd.parquet")
    write(tmp_path, changed(matched_table(), "gers_id", r3=None), "bad.parquet")
    (tmp_path / "job.json").write_text(json.dumps(dict(job().answer)))
    return tmp_path
