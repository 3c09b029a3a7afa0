"""Folds the rows of an output into facts, batch by batch; holds no row. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.arrow.arrays import Mask
from gem_core.audit.arrow.text import readable
from gem_core.audit.contract import UsableColumns
from gem_core.audit.rows.confidence import Confidence, ConfidenceFold
from gem_core.audit.rows.offenders import Offenders
from gem_core.audit.rows.row_rules import NEEDS, RowRule, Rows, Terms
from gem_core.gem.contracts.contract import Role


@dataclass(frozen=True, slots=True)
class Profile:
    """What all rows together say."""

    rows: int
    """As counted while reading."""
    matched: int | None
    """None when there is no usable match_status."""
    unmatched: int | None
    offenders: Mapping[RowRule, Offenders]
    """A rule is absent when a column or a term that it needs is."""
    confidence: Confidence | None
    """Of the finite confidences within 0 to 1 of matched rows; None without the two columns."""
    gers_rows: int
    """Matched rows that have a gers_id; 0 also when the columns are not usable."""
    one_gers_id: str | None
    """The gers_id of all those rows, if all are equal."""


@dataclass(slots=True)
class Profiler:
    """Takes the batches of a file in order."""

    usable: UsableColumns
    """Other columns are not read."""
    terms: Terms = field(default_factory=Terms)
    _rows: int = 0
    _matched: int = 0
    _unmatched: int = 0
    _counts: dict[RowRule, Offenders] = field(default_factory=dict)
    _confidence: ConfidenceFold = field(default_factory=ConfidenceFold)
    _gers: pa.Scalar | None = None
    _gers_rows: int = 0
    _gers_vary: bool = False

    def add(self, batch: pa.RecordBatch) -> Mask:
        """Fold a batch. Gives back which of its rows are matched."""
        rows = Rows(batch, self.usable)
        for rule, mask in rows.faults(self.terms).items():
            self._count(rule, mask, rows.ids)
        self._matched += int(np.count_nonzero(rows.matched))
        self._unmatched += int(np.count_nonzero(rows.unmatched))
        if (confidences := rows.confidences()) is not None:
            self._confidence.add(confidences)
        if (with_gers := rows.matched_with_gers) is not None:
            self._gers_rows += int(np.count_nonzero(with_gers))
            if not self._gers_vary and rows.gers is not None:
                self._compare_gers(rows.gers.filter(pa.array(with_gers)))
        self._rows += rows.count
        return rows.matched

    def profile(self) -> Profile:
        """All batches together."""
        roles = set(self.usable.columns)
        status = Role.STATUS in roles
        return Profile(
            rows=self._rows,
            matched=self._matched if status else None,
            unmatched=self._unmatched if status else None,
            offenders={
                rule: self._counts.get(rule, Offenders())
                for rule, needed in NEEDS.items()
                if needed <= roles and rule not in self.terms.left_out
            },
            confidence=self._confidence.confidence()
            if {Role.STATUS, Role.CONFIDENCE} <= roles
            else None,
            gers_rows=self._gers_rows,
            one_gers_id=None if self._gers is None or self._gers_vary else readable(self._gers),
        )

    def _count(self, rule: RowRule, mask: Mask, ids: pa.Array | None) -> None:
        before = self._counts.get(rule, Offenders())
        self._counts[rule] = before.and_those(mask, self._rows, ids)

    def _compare_gers(self, gers: pa.StringArray) -> None:
        if not len(gers):
            return
        if self._gers is None:
            # A copy: a scalar would keep the whole batch alive.
            self._gers = pa.scalar(gers[0].as_buffer().to_pybytes(), pa.binary())
        same = pc.equal(gers.cast(pa.binary()), self._gers).true_count
        self._gers_vary = same != len(gers)
