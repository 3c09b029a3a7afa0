"""What an audit in a child may take. Pure values."""

import sys
from dataclasses import dataclass

MEMORY_IS_LIMITED = sys.platform == "linux"
"""Whether the system bounds the child's memory. Elsewhere the parent looks now and then how much
the child holds, and a sudden demand may be faster."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one audit. The tries of one audit fit into half an hour together."""

    data_bytes: int
    """Of the child's own memory (VmData, which counts what is reserved). Comparing ten million ids
    with as many, both out of order, takes up to 390 MiB. pyarrow may crash where memory is short,
    so no limit should be close to that."""
    cpu_seconds: int = 300
    """Of an audit. Some 10^8 rows take half a minute."""
    page_cpu_seconds: int = 60
    """Of the page, beside the audit."""
    wall_seconds: float = 480
    """From the question to the verdict."""
    page_wall_seconds: float = 120
    """From the verdict to the page."""
    look_up_wall_seconds: float = 210
    """From the verdict to the one with ids looked up. The child ends by itself before that, unless
    it waits for storage (`options.OvertureLimits`)."""
    look_up_cpu_seconds: int = 240
    quiet_seconds: float = 60
    """A child that waits for nothing is looked at so often; twice without CPU is too long."""
    range_seconds: float = 120
    """For one range from storage, with the SDK's further tries. Each answer has a deadline too
    (`storage.clients.ANSWER_SECONDS`), so a read that was given up ends in some minutes."""
    storage_seconds: float = 240
    """That the child may wait for the storage of one file, when it serves less than
    `STEADY_BYTES_PER_SECOND`."""
    start_seconds: float = 60
    """Until the child is ready."""

    @property
    def idle_data_bytes(self) -> int:
        """A child that holds more than this between two audits is renewed."""
        return self.data_bytes // 3


STEADY_BYTES_PER_SECOND = 1 << 20
"""A storage that serves less than this is called slow."""
