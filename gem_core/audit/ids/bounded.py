"""The ids of an output beside its input's, as far as the temporary directory allows."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from gem_core.audit.arrow.arrays import Mask
from gem_core.audit.contract import ID, UsableColumns
from gem_core.audit.ids.facts import IdFacts, InputIds, OutputIds
from gem_core.audit.ids.id_audit import IdAudit
from gem_core.audit.options import IdLimits
from gem_core.audit.parquet.opened_file import OpenedFile
from gem_core.audit.parquet.reader_errors import is_shortage
from gem_core.audit.rows.row_batch import RowBatch
from gem_core.gem.contracts.layout import Role


class DiskBoundIds:
    """Takes the ids of an opened output batch by batch. Close it."""

    def __init__(
        self,
        opened: OpenedFile,
        usable: UsableColumns,
        input_ids: InputIds | None,
        limits: IdLimits,
        *,
        not_compared: str,
    ) -> None:
        """Without `input_ids`, `not_compared` says why."""
        output = OutputIds(
            opened.schema.field(ID).type,
            lambda: _read_again(opened, usable.only(Role.ID, Role.STATUS)),
            opened.id_range(),
            opened.rows,
        )
        self._ids = IdAudit(output, input_ids, not_compared=not_compared, limits=limits)
        self.fault = ""
        """Why the ids could not be counted, which says nothing about the output; or empty."""

    def close(self) -> None:
        """Remove what is on disk."""
        self._ids.close()

    def add(self, ids: pa.Array, matched: Mask) -> None:
        """Take the ids of one batch, and which of its rows are matched."""
        if not self.fault:
            with self._on_disk():
                self._ids.add(ids, matched)

    def finish(self) -> IdFacts | None:
        """Count and compare; None with a `fault`. Raises DataFault and OutputError."""
        found = None
        if not self.fault:
            with self._on_disk():
                found = self._ids.finish()
        return found

    @contextmanager
    def _on_disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if is_shortage(error):
                raise
            self.fault = (
                "the temporary directory for ids out of order cannot be used: "
                f"{error.strerror or error}"
            )
            self.close()


def _read_again(opened: OpenedFile, usable: UsableColumns) -> Iterator[tuple[pa.Array, Mask]]:
    for batch in opened.batches(usable.names, as_dictionary=usable.repeating):
        yield batch.column(ID), RowBatch(batch, usable).matched
