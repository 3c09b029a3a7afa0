"""The page about two runs: counts by kind, roads, and a map. Edge (reads)."""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa

from gem_core.audit.contract import GEOMETRY
from gem_core.page.lines_by_kind import KindMap, map_of_ids
from gem_core.page.templating import template
from gem_core.page.words import count, moment
from gem_core.succession.kind import KINDS
from gem_core.succession.result import Succession

_SAMPLE = 4_000
"""Roads of a kind that are looked for in the file with the geometry."""


@dataclass(slots=True)
class RoadSample:
    """Some roads of each kind: one of each of the first pairs, which come in no order of theirs."""

    _roads: dict[str, list[pa.Array]] = field(default_factory=dict)

    def add(self, pairs: pa.RecordBatch) -> None:
        """Take pairs, as `compare.pair_columns` says."""
        kinds, lists = pairs["kind"], pairs["road_ids"]
        starts = lists.offsets.to_numpy()[: len(lists)] - lists.offsets[0].as_py()
        codes = kinds.indices.to_numpy()
        for place, kind in enumerate(KINDS):
            parts = self._roads.setdefault(kind.value, [])
            left = _SAMPLE - sum(map(len, parts))
            if rows := np.flatnonzero(codes == place)[: max(left, 0)].tolist():
                parts.append(lists.flatten().take(pa.array(starts[rows])))

    def by_kind(self) -> dict[str, pa.Array]:
        """The ids of the roads."""
        return {kind: pa.concat_arrays(parts) for kind, parts in self._roads.items() if parts}


def draw_succession(result: Succession, sample: RoadSample, at: datetime) -> str:
    """The page, with a map of the sampled roads if one of the files has the geometry.

    Raises:
        OutputError: the file with the geometry cannot be read again, or has changed.

    """
    sources = [
        file.source for file in (result.new, result.old) if GEOMETRY in file.opened.schema.names
    ]
    wanted = sample.by_kind()
    if not sources:
        drawn = KindMap({}, note="neither file has the geometry of the roads")
    elif not wanted:
        drawn = KindMap({}, note="no road has a match")
    else:
        drawn = map_of_ids(sources[0], wanted)
    return template("succession.html").render(
        result=result.to_json(), map=drawn, count=count, at=moment(at)
    )
