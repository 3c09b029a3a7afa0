"""Finds out whether a refusal of GEM (401, 403) is about one job or about our access.

A refused job says nothing about the others, so the run goes on. If the next job that GEM decides
about is answered, the key and the token are accepted: the refusal is that job's alone. If it is
refused too, the run ends. A question without an answer decides nothing.
"""

from dataclasses import dataclass
from threading import Lock

from gem_core.errors import GemAccessError
from gem_core.watch.marker import OpenJob
from gem_core.watch.registry import StoredRecord


@dataclass(frozen=True, slots=True)
class Refusal:
    """A job about which GEM refused to answer. This process has claimed it."""

    stored: StoredRecord
    claim: OpenJob
    error: GemAccessError


class Refusals:
    """The refusals of one run; several threads use it."""

    def __init__(self) -> None:
        self.alone: list[Refusal] = []
        """Those that concern their job only."""
        self.undecided: list[Refusal] = []
        """Those after which no other job was answered."""
        self._lock = Lock()

    def add(self, refusal: Refusal) -> bool:
        """Note a refusal; returns whether it is the second one without an answer in between."""
        with self._lock:
            self.undecided.append(refusal)
            return len(self.undecided) > 1

    def answered(self) -> None:
        """GEM answered about another job, so it accepts the key and the token."""
        with self._lock:
            self.alone += self.undecided
            self.undecided.clear()
