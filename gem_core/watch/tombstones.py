"""Remembers which jobs somebody removed, so that their discovery does not add them again."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from gem_core.errors import RecordConflict
from gem_core.storage.documents import Documents, put_anew

PREFIX = "removed/"


class Tombstones:
    """One empty document for each removed job, beside the worklist."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def write(self, job_run_id: str) -> None:
        """Remember that the job is about to be removed."""
        put_anew(self._documents, PREFIX + job_run_id, b"")

    def has(self, job_run_id: str) -> bool:
        """Whether somebody removed the job at some time."""
        return self._documents.etag(PREFIX + job_run_id) is not None

    def drop(self, *, before: datetime, may_go_on: Callable[[], bool]) -> None:
        """Delete those that were written before this time, as long as that may go on."""
        for each in self._documents.every(prefix=PREFIX):
            if each.last_modified < before:
                if not may_go_on():
                    return
                with suppress(RecordConflict):
                    self._documents.delete(each.name, etag=each.etag)
