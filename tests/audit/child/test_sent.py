"""Everything that a child is sent, and what is left of it when it is killed while ids spill."""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, override

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gem_core.audit.child.engine import Engine
from gem_core.audit.child.frames import Channel
from gem_core.audit.child.messages import Question, RangeRead
from gem_core.audit.child.plain import to_plain
from gem_core.audit.child.result import PageOptions
from gem_core.audit.child.self_test import BuiltInFile
from gem_core.audit.options import AuditOptions, IdLimits
from gem_core.errors import AuditUnfinished
from tests.audit.build import job, matched_table
from tests.audit.child.children import GOOD, INPUT, audited, pid
from tests.integration.courier import wait_for

pytestmark = [
    pytest.mark.slow,  # each test starts a child
    pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of Linux"),
]

PAGE = PageOptions(datetime(2026, 1, 20, tzinfo=UTC), with_map=True)

FILE_FACTS = (
    "container", "etag", "head_bytes", "last_modified", "name", "size_bytes", "url", "version_id"
)  # fmt: skip
SENT = {
    "token",  # any value
    *(f"output.{name}" for name in FILE_FACTS),
    *(f"input_file.{name}" for name in FILE_FACTS),
    "job.*",  # GEM's answer about the job, which is no secret: every manifest has it
    "input_note",
    "expected_input",
    "options.id_limits.memory_bytes",
    "options.id_limits.folder",
    "options.id_limits.disk_bytes",
    "options.two_threads",
    "options.with_input",
    "options.with_values",
    "options.failing_rows",
    "options.overture",  # a limit
    "release",  # facts of files, as of the output
    "no_release",  # why there is none
    "look_up_cpu_seconds",
    "page.at",
    "page.with_map",
    "with_progress",
    "cpu_seconds",
    "page_cpu_seconds",
    "not_opened",
}
"""Every member of a question. What is added here must be neither a secret nor an address that opens
a file by itself, nor a setting beyond the limits of an audit."""


def members(value: Mapping[str, Any]) -> set[str]:
    """The names of the members, those of objects within it after a point."""
    found = set()
    for name, member in value.items():
        if name == "job":
            found.add("job.*")
        elif isinstance(member, dict):
            found |= {f"{name}.{inner}" for inner in members(member)}
        else:
            found.add(name)
    return found


def test_it_is_sent_files_job_and_limits_and_nothing_else(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GEM_API_KEY", "GEM_OUTPUT", "GEM_STATE", "AZURE_CLIENT_SECRET"):
        monkeypatch.setenv(name, "AccountKey=c2VjcmV0")
    sent: list[tuple[object, bytes]] = []
    send = Channel.send

    def keep(channel: Channel, message: object, body: bytes = b"") -> None:
        sent.append((message, body))
        send(channel, message, body)

    monkeypatch.setattr(Channel, "send", keep)
    engine.audit(GOOD, job(), input_source=INPUT, page=PAGE, expected_input="roads.parquet")
    (question, *ranges) = [message for message, _ in sent]
    assert isinstance(question, Question)
    assert members(to_plain(question)) == SENT
    assert ranges
    assert all(isinstance(message, RangeRead) for message in ranges)
    assert all(body in GOOD.data or body in INPUT.data for _, body in sent)
    assert "c2VjcmV0" not in repr(sent)


@dataclass(frozen=True)
class HeldBack(BuiltInFile):
    """Something is done before its last row group comes."""

    before_the_end: Callable[[], None] = field(kw_only=True)

    @override
    def read(self, offset: int, length: int) -> bytes:
        if 0.85 < (offset + length) / self.size_bytes < 0.95:
            self.before_the_end()
        return super().read(offset, length)


def test_a_child_that_is_killed_while_ids_spill_leaves_nothing(
    engine: Engine, tmp_path: Path
) -> None:
    """Neither a file nor the bytes of one, as the system gives a file without a name back."""

    def on_disk() -> list[Path] | None:
        links = [file.readlink() for file in Path(f"/proc/{pid(engine)}/fd").iterdir()]
        return [file for file in links if file.is_relative_to(tmp_path)] or None

    def kill() -> None:
        if os.getuid() == 0:  # others may not look into a process that is not dumpable
            wait_for(on_disk, what="ids on disk")
        assert list(tmp_path.iterdir()) == []
        os.kill(pid(engine), signal.SIGKILL)

    rows = 1_000_000
    written = pa.BufferOutputStream()
    pq.write_table(
        matched_table(rows, id=pa.array(range(rows * 100, 0, -100))),
        written,
        row_group_size=rows // 20,
    )
    output = HeldBack(written.getvalue().to_pybytes(), before_the_end=kill)
    options = AuditOptions(IdLimits(100_000, tmp_path))
    with pytest.raises(AuditUnfinished, match="SIGKILL"):
        engine.audit(output, job(), input_source=None, options=options)
    assert list(tmp_path.iterdir()) == []
    assert audited(engine, GOOD).outcome == "valid"
