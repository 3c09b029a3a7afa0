"""Folds the rows of an input into facts, batch by batch. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from gem_core.audit.arrow.arrays import Mask, true_at, valid
from gem_core.audit.arrow.text import readable
from gem_core.audit.rows.offenders import Offenders
from gem_core.page.roads import Road, RoadsUnreadable, read_road
from gem_core.preflight.extent import Extent
from gem_core.preflight.lines import Lines, read_lines
from gem_core.preflight.road_facts import RoadProfile
from gem_core.preflight.road_rules import RoadRule

MAP_ROADS = 600
"""Fit roads for the map, about, and unfit ones at most."""


@dataclass(slots=True)
class RoadProfiler:
    """Takes the batches of a file in order."""

    id_name: str | None
    """The columns that can be used."""
    geometry_name: str | None
    navigable_name: str | None
    rows_in_file: int
    rows: int = 0
    """So far."""
    _points: int = 0
    _navigable: int = 0
    _counts: dict[RoadRule, Offenders] = field(default_factory=dict)
    _extent: Extent = field(default_factory=Extent)
    _forms: Counter[str] = field(default_factory=Counter)
    _sample: dict[str, list[Road]] = field(default_factory=lambda: {"fit": [], "unfit": []})

    @property
    def columns(self) -> list[str]:
        """The names of the columns to read."""
        names = (self.id_name, self.navigable_name, self.geometry_name)
        return [name for name in names if name]

    def add(self, batch: pa.RecordBatch) -> None:
        """Fold a batch."""
        ids = batch.column(self.id_name) if self.id_name else None
        broken: dict[RoadRule, Mask] = {}
        values: Mapping[RoadRule, tuple[pa.Array, ...]] = {}
        if ids is not None:
            broken[RoadRule.ID_PRESENT] = ~valid(ids)
        if self.navigable_name:
            navigable = batch.column(self.navigable_name)
            broken[RoadRule.NAVIGABLE_PRESENT] = ~valid(navigable)
            self._navigable += int(np.count_nonzero(true_at(navigable)))
        if self.geometry_name:
            texts = batch.column(self.geometry_name)
            lines = read_lines(texts)
            broken |= lines.broken
            values = dict.fromkeys(lines.broken, (texts,))
            self._extent.add(lines)
            self._points += len(lines.x)
            self._forms.update(lines.forms)
            self._take_sample(texts, lines)
        for rule, mask in broken.items():
            before = self._counts.get(rule, Offenders())
            self._counts[rule] = before.adding(mask, self.rows, ids, values.get(rule, ()))
        self.rows += batch.num_rows

    def profile(self) -> RoadProfile:
        """What is known of all batches together."""
        return RoadProfile(
            rows=self.rows,
            offenders=self._offenders(),
            navigable=self._navigable if self.navigable_name else None,
            extent=self._extent,
            points=self._points,
            forms=self._forms,
            sample=self._sample,
        )

    def _offenders(self) -> Mapping[RoadRule, Offenders]:
        of_other_columns = {
            RoadRule.ID_PRESENT: self.id_name,
            RoadRule.NAVIGABLE_PRESENT: self.navigable_name,
        }
        return {
            rule: self._counts.get(rule, Offenders())
            for rule in RoadRule
            if of_other_columns.get(rule, self.geometry_name)
        }

    def _take_sample(self, texts: pa.StringArray, lines: Lines) -> None:
        """Every so many rows one for the map, and the first unfit ones."""
        unfit = np.logical_or.reduce(list(lines.broken.values()))
        step = max(self.rows_in_file // MAP_ROADS, 1)
        fit = np.arange(-self.rows % step, len(texts), step)
        left = max(MAP_ROADS - len(self._sample["unfit"]), 0)
        chosen = {"fit": fit[~unfit[fit]], "unfit": np.flatnonzero(unfit)[:left]}
        for kind, rows in chosen.items():
            for row in rows.tolist():
                try:
                    self._sample[kind].append(read_road(readable(texts[row], cut=None) or ""))
                except RoadsUnreadable:
                    continue
