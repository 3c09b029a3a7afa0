"""Confidences of a file that does not say whether they are percent: read as percent too. Pure.

Which reading is right is known only after the last row. The confidences are percent if more than
half of those of the matched rows are above 1 (a median above 1).
"""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from gem_core.audit.arrow.arrays import Mask
from gem_core.audit.contract import UsableColumns
from gem_core.audit.rows.confidence import ConfidenceFold
from gem_core.audit.rows.example import EXAMPLES
from gem_core.audit.rows.offenders import Offenders
from gem_core.audit.rows.row_batch import RowBatch
from gem_core.audit.rows.row_faults import confidence_faults
from gem_core.audit.rows.row_rules import ABOUT, RowRule
from gem_core.gem.contracts.layout import Role


@dataclass(slots=True)
class InPercent:
    """Takes the batches of a file in order, and reads their confidences as percent."""

    usable: UsableColumns
    floor: float | None
    """As in `Terms.confidence_floor`."""
    keep: int = EXAMPLES
    """How many rows to keep for each broken rule."""
    fold: ConfidenceFold = field(default_factory=ConfidenceFold)
    counts: dict[RowRule, Offenders] = field(default_factory=dict)
    _above_one: int = 0
    _finite: int = 0

    def add(self, batch: pa.RecordBatch, first_row: int, ids: pa.Array | None) -> None:
        """Fold a batch; `first_row` is its first row's number in the file."""
        rows = RowBatch(batch, self.usable.only(Role.STATUS, Role.CONFIDENCE), in_percent=True)
        self._count(rows)
        for rule, mask in confidence_faults(rows, self.floor):
            before = self.counts.get(rule, Offenders(keep=self.keep))
            values = rows.values_of(ABOUT.get(rule, ()))
            self.counts[rule] = before.adding(mask, first_row, ids, values)
        if (confidences := rows.confidences()) is not None:
            self.fold.add(confidences)

    @property
    def is_right(self) -> bool:
        """Whether the confidences are percent."""
        return 2 * self._above_one > self._finite

    def _count(self, rows: RowBatch) -> None:
        if rows.confidence is None:
            return
        of_matches: Mask = rows.matched & rows.has_confidence & np.isfinite(rows.confidence)
        self._finite += int(np.count_nonzero(of_matches))
        self._above_one += int(np.count_nonzero(rows.confidence[of_matches] * 100 > 1))
