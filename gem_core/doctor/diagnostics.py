"""All diagnostics of the doctor, and how they are run.

The list is ordered by dependency: a part comes after the parts that it needs. It is also the
documentation of what `doctor` tests.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from gem_core.doctor import (
    diagnose_gem,
    diagnose_outputs,
    diagnose_overture,
    diagnose_settings,
    diagnose_work,
)
from gem_core.doctor.diagnose_queues import (
    batch_queue,
    poison_queue,
    results_queue,
    route_queues,
)
from gem_core.doctor.diagnose_stores import Right, clock, container, failing_rows, store_failure
from gem_core.doctor.finding import DiagnosticStatus, Finding, fail, skipped
from gem_core.doctor.installation import Installation
from gem_core.errors import CourierError, StoreError
from gem_core.redaction import redacted
from gem_core.storage import names

_THREADS = 8
"""Diagnostics run in parallel, because each may wait for a time-out."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """The test of one part."""

    name: str
    """Stable, because pipelines filter by it."""
    title: str
    """What is true when the part works."""
    run: Callable[[Installation], Finding]
    needs: tuple[str, ...] = ()
    """Prefixes of settings. The diagnostic is skipped while one of these settings is invalid."""


_STATE, _OUTPUT = ("GEM_STATE",), ("GEM_OUTPUT", "GEM_STATE")
_TOKEN = ("GEM_TENANT_ID", "GEM_CLIENT", "GEM_BEARER_TOKEN", "GEM_TOKEN_SCOPE")
_GEM = ("GEM_API", *_TOKEN)
_WRITE, _READ, _LIST, _DELETE = Right.WRITE, Right.READ, Right.LIST, Right.DELETE


DIAGNOSTICS = (
    Diagnostic("settings", "All settings are present and valid.", diagnose_settings.settings),
    Diagnostic(
        "key-vault", "No setting is an unresolved Key Vault reference.", diagnose_settings.key_vault
    ),
    Diagnostic("token", "A valid token for GEM is available.", diagnose_gem.token, _TOKEN),
    Diagnostic("gem", "GEM answers, and accepts key and token.", diagnose_gem.gem, _GEM),
    Diagnostic(
        "records",
        f"Job records can be stored in {names.JOBS}.",
        container(names.JOBS, _WRITE, _READ, _LIST, _DELETE),
        _STATE,
    ),
    Diagnostic(
        "worklist",
        f"Open jobs can be marked in {names.WORKLIST}.",
        container(names.WORKLIST, _WRITE, _READ, _LIST, _DELETE),
        _STATE,
    ),
    Diagnostic(
        "tickets",
        f"Tickets can be written to {names.TICKETS}, and the trigger can read them.",
        container(names.TICKETS, _WRITE, _READ),
        _STATE,
    ),
    Diagnostic(
        "reports",
        f"Reports can be written to {names.REPORTS}.",
        container(names.REPORTS, _WRITE),
        _STATE,
    ),
    Diagnostic(
        "failures",
        f"Failing rows can be written to {names.FAILURES}.",
        failing_rows,
        (*_STATE, "GEM_FAILING_ROWS"),
    ),
    Diagnostic(
        "outbox",
        f"Manifests can be stored in {names.OUTBOX}.",
        container(names.OUTBOX, _WRITE, _READ, _LIST, _DELETE),
        _STATE,
    ),
    Diagnostic(
        "clock",
        "The local clock agrees with the clock of storage.",
        lambda installation: clock(installation, names.WORKLIST),
        _STATE,
    ),
    Diagnostic(
        "claim",
        "No app with another identity for GEM ticks on this storage.",
        diagnose_work.claim,
        _STATE,
    ),
    Diagnostic(
        "results",
        "Manifests can be sent to the default queue, and somebody reads them.",
        results_queue,
        (*_STATE, "GEM_RESULTS"),
    ),
    Diagnostic(
        "routes",
        "Manifests can be sent to the queues of further routes, and somebody reads them.",
        route_queues,
        (*_STATE, "GEM_RESULTS"),
    ),
    Diagnostic(
        "batches",
        f"Due jobs can be sent to check_batch through {names.BATCHES}.",
        lambda installation: batch_queue(installation, names.BATCHES),
        (*_STATE, "GEM_CHECK_BATCH_SIZE"),
    ),
    Diagnostic("poison", "No message has failed too often.", poison_queue, _STATE),
    Diagnostic("outputs", "The outputs of GEM can be read.", diagnose_outputs.outputs, _OUTPUT),
    Diagnostic("inputs", "The inputs of GEM can be read.", diagnose_outputs.inputs, _OUTPUT),
    Diagnostic(
        "overture",
        "Overture's changelog can be read.",
        diagnose_overture.overture,
        ("GEM_OVERTURE",),
    ),
    Diagnostic(
        "disk",
        "Ids that do not fit into memory can be written to disk.",
        diagnose_settings.disk,
        ("GEM_IDS_FOLDER",),
    ),
    Diagnostic("memory", "This machine has enough memory for audits.", diagnose_settings.memory),
    Diagnostic(
        "timer",
        "The timer runs, and its last tick finished its work.",
        diagnose_work.timer,
        (*_STATE, "GEM_CHECK_SCHEDULE"),
    ),
    Diagnostic("events", "Tickets start deliveries automatically.", diagnose_work.events, _STATE),
)


def run_diagnostics(installation: Installation) -> Iterator[tuple[Diagnostic, Finding]]:
    """Run all diagnostics, several in parallel. A failure of one does not stop the others.

    The findings are yielded in the order of the list, each as soon as it is known.
    """
    with ThreadPoolExecutor(_THREADS, "doctor") as pool:
        yield from zip(
            DIAGNOSTICS,
            pool.map(lambda diagnostic: _run(diagnostic, installation), DIAGNOSTICS),
            strict=True,
        )


def report(findings: Iterable[tuple[Diagnostic, Finding]]) -> dict[str, Any]:
    """All findings as JSON values. `ok` is true when nothing fails; warnings are allowed."""
    checks = [
        {
            "name": diagnostic.name,
            "title": diagnostic.title,
            "status": finding.status,
            "detail": finding.detail,
            "remedy": finding.remedy or None,
        }
        for diagnostic, finding in findings
    ]
    return {
        "ok": all(each["status"] != DiagnosticStatus.FAIL for each in checks),
        "checks": checks,
    }


def _run(diagnostic: Diagnostic, installation: Installation) -> Finding:
    invalid = {problem.split()[0] for problem in installation.problems}
    needed = sorted(name for name in invalid if name.startswith(diagnostic.needs))
    if needed:
        return skipped(f"{', '.join(needed)} must be corrected first")
    try:
        found = diagnostic.run(installation)
        return replace(found, detail=redacted(found.detail))
    except StoreError as error:
        return store_failure(error, diagnostic.name, "azd provision")
    except CourierError as error:
        return fail(str(error), "follow the message")
    except Exception as error:  # noqa: BLE001 - the other diagnostics must still run
        # The text of an unexpected error may contain a secret, so only its type is shown.
        return fail(f"crashed: {type(error).__name__}", "report it, with the version and settings")
