"""Folds the rows of an output into facts, batch by batch, and keeps no row. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.arrow.arrays import Mask
from gem_core.audit.arrow.text import readable
from gem_core.audit.contract import UsableColumns
from gem_core.audit.rows.confidence import Confidence, ConfidenceFold
from gem_core.audit.rows.example import EXAMPLES
from gem_core.audit.rows.in_percent import InPercent
from gem_core.audit.rows.offenders import Offenders
from gem_core.audit.rows.row_batch import RowBatch
from gem_core.audit.rows.row_faults import faults
from gem_core.audit.rows.row_rules import (
    ABOUT,
    COLUMNS_OF,
    OF_CONFIDENCE,
    OF_MATCHES,
    RowRule,
    Terms,
)
from gem_core.gem.contracts.layout import Role, Scale


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of all rows together."""

    rows: int
    """Counted while reading."""
    matched: int | None
    """None when it is not known which rows are matches."""
    unmatched: int | None
    offenders: Mapping[RowRule, Offenders]
    """A rule is absent when a column or a term that it needs is absent."""
    confidence: Confidence | None
    """Of the finite confidences within 0 to 1 of matched rows; None without the two columns."""
    rows_with_gers_id: int
    """Matched rows that have a GERS id; 0 also when the columns are not usable."""
    only_gers_id: str | None
    """The GERS id of all those rows, if all are equal."""
    scale: Scale = Scale.UNIT
    """Of the confidences in the file; those here are 0 to 1."""


@dataclass(slots=True)
class Profiler:
    """Takes the batches of a file in order."""

    usable: UsableColumns
    """Other columns are not read."""
    terms: Terms = field(default_factory=Terms)
    keep: int = EXAMPLES
    """How many rows to keep for each broken rule."""
    _rows: int = 0
    _matched: int = 0
    _unmatched: int = 0
    _counts: dict[RowRule, Offenders] = field(default_factory=dict)
    _confidence: ConfidenceFold = field(default_factory=ConfidenceFold)
    _first_gers_id: pa.Scalar | None = None
    _rows_with_gers_id: int = 0
    _gers_ids_vary: bool = False
    _in_percent: InPercent | None = None

    def __post_init__(self) -> None:
        if self.usable.scale is Scale.BY_VALUES:
            self._in_percent = InPercent(self.usable, self.terms.confidence_floor, self.keep)

    def add(self, batch: pa.RecordBatch) -> Mask:
        """Fold a batch, and return which of its rows are matched."""
        rows = RowBatch(batch, self.usable, in_percent=self.usable.scale is Scale.PERCENT)
        if self._in_percent:
            self._in_percent.add(batch, self._rows, rows.ids)
        for rule, mask in faults(rows, self.terms).items():
            self._count(rule, mask, rows)
        self._matched += int(np.count_nonzero(rows.matched))
        self._unmatched += int(np.count_nonzero(rows.unmatched))
        if (confidences := rows.confidences()) is not None:
            self._confidence.add(confidences)
        if (with_gers_id := rows.matched_with_gers_id) is not None:
            self._rows_with_gers_id += int(np.count_nonzero(with_gers_id))
            if not self._gers_ids_vary and rows.gers_ids is not None:
                self._compare_gers_ids(rows.gers_ids.filter(pa.array(with_gers_id)))
        self._rows += rows.count
        return rows.matched

    def profile(self) -> Profile:
        """What is known of all batches together."""
        roles = set(self.usable.columns)
        tells_matches = self.usable.tells_matches
        scale, confidence, counts = self._of_scale()
        of_matches = OF_MATCHES if self.usable.row_per_match else frozenset()
        return Profile(
            rows=self._rows,
            matched=self._matched if tells_matches else None,
            unmatched=self._unmatched if tells_matches else None,
            offenders={
                rule: counts.get(rule, Offenders())
                for rule, columns in COLUMNS_OF.items()
                if rule not in self.terms.left_out
                and columns <= (roles | ({Role.STATUS} if rule in of_matches else set()))
            },
            confidence=confidence.confidence()
            if tells_matches and Role.CONFIDENCE in roles
            else None,
            rows_with_gers_id=self._rows_with_gers_id,
            only_gers_id=None
            if self._first_gers_id is None or self._gers_ids_vary
            else readable(self._first_gers_id),
            scale=scale,
        )

    def _of_scale(self) -> tuple[Scale, ConfidenceFold, Mapping[RowRule, Offenders]]:
        """What the confidences mean, their distribution, and the broken rules."""
        scale = self.usable.scale
        if self._in_percent is None:
            return scale, self._confidence, self._counts
        if not self._in_percent.is_right:
            return Scale.UNIT, self._confidence, self._counts
        others = {rule: found for rule, found in self._counts.items() if rule not in OF_CONFIDENCE}
        return Scale.PERCENT, self._in_percent.fold, others | self._in_percent.counts

    def _count(self, rule: RowRule, mask: Mask, rows: RowBatch) -> None:
        before = self._counts.get(rule, Offenders(keep=self.keep))
        self._counts[rule] = before.adding(
            mask, self._rows, rows.ids, rows.values_of(ABOUT.get(rule, ()))
        )

    def _compare_gers_ids(self, gers_ids: pa.StringArray) -> None:
        if not len(gers_ids):
            return
        if self._first_gers_id is None:
            # A copy: a scalar would keep the whole batch alive.
            self._first_gers_id = pa.scalar(gers_ids[0].as_buffer().to_pybytes(), pa.binary())
        same = pc.equal(gers_ids.cast(pa.binary()), self._first_gers_id).true_count
        self._gers_ids_vary = same != len(gers_ids)
