"""A small file that every audit must find valid: if it does not, the machine is at fault."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gem_core.gem.contracts.known import DEFAULT
from gem_core.gem.job import GemJob

_FILE = Path(__file__).with_name("self_test.parquet")
"""Four roads, two of them matched, as `tests/audit/child/test_self_test.py` writes them."""

CPU_SECONDS = 2
"""Two hundred times what it takes. A machine that needs more is sick: that an audit used up its CPU
time there says nothing of the file."""

JOB = GemJob(job_run_id="self-test", contract=DEFAULT.name, status_text="finished", answer={})


@dataclass(frozen=True, slots=True)
class BuiltInFile:
    """The file as a source; see `reading.source.Source`."""

    data: bytes
    url: str = "self-test:built-in"
    container: str = "self-test"
    name: str = "self_test.parquet"
    etag: str = "built-in"
    last_modified: datetime | None = None
    version_id: str | None = None
    head: bytes = b""

    @property
    def size_bytes(self) -> int:
        """Length of the file."""
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        """A range of it."""
        return self.data[offset : offset + length]


def built_in_file() -> BuiltInFile:
    """Read it from the package."""
    return BuiltInFile(_FILE.read_bytes())
