"""How long earlier jobs ran, by input. They are stored in a small document beside the worklist.

The same input is often matched again, so earlier runs show when the next one will end. This is only
a hint: without it the age of a job decides when GEM is asked. The document is written by
compare-and-set. A run that meets two conflicts, or dies, loses its few durations.
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
"""Durations that are stored for each kind of job: the latest ones."""
MAX_KINDS = 500
"""Kinds of jobs that are stored: those that ran last. About 100 KB with names of usual length."""
_TRIES = 2


@dataclass(frozen=True, slots=True)
class JobDuration:
    """How long one job ran."""

    kind: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Durations:
    """How long earlier jobs ran."""

    seconds: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """By kind of job. The kind that ran longest ago is first, and so is the oldest duration."""
    etag: str | None = None
    """The ETag of the stored document; None when there is no document."""

    def of(self, job: GemJob) -> tuple[float, ...]:
        """Seconds that earlier jobs of the same kind ran; empty when none is known."""
        name = kind(job)
        return self.seconds.get(name, ()) if name else ()

    def adding(self, new: Iterable[JobDuration]) -> "Durations":
        """These durations and the new ones; the oldest are dropped."""
        seconds = dict(self.seconds)
        for each in new:
            # The kind is removed and added again, so that it becomes the last one.
            of_kind = (*seconds.pop(each.kind, ()), each.seconds)
            seconds[each.kind] = of_kind[-MAX_KEPT:]
        for name in list(seconds)[: max(0, len(seconds) - MAX_KINDS)]:
            del seconds[name]
        return Durations(seconds, self.etag)


def kind(job: GemJob) -> str | None:
    """The kind of a job: jobs of one kind should run equally long. None without an input name."""
    if not job.input_name:
        return None
    return f"{job.matching_type or ''}|{job.storage_id or ''}|{job.input_name}"[:300]


class DurationStore:
    """Stores the durations. Never raises StoreError, because they are only a hint."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def read(self) -> Durations:
        """The stored durations; empty when they cannot be read."""
        try:
            stored = self._documents.get(NAME)
        except StoreError as error:
            log(Event.DURATIONS_NOT_KEPT, reason=str(error))
            return Durations()
        return Durations(_read(stored.body), stored.etag) if stored else Durations()

    def add(self, known: Durations, new: Iterable[JobDuration]) -> None:
        """Store new durations.

        Args:
            known: what `read` returned.
            new: the durations of jobs that have finished since.

        """
        new = tuple(new)
        for _ in range(_TRIES if new else 0):
            try:
                self._write(known.adding(new))
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
    """The durations in the document; empty when another program wrote it."""
    try:
        values: Any = json.loads(body)
        return {
            str(name): tuple(float(each) for each in seconds if 0 < float(each) < 1e9)  # noqa: PLR2004 - 30 years
            for name, seconds in values["secondsByKind"].items()
        }
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ):
        return {}
