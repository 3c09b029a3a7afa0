"""Diagnostics of the state storage: containers and the clock. Pure: the stores are passed in.

A container is tested with a probe document. The app cannot mistake the probe for its own data. Job
ids have no slash and do not begin with "_". The worklist lists only "jobs/". The trigger's path and
the event subscription accept only tickets whose names end in ".json".
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum

from gem_core.doctor.finding import (
    NOT_SIGNED_IN_NOW,
    Finding,
    fail,
    ok,
    skipped,
    warning,
)
from gem_core.doctor.installation import Installation
from gem_core.errors import StoreError, StoreMissing, StoreRefused, StoreWithoutToken
from gem_core.storage.documents import Documents
from gem_core.storage.names import FAILURES

PROBE_PREFIX = "_doctor/"
PROBE = f"{PROBE_PREFIX}probe"
CLOCK_PROBE = f"{PROBE_PREFIX}clock"

SKEW_WARNING = timedelta(seconds=30)
SKEW_FAIL = timedelta(minutes=5)
"""Beyond this, Entra's tokens and storage's signatures may be refused."""


class Right(StrEnum):
    """A right that the app needs in a container."""

    WRITE = "write"
    READ = "read"
    LIST = "list"
    DELETE = "delete"


def container(name: str, *rights: Right) -> Callable[[Installation], Finding]:
    """A diagnostic of one container. It tests exactly the rights that the app needs there."""

    def run(installation: Installation) -> Finding:
        documents = installation.documents(name)
        for right in rights:
            try:
                _ATTEMPTS[right](documents)
            except StoreError as error:
                if isinstance(error, StoreRefused):  # after other errors, this would fail too
                    with suppress(StoreError):
                        documents.delete(PROBE)
                return store_failure(error, f"{right} in container {name}", _create(name))
        if Right.DELETE not in rights:
            try:
                documents.delete(PROBE)
            except StoreError as error:
                return warning(
                    f"{', '.join(rights)}: allowed; but the probe {PROBE} cannot be deleted: "
                    f"{error}",
                    "delete it yourself; the app never deletes in this container",
                )
        return ok(f"{', '.join(rights)}")

    return run


_ATTEMPTS: dict[Right, Callable[[Documents], object]] = {
    Right.WRITE: lambda documents: documents.put(PROBE, b""),
    Right.READ: lambda documents: documents.get(PROBE),
    Right.LIST: lambda documents: documents.page(prefix=PROBE_PREFIX, size=1),
    Right.DELETE: lambda documents: documents.delete(PROBE),
}


def failing_rows(installation: Installation) -> Finding:
    """Whether failing rows can be stored, if they are to be."""
    if not installation.settings.failing_rows:
        return skipped("GEM_FAILING_ROWS is 0: failing rows are not stored")
    return container(FAILURES, Right.WRITE)(installation)


def clock(installation: Installation, name: str) -> Finding:
    """The difference between the local clock and the clock of storage, to the second."""
    documents = installation.documents(name)
    before = installation.clock()
    try:
        documents.put(CLOCK_PROBE, b"")
        probe = next(iter(documents.page(prefix=CLOCK_PROBE, size=1).items), None)
        documents.delete(CLOCK_PROBE)
    except StoreError as error:
        return store_failure(error, f"the clock of container {name}", _create(name))
    if probe is None:
        return skipped("another doctor deleted the probe: run doctor again")
    after = installation.clock()
    # Storage wrote the probe between `before` and `after`, and dropped the fraction of the second.
    behind = before - probe.last_modified - timedelta(seconds=1)
    ahead = probe.last_modified - after
    skew = max(behind, ahead, timedelta(0))
    if skew <= SKEW_WARNING:
        return ok("within a second" if not skew else f"{skew.total_seconds():.0f} s apart")
    detail = f"{skew.total_seconds():.0f} s {'behind' if ahead > behind else 'ahead of'} storage's"
    remedy = "set the clock of this machine (NTP); in Azure, report it to the platform"
    return fail(detail, remedy) if skew > SKEW_FAIL else warning(detail, remedy)


def store_failure(error: StoreError, what: str, create: str) -> Finding:
    """A finding for a failed request to the state storage.

    Args:
        error: the failure.
        what: the part or the request that failed.
        create: the remedy when the container or queue is missing.

    """
    if isinstance(error, StoreMissing):
        return fail(f"{error}".partition(": create it")[0], create)
    if isinstance(error, StoreWithoutToken):
        return fail(f"{what}: {error}".partition("; this usually")[0], NOT_SIGNED_IN_NOW)
    if isinstance(error, StoreRefused):
        return fail(
            f"{what}: refused: {error}".partition(": check the identity")[0],
            "give the identity of GEM_STATE the roles Storage Blob Data Contributor and Storage "
            "Queue Data Contributor on the state account (or correct the key), and check its "
            "firewall",
        )
    return fail(
        f"{what}: {error}".partition(": check the address")[0],
        "check the address in GEM_STATE, name resolution, network, and that storage is running",
    )


def _create(name: str) -> str:
    command = f"az storage container create --auth-mode login --account-name … --name {name}"
    return f"azd provision, or {command}"
