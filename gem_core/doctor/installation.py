"""What the doctor looks at. Each part is made when it is first asked for, and may fail then."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gem_core.flows.checker import Gem, PoisonCount
from gem_core.flows.deliverer import Files
from gem_core.flows.manage_jobs import JobManager
from gem_core.settings.app_settings import Settings
from gem_core.storage.documents import Documents
from gem_core.watch.record import JobRecord


class ProbedQueue(Protocol):
    """A queue that the app sends to; see `deliver.queue_probe`."""

    def waiting(self) -> int:
        """About how many messages there are."""
        ...

    def try_send(self) -> None:
        """Send a message that no receiver gets, and delete it."""
        ...


class Token(Protocol):
    """Where the bearer token for GEM comes from."""

    def token(self) -> str:
        """A token that is good now."""
        ...


@dataclass(frozen=True, slots=True)
class Installation:
    """The parts of an installation."""

    settings: Settings
    """A wrong one has a harmless value."""
    problems: tuple[str, ...]
    """What is wrong with the settings; each begins with the name of its setting."""
    source: str
    """Where the settings come from, in words."""
    clock: Callable[[], datetime]
    documents: Callable[[str], Documents]
    """By the container's name."""
    queue: Callable[[str], ProbedQueue]
    """By its name."""
    poison: Callable[[], tuple[PoisonCount, ...]]
    files: Callable[[], Files]
    scratch: Callable[[], int]
    """Writes to the folder for ids and takes that away again; the bytes free there, or OSError."""
    token: Callable[[], Token]
    gem: Callable[[], Gem]
    anonymous: Callable[[], Gem]
    """GEM as somebody meets it who has neither key nor token."""
    manager: Callable[[], JobManager]
    recent: Callable[[], tuple[JobRecord, ...]]
    """The records that were changed last, the newest first."""
