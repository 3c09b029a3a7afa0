"""Diagnostics of the queues in the state storage. Pure: the queues are passed in."""

from contextlib import suppress
from datetime import timedelta

from gem_core.doctor.diagnose_stores import store_failure
from gem_core.doctor.finding import DiagnosticStatus, Finding, ok, skipped, warning
from gem_core.doctor.installation import Installation
from gem_core.errors import StoreError, StoreMissing
from gem_core.settings.route import DEFAULT
from gem_core.watch.poison import PAGE

UNREAD_AFTER = timedelta(days=1)
"""Messages that wait longer than this have no reader that works."""


def results_queue(installation: Installation) -> Finding:
    """Whether manifests can be sent to the default queue, and somebody reads them."""
    found = [route.queue for route in installation.settings.routes if route.name == DEFAULT]
    if not found:
        return skipped("there is no default queue: GEM_RESULTS_ROUTES takes every job")
    return listened_queue(installation, found[0])


def route_queues(installation: Installation) -> Finding:
    """Whether manifests can be sent to the queue of each further route, and somebody reads them."""
    routes = [route for route in installation.settings.routes if route.name != DEFAULT]
    found = [listened_queue(installation, route.queue) for route in routes]
    if not found:
        return ok("GEM_RESULTS_ROUTES is empty")
    worst = max((each.status for each in found), key=list(DiagnosticStatus).index)
    return Finding(
        worst,
        "; ".join(each.detail for each in found),
        "; ".join(dict.fromkeys(each.remedy for each in found if each.remedy)),
    )


def listened_queue(installation: Installation, name: str) -> Finding:
    """Like `queue`; a warning when its messages wait so long that nobody seems to read them."""
    found = queue(installation, name)
    if found.status is not DiagnosticStatus.OK:
        return found
    oldest = None
    with suppress(StoreError):  # the app itself need not read these messages
        oldest = installation.queue(name).oldest_at()
    age = installation.clock() - oldest if oldest else timedelta(0)
    if age < UNREAD_AFTER:
        return found
    return warning(
        f"{found.detail}, the oldest for {age.days} days: nobody seems to read them",
        f"start a listener on {name} or correct its rights, or remove its route "
        "(docs/operations.md, Routes)",
    )


def queue(installation: Installation, name: str) -> Finding:
    """Whether the app may send. The probe message is never visible to a receiver."""
    try:
        probe = installation.queue(name)
        waiting = probe.waiting()
        probe.try_send()
    except StoreError as error:
        create = f"az storage queue create --auth-mode login --account-name … --name {name}"
        return store_failure(error, f"queue {name}", f"azd provision, or {create}")
    return ok(f"{name}: send; {waiting} messages wait")


def batch_queue(installation: Installation, name: str) -> Finding:
    """Like `queue`, but the queue may be missing while batches are turned off."""
    if not installation.settings.check_batch_size:
        try:
            installation.queue(name).waiting()
        except StoreMissing as error:
            detail = f"{error}".partition(": create it")[0]
            return warning(
                f"{detail}: not needed while GEM_CHECK_BATCH_SIZE is 0", "azd provision creates it"
            )
        except StoreError:
            pass  # `queue` fails in the same way and reports it
    return queue(installation, name)


def poison_queue(installation: Installation) -> Finding:
    """Whether the poison queues contain messages."""
    try:
        counts = [queue.count() for queue in installation.poison()]
    except StoreError as error:
        return store_failure(error, "the poison queues", "")
    if any(counts):
        detail = f"{sum(counts)} messages failed too often"
        remedy = (
            "run gem-courier poison list, correct the cause, then run gem-courier poison replay"
        )
        if max(counts) > PAGE:
            detail += f"; only the first {PAGE} of each queue can be listed"
            remedy += (
                f"; to list the next {PAGE}, hide the first ones for a minute: az storage message "
                f"get --auth-mode login --account-name … --queue-name … --num-messages {PAGE} "
                "--visibility-timeout 60"
            )
        return warning(detail, remedy)
    return ok("empty")
