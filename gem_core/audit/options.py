"""What an audit may use, and how much it compares. Edge: the system; nothing of pyarrow."""

import os
from dataclasses import dataclass, field
from pathlib import Path

LIMIT_BYTES = 64 << 20
"""Memory for ids by default, for both files together."""
DISK_BYTES = 512 << 20
"""Disk for ids by default, for both files together. Instances of Flex Consumption have 0.8 GB."""
OVERTURE_BYTES = 2 << 30
"""Of Overture's files that are read by default. A country's segments take some hundred MiB."""


def two_at_once() -> bool:
    """Whether this process may use two processors."""
    return (os.process_cpu_count() or 1) > 1


@dataclass(frozen=True, slots=True)
class IdLimits:
    """The memory and disk that ids may use."""

    memory_bytes: int = LIMIT_BYTES
    """For both files together."""
    folder: Path | None = None
    """The folder for what exceeds the memory; None is the system's temporary directory."""
    disk_bytes: int = DISK_BYTES
    """The most that may lie there, for both files together."""


@dataclass(frozen=True, slots=True)
class OvertureLimits:
    """What the look-up of GERS ids in Overture may take, after the audit."""

    max_bytes: int = OVERTURE_BYTES
    """Of Overture's files that are read."""
    cpu_seconds: int = 120
    wall_seconds: float = 150


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """What an audit may use, and how much it compares."""

    id_limits: IdLimits = field(default_factory=IdLimits)
    two_threads: bool = field(default_factory=two_at_once)
    """Decode a large output in two threads, as is done on two processors. The result is the
    same."""
    with_input: bool = True
    """Compare with the input. False when nobody asked for it; the note about the input says why."""
    with_values: bool = False
    """Compare every value of the input's columns too, which reads both files whole."""
    overture: OvertureLimits | None = None
    """Look the GERS ids up in Overture; None does not."""
    failing_rows: int = 0
    """How many rows to keep for each broken rule, and of those that differ from the input. The
    examples of the report are always kept."""


DEFAULT_OPTIONS = AuditOptions()
