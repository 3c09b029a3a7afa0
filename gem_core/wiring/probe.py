"""The timer's status for probes, which give up soon. Edge: threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gem_core.errors import StoreError
from gem_core.flows.timer_status import timer_status
from gem_core.wiring.managers import probe_manager

SECONDS = 2.5
"""The time for the whole answer. A request has its own time-outs, but signing in and looking up a
name have longer ones, and two documents are read."""


def probe() -> tuple[bool, dict[str, Any]]:
    """See `timer_status`.

    Raises:
        SettingsError: a setting is missing or invalid.
        StoreError: storage cannot be used, or did not answer in time.

    """
    return within(SECONDS, lambda: timer_status(probe_manager()))


def within[T](seconds: float, work: Callable[[], T]) -> T:
    """The result of the work, which may take so many seconds.

    Work that takes longer goes on in its thread; its result is lost.

    Raises:
        StoreError: the work took longer.

    """
    pool = ThreadPoolExecutor(1, "probe")
    try:
        return pool.submit(work).result(timeout=seconds)
    except TimeoutError:
        raise StoreError(f"storage did not answer within {seconds:g} seconds") from None
    finally:
        pool.shutdown(wait=False)
