"""Outputs whose every version tells who it is, and an audit that reads them as the real one does.

Reading a real Parquet file takes more time than all the rest of a run. This audit reads its tiny
file in pieces through the same pinned source, and its report carries a fingerprint of the bytes
that it saw: had it seen two versions, or another one than it names, the ledger would find out.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from gem_core.audit.facts import Facts, InputFacts
from gem_core.audit.report import RULESET, Report
from gem_core.audit.source import Source
from gem_core.gem.job import GemJob
from gem_core.outcome import Outcome

_PIECE = 24


def output_body(name: str, version: int, outcome: str) -> bytes:
    """The bytes of one version: all versions are of one length, no two have a piece in common."""
    head = f"{version:06}|{outcome:20}".encode()
    tail = hashlib.sha256(f"{name}|{version}".encode()).hexdigest()[:_PIECE].encode()
    return head + tail


def outcome_of(body: bytes) -> str:
    """What an audit says of a version, or of what it took for one."""
    return body[7:27].decode().strip()


def fingerprint(body: bytes) -> str:
    """Of the bytes that an audit saw."""
    return hashlib.sha256(body).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class SeenReport(Report):
    """A report that says what was seen, and little else."""

    seen: str = ""

    def to_json(self) -> dict[str, Any]:
        """In the form of a report."""
        return {
            "ruleset": RULESET,
            "outcome": str(self.outcome),
            "output": {"bytes": self.facts.size_bytes, "rows": None, "fingerprint": self.seen},
            "match": None,
            "statistics": None,
            "input": None,
            "checks": [],
            "reading": {},
        }


def seeing_audit(
    output: Source,
    job: GemJob,
    *,
    input_source: Source | None,  # noqa: ARG001 - an audit takes it
    input_note: str,  # noqa: ARG001 - as above
    expected_input: str | None,  # noqa: ARG001 - as above
) -> Report:
    """Read the output in two pieces, the end first, as a Parquet reader does."""
    tail = output.read(output.size_bytes - _PIECE, _PIECE)
    head = output.read(0, output.size_bytes - _PIECE)
    return SeenReport(
        outcome=Outcome(outcome_of(head)),
        checks=(),
        facts=Facts(job=job, name=output.name, size_bytes=output.size_bytes, given=InputFacts()),
        bytes_read=output.size_bytes,
        requests=2,
        seen=fingerprint(head + tail),
    )
