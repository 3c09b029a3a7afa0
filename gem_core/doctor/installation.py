"""The parts that the doctor tests. Each part is built at its first use and may fail then."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gem_core.flows.deliverer import Files
from gem_core.flows.manage_jobs import JobManager
from gem_core.gem.job import GemJob
from gem_core.settings.app_settings import Settings
from gem_core.storage.documents import Documents
from gem_core.watch.record import JobRecord
from gem_core.watch.store_claim import Ticker


class ProbedQueue(Protocol):
    """A queue that the app sends to; see `deliver.queue_probe`."""

    def waiting(self) -> int:
        """The approximate number of messages."""
        ...

    def oldest_at(self) -> datetime | None:
        """When the oldest of the visible messages came; None without one."""
        ...

    def try_send(self) -> None:
        """Send a message that no receiver gets, and delete it."""
        ...


class FailedMessages(Protocol):
    """A poison queue; see `deliver.poison_queue`."""

    def count(self) -> int:
        """The approximate number of messages."""
        ...


class Token(Protocol):
    """The source of the bearer token for GEM."""

    def token(self) -> str:
        """A token that is valid now. Raises GemError."""
        ...


class AskedGem(Protocol):
    """GEM's API; see `gem.client`."""

    def get_job(self, job_run_id: str) -> GemJob:
        """Get the job as it is now. Raises GemError."""
        ...


@dataclass(frozen=True, slots=True)
class Installation:
    """The parts of an installation."""

    settings: Settings
    """An invalid setting has a harmless value."""
    problems: tuple[str, ...]
    """Missing and invalid settings; each text begins with the name of the setting."""
    source: str
    """Where the settings were read from, for example "the environment"."""
    clock: Callable[[], datetime]
    documents: Callable[[str], Documents]
    """By the container's name."""
    queue: Callable[[str], ProbedQueue]
    """By its name."""
    poison: Callable[[], tuple[FailedMessages, ...]]
    files: Callable[[], Files]
    scratch: Callable[[], int]
    """Writes a file to the folder for ids, deletes it, returns the free bytes. Raises OSError."""
    memory: Callable[[], int]
    """The memory of this machine or container, in bytes."""
    token: Callable[[], Token]
    gem: Callable[[], AskedGem]
    anonymous: Callable[[], AskedGem]
    """GEM, with an invalid key and an invalid token."""
    ticker: Ticker
    """Who this process is when it ticks."""
    manager: Callable[[], JobManager]
    overture: Callable[[], list[str]]
    """Lines about the newest changelog of Overture. Raises OutputError."""
    recent: Callable[[], tuple[JobRecord, ...]]
    """The job records that were changed most recently, newest first."""
