"""Outputs of which each version can be recognized, and the two audits that read them.

Reading a real Parquet file takes more time than all the rest of a run. So most runs have an audit
that reads a tiny file in pieces through the same pinned source, and whose report carries a
fingerprint of the bytes that it saw: had it seen two versions, or another one than it names, the
ledger would find out. Some runs have the real audit, over real files.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from gem_core.audit.against_input.input_facts import InputFacts
from gem_core.audit.child.in_process import audit_in_process, result_of
from gem_core.audit.child.result import AuditResult, PageOptions
from gem_core.audit.judging.check import Severity
from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.report import CheckResult, Report
from gem_core.audit.judging.verdict import failed, not_run, passed
from gem_core.audit.options import AuditOptions, OvertureLimits
from gem_core.audit.overture.release import NoRelease, Release
from gem_core.audit.parquet.opened_file import Fault, FaultKind
from gem_core.audit.reading.source import Source
from gem_core.flows.deliverer import Audit
from gem_core.gem.job import GemJob
from gem_core.outcome import Outcome
from tests.builders import ROWS, matched_file
from tests.world.overture import looked_up

_PIECE = 24
_SEEN = "bytes_seen"
"""A check of the tiny audit: its detail is a fingerprint of the bytes."""
OF_OVERTURE = "gers_alive"


def _tiny_body(name: str, version: int, outcome: str) -> bytes:
    """The bytes of one version: all versions are of one length, no two have a piece in common."""
    head = f"{version:06}|{outcome:20}".encode()
    tail = hashlib.sha256(f"{name}|{version}".encode()).hexdigest()[:_PIECE].encode()
    return head + tail


def _outcome_of(body: bytes) -> str:
    """What an audit says of a version, or of what it took for one."""
    return body[7:27].decode().strip()


def _fingerprint(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]


def _seeing_audit(
    output: Source,
    job: GemJob,
    *,
    input_source: Source | None,  # noqa: ARG001 - an audit takes it
    input_note: str,
    expected_input: str | None,  # noqa: ARG001 - as above
    page: PageOptions | None,  # noqa: ARG001 - as above
    release: Release | NoRelease | None,
) -> AuditResult:
    """Read the output in two pieces, the end first, as a Parquet reader does."""
    tail = output.read(output.size_bytes - _PIECE, _PIECE)
    head = output.read(0, output.size_bytes - _PIECE)
    seen = CheckResult(
        _SEEN, Severity.INFO, "Says which bytes were read.", failed(_fingerprint(head + tail))
    )
    outcome, overture = Outcome(_outcome_of(head)), looked_up(release)
    alive = CheckResult(
        OF_OVERTURE,
        Severity.WARNING,
        "The ids are looked up.",
        not_run(overture.problem) if overture and overture.problem else passed("all"),
    )
    report = Report(
        outcome=outcome,
        checks=(seen, alive),
        facts=Facts(
            job=job,
            file=Fault(FaultKind.MAGIC, "not Parquet"),
            name=output.name,
            size_bytes=output.size_bytes,
            input=InputFacts(note=input_note),
            unsupported="its rows" if outcome is Outcome.NOT_AUDITED else "",
            overture=overture,
        ),
        bytes_read=output.size_bytes,
        requests=2,
    )
    rows = head + tail if outcome is Outcome.INVALID else None
    return replace(result_of(report), page="<!doctype html>", failures=rows, failing_rows=1)


def _seen_in(data: Mapping[str, Any]) -> str | None:
    for line in data["checks"]["notPassed"]:
        if line["name"] == _SEEN:
            return f"{line['detail']}, {data['outcome']}"
    return None


@dataclass(frozen=True, slots=True)
class Auditing:
    """Files and the audit of them, and how to find which bytes a manifest is about."""

    audit: Audit
    body: Callable[[str, int, str], bytes]
    """The bytes of a version of an output: of its name, its number and its outcome."""
    seen: Callable[[Mapping[str, Any]], str | None]
    """What the data of a manifest say of the bytes; None when they were not audited to the end."""
    truth: Callable[[bytes], str]
    """What they should say, and the failing rows of a tiny file: these are its bytes."""


TINY = Auditing(
    audit=_seeing_audit,
    body=_tiny_body,
    seen=_seen_in,
    truth=lambda body: f"{_fingerprint(body)}, {_outcome_of(body)}",
)


def _real_body(name: str, version: int, outcome: str) -> bytes:  # noqa: ARG001 - the audit judges
    return matched_file(matched=version % ROWS)


@cache
def _rows_matched() -> dict[bytes, str]:
    return {matched_file(matched=count): str(count) for count in range(ROWS)}


REAL = Auditing(
    audit=partial(audit_in_process, options=AuditOptions(overture=OvertureLimits())),
    body=_real_body,
    seen=lambda data: str(data["match"]["matches"]) if data["match"] else None,
    truth=lambda body: _rows_matched()[body],
)
"""Each version has another number of matched rows, so a manifest shows which one it is about."""
