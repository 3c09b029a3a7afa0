"""Looks at our own storage: containers, queues, clock. Pure: it comes as edges.

A container is probed with a document of its own name, which the app never takes for one of its
own: job ids have no slash and do not begin with "_", the worklist looks below "jobs/", and neither
the trigger's path nor the event subscription takes a ticket that does not end in ".json".
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum

from gem_core.doctor.finding import Finding, fail, ok, skipped, warning
from gem_core.doctor.installation import Installation
from gem_core.errors import StoreError, StoreMissing, StoreRefused
from gem_core.storage.documents import Documents

PROBE_PREFIX = "_doctor/"
PROBE = f"{PROBE_PREFIX}probe"
CLOCK_PROBE = f"{PROBE_PREFIX}clock"

SKEW_WARNING = timedelta(seconds=30)
SKEW_FAIL = timedelta(minutes=5)
"""Entra's tokens and storage's signatures are refused somewhere beyond this."""


class Right(StrEnum):
    """What the app does in a container."""

    WRITE = "write"
    READ = "read"
    LIST = "list"
    DELETE = "delete"


def container(name: str, *rights: Right) -> Callable[[Installation], Finding]:
    """A look at one container, for exactly the rights that the app needs there."""

    def look(installation: Installation) -> Finding:
        documents = installation.documents(name)
        for right in rights:
            try:
                _TRIES[right](documents)
            except StoreError as error:
                if isinstance(error, StoreRefused):  # else nobody answers the next request either
                    with suppress(StoreError):
                        documents.delete(PROBE)
                return store_trouble(error, f"{right} in container {name}", _create(name))
        if Right.DELETE not in rights:
            try:
                documents.delete(PROBE)
            except StoreError as error:
                return warning(
                    f"{', '.join(rights)}: as needed; but the probe {PROBE} stays: {error}",
                    "delete it; the app itself deletes nothing here",
                )
        return ok(f"{', '.join(rights)}")

    return look


_TRIES: dict[Right, Callable[[Documents], object]] = {
    Right.WRITE: lambda documents: documents.put(PROBE, b""),
    Right.READ: lambda documents: documents.get(PROBE),
    Right.LIST: lambda documents: documents.page(prefix=PROBE_PREFIX, size=1),
    Right.DELETE: lambda documents: documents.delete(PROBE),
}


def clock(installation: Installation, name: str) -> Finding:
    """Our clock beside storage's, which is told to the second."""
    documents = installation.documents(name)
    before = installation.clock()
    try:
        documents.put(CLOCK_PROBE, b"")
        probe = next(iter(documents.page(prefix=CLOCK_PROBE, size=1).items), None)
        documents.delete(CLOCK_PROBE)
    except StoreError as error:
        return store_trouble(error, f"the clock of container {name}", _create(name))
    if probe is None:
        return skipped("another doctor took the probe away: look again")
    after = installation.clock()
    # Its time was cut to a second, somewhere between before and after.
    behind = before - probe.last_modified - timedelta(seconds=1)
    ahead = probe.last_modified - after
    skew = max(behind, ahead, timedelta(0))
    if skew <= SKEW_WARNING:
        return ok("within a second" if not skew else f"{skew.total_seconds():.0f} s apart")
    detail = f"{skew.total_seconds():.0f} s {'behind' if ahead > behind else 'ahead of'} storage's"
    remedy = "set this machine's clock (NTP); in Azure report it to the platform"
    return fail(detail, remedy) if skew > SKEW_FAIL else warning(detail, remedy)


def queue(installation: Installation, name: str) -> Finding:
    """Whether the app may send; the message that proves it is hidden for all of its life."""
    try:
        probe = installation.queue(name)
        waiting = probe.waiting()
        probe.try_send()
    except StoreError as error:
        create = f"az storage queue create --auth-mode login --account-name … --name {name}"
        return store_trouble(error, f"queue {name}", f"azd provision, or {create}")
    return ok(f"{name}: send; {waiting} messages wait")


def batch_queue(installation: Installation, name: str) -> Finding:
    """The same for the queue of batches, which may be missing as long as they are turned off."""
    if not installation.settings.check_batch_size:
        try:
            installation.queue(name).waiting()
        except StoreMissing as error:
            detail = f"{error}".partition(": create it")[0]
            return warning(
                f"{detail}: not needed while GEM_CHECK_BATCH_SIZE is 0", "azd provision makes it"
            )
        except StoreError:
            pass  # told below
    return queue(installation, name)


def poison_queue(installation: Installation) -> Finding:
    """Whether messages wait that failed too often."""
    try:
        waiting = sum(queue.count() for queue in installation.poison())
    except StoreError as error:
        return store_trouble(error, "the queue of failed messages", "")
    if waiting:
        return warning(
            f"{waiting} messages failed too often",
            "python -m gem_core poison list, mend the cause, then poison replay",
        )
    return ok("empty")


def store_trouble(error: StoreError, what: str, create: str) -> Finding:
    """Why our storage is in the way, and whose turn it is."""
    if isinstance(error, StoreMissing):
        return fail(f"{error}".partition(": create it")[0], create)
    if isinstance(error, StoreRefused):
        return fail(
            f"{what}: refused: {error}".partition(": check the identity")[0],
            "give the identity of GEM_STATE Storage Blob Data Owner and Storage Queue Data "
            "Contributor on the state account (or mend the key), and look at its firewall",
        )
    return fail(
        f"{what}: {error}".partition(": check the address")[0],
        "check the address in GEM_STATE, name resolution and network; is storage up?",
    )


def _create(name: str) -> str:
    command = f"az storage container create --auth-mode login --account-name … --name {name}"
    return f"azd provision, or {command}"
