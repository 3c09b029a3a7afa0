"""How long earlier jobs ran, by their input: a small document beside the worklist.

The same input is matched again and again, so the last runs show when the next one will end. It is a
hint: without it the age of a job decides when GEM is asked. It is written by compare-and-set; a run
that loses the race twice, or dies, loses a few durations.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gem_core.errors import RecordConflict, StoreError
from gem_core.gem.job import GemJob
from gem_core.logs import Event, log
from gem_core.storage.documents import Documents

NAME = "durations.json"
MAX_KEPT = 20
"""Durations of a kind: the latest ones are kept."""
MAX_KINDS = 500
"""The kinds that were seen last are kept: about 100 KB with names of usual length."""
_TRIES = 2


@dataclass(frozen=True, slots=True)
class Learned:
    """How long one job ran."""

    kind: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Durations:
    """Seconds of earlier jobs by kind, the oldest first; the oldest kind first."""

    seconds: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    etag: str | None = None
    """Of the document; None when there is none."""

    def of(self, job: GemJob) -> tuple[float, ...]:
        """Seconds of earlier jobs with the same input; empty when none is known."""
        name = kind(job)
        return self.seconds.get(name, ()) if name else ()

    def with_(self, learned: Iterable[Learned]) -> "Durations":
        """These and more; the oldest are dropped."""
        seconds = dict(self.seconds)
        for each in learned:
            # Removed and added again, so that it is the last kind.
            kept = (*seconds.pop(each.kind, ()), each.seconds)
            seconds[each.kind] = kept[-MAX_KEPT:]
        for name in list(seconds)[: max(0, len(seconds) - MAX_KINDS)]:
            del seconds[name]
        return Durations(seconds, self.etag)


def kind(job: GemJob) -> str | None:
    """What jobs have in common that should run equally long; None when it is unknown."""
    if not job.input_name:
        return None
    return f"{job.matching_type or ''}|{job.storage_id or ''}|{job.input_name}"[:300]


class DurationBook:
    """Stores the durations. Never raises: they are only a hint."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def read(self) -> Durations:
        """The stored durations; none when they cannot be read."""
        try:
            held = self._documents.get(NAME)
        except StoreError as error:
            log(Event.DURATIONS_NOT_KEPT, reason=str(error))
            return Durations()
        return Durations(_read(held.body), held.etag) if held else Durations()

    def learn(self, known: Durations, new: Iterable[Learned]) -> None:
        """Store more of them."""
        new = tuple(new)
        for _ in range(_TRIES if new else 0):
            try:
                self._write(known.with_(new))
            except RecordConflict:
                known = self.read()
            except StoreError as error:
                log(Event.DURATIONS_NOT_KEPT, reason=str(error))
                return
            else:
                return

    def _write(self, durations: Durations) -> None:
        body = json.dumps({"secondsByKind": durations.seconds}).encode()
        if durations.etag is None:
            self._documents.create(NAME, body)
        else:
            self._documents.replace(NAME, body, etag=durations.etag)


def _read(body: bytes) -> dict[str, tuple[float, ...]]:
    """The document's content; empty when it is not what was written."""
    try:
        held: Any = json.loads(body)
        return {
            str(name): tuple(float(each) for each in seconds if 0 < float(each) < 1e9)  # noqa: PLR2004 - 30 years
            for name, seconds in held["secondsByKind"].items()
        }
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}
