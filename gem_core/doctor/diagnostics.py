"""Every check of the doctor, in the order in which things hang together; and how one is run.

This list is the documentation of what `doctor` looks at.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from gem_core.doctor import look_gem, look_outputs, look_settings, look_work
from gem_core.doctor.finding import DiagnosticStatus, Finding, fail, skipped
from gem_core.doctor.installation import Installation
from gem_core.doctor.look_stores import (
    Right,
    batch_queue,
    clock,
    container,
    poison_queue,
    queue,
    store_trouble,
)
from gem_core.errors import CourierError, StoreError
from gem_core.storage import names

_AT_ONCE = 8
"""Where nothing answers, each check waits until it gives up."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One look at one part."""

    name: str
    """Stable: pipelines filter by it."""
    title: str
    """What holds when it is well."""
    look: Callable[[Installation], Finding]
    needs: tuple[str, ...] = ()
    """Beginnings of the names of settings without which there is nothing to look at."""


_STATE, _OUTPUT = ("GEM_STATE",), ("GEM_OUTPUT", "GEM_STATE")
_TOKEN = ("GEM_TENANT_ID", "GEM_CLIENT", "GEM_BEARER_TOKEN", "GEM_TOKEN_SCOPE")
_GEM = ("GEM_API", *_TOKEN)
_WRITE, _READ, _LIST, _DELETE = Right.WRITE, Right.READ, Right.LIST, Right.DELETE


DIAGNOSTICS = (
    Diagnostic("settings", "Every setting is there and makes sense.", look_settings.settings),
    Diagnostic(
        "key-vault", "No setting is an unresolved Key Vault reference.", look_settings.key_vault
    ),
    Diagnostic("token", "A token for GEM can be had, and is good.", look_gem.token, _TOKEN),
    Diagnostic("gem", "GEM answers, and takes key and token.", look_gem.gem, _GEM),
    Diagnostic(
        "records",
        f"Records of jobs can be kept in {names.JOBS}.",
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
        f"Tickets can be written to {names.TICKETS}, and read by the trigger.",
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
        "outbox",
        f"Manifests can be kept in {names.OUTBOX}.",
        container(names.OUTBOX, _WRITE, _READ, _LIST, _DELETE),
        _STATE,
    ),
    Diagnostic(
        "clock",
        "This clock goes with storage's.",
        lambda installation: clock(installation, names.WORKLIST),
        _STATE,
    ),
    Diagnostic(
        "results",
        "Manifests can be sent to the results queue.",
        lambda installation: queue(installation, installation.settings.results_queue),
        (*_STATE, "GEM_RESULTS_QUEUE"),
    ),
    Diagnostic(
        "batches",
        f"Due jobs can be handed to check_batch by {names.BATCHES}.",
        lambda installation: batch_queue(installation, names.BATCHES),
        (*_STATE, "GEM_CHECK_BATCH_SIZE"),
    ),
    Diagnostic("poison", "No message has failed too often.", poison_queue, _STATE),
    Diagnostic("outputs", "What GEM writes can be read.", look_outputs.outputs, _OUTPUT),
    Diagnostic("inputs", "What was sent to GEM can be read.", look_outputs.inputs, _OUTPUT),
    Diagnostic(
        "disk",
        "Ids that do not fit into memory can be put on disk.",
        look_settings.disk,
        ("GEM_IDS_FOLDER",),
    ),
    Diagnostic(
        "timer",
        "The timer ticks, and its last tick did its work.",
        look_work.timer,
        (*_STATE, "GEM_CHECK_SCHEDULE"),
    ),
    Diagnostic("events", "Tickets lead to deliveries by themselves.", look_work.events, _STATE),
)


def examine(installation: Installation) -> Iterator[tuple[Diagnostic, Finding]]:
    """Look at everything, several parts at once; whatever one meets, the others are looked at too.

    The findings come in the order of the list, each as soon as it can be told.
    """
    with ThreadPoolExecutor(_AT_ONCE, "doctor") as pool:
        yield from zip(
            DIAGNOSTICS,
            pool.map(lambda check: _look(check, installation), DIAGNOSTICS),
            strict=True,
        )


def report(found: Iterable[tuple[Diagnostic, Finding]]) -> dict[str, Any]:
    """All findings as plain JSON; `ok` when nothing fails, warnings are allowed."""
    checks = [
        {
            "name": check.name,
            "title": check.title,
            "status": finding.status,
            "detail": finding.detail,
            "remedy": finding.remedy or None,
        }
        for check, finding in found
    ]
    return {
        "ok": all(each["status"] != DiagnosticStatus.FAIL for each in checks),
        "checks": checks,
    }


def _look(check: Diagnostic, installation: Installation) -> Finding:
    wrong = {problem.split()[0] for problem in installation.problems}
    if check.needs and (needed := sorted(name for name in wrong if name.startswith(check.needs))):
        return skipped(f"{', '.join(needed)} must be mended first")
    try:
        return check.look(installation)
    except StoreError as error:
        return store_trouble(error, check.name, "azd provision")
    except CourierError as error:
        return fail(str(error), "see what it says")
    except Exception as error:  # noqa: BLE001 - the other checks are looked at all the same
        # Not its text, which nobody has looked through for secrets.
        return fail(f"crashed: {type(error).__name__}", "report it, with the version and settings")
