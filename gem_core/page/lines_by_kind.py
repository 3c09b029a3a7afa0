"""A map of roads in several kinds, and a sample of roads by their ids. Edge (reads)."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.contract import GEOMETRY, ID
from gem_core.audit.ids.keys import to_keys
from gem_core.audit.parquet.reader_errors import DataFault
from gem_core.audit.reading.source import Source
from gem_core.page.geometry import ScaleBar, frame, path, scale_bar
from gem_core.page.map_sample import choose_groups, geometries, sample_note
from gem_core.page.reader import ColumnReader, weights
from gem_core.page.roads import Road, RoadsUnreadable, geometry_problem, read_road
from gem_core.page.words import number_of

MAP_ROADS = 500
"""Of a kind, at most."""


@dataclass(frozen=True, slots=True)
class KindMap:
    """Roads as the data of SVG paths, by kind; without roads there is only a note."""

    paths: Mapping[str, Sequence[str]]
    height: float = 0
    description: str = ""
    note: str = ""
    bar: ScaleBar | None = None
    """None without roads."""


def map_of_ids(source: Source, wanted: Mapping[str, pa.Array]) -> KindMap:
    """Draw roads of a file.

    Args:
        source: a file with `id` and the geometry.
        wanted: by kind the ids of the roads to draw, integers or text. Give more than `MAP_ROADS`:
            only those in the row groups that are read can be drawn.

    Raises:
        OutputError: the source cannot be read, or has changed.

    """
    try:
        with closing(ColumnReader(source)) as reader:
            if problem := geometry_problem(reader.schema, GEOMETRY):
                return KindMap({}, note=problem)
            return _drawn(reader, wanted)
    except DataFault as error:
        return KindMap({}, note=f"the geometry cannot be read: {error}")


def drawn_kinds(roads: Mapping[str, Sequence[Road]], note: str = "") -> KindMap:
    """Draw roads in one frame."""
    everything = [road for some in roads.values() for road in some]
    if not everything:
        return KindMap({}, note=note or "there are no roads to draw")
    area = frame(everything)
    bar = scale_bar(area)
    paths = {
        kind: [path(road, area) for road in some if area.contains(road)]
        for kind, some in roads.items()
    }
    counts = ", ".join(f"{len(some)} {kind}" for kind, some in paths.items() if some)
    outside = len(everything) - sum(map(len, paths.values()))
    distant = f"{number_of(outside, 'distant road')} not shown" if outside else ""
    return KindMap(
        paths,
        area.height,
        f"A sample of roads: {counts}; longitude {area.west:.3f} to {area.east:.3f}, latitude "
        f"{area.south:.3f} to {area.north:.3f}. The bar at the bottom left is {bar.label}.",
        "; ".join(part for part in (note, distant) if part),
        bar,
    )


def _drawn(reader: ColumnReader, wanted: Mapping[str, pa.Array]) -> KindMap:
    groups = choose_groups(weights(reader.footer, GEOMETRY), reader.footer.group_rows)
    found: dict[str, list[Road]] = {kind: [] for kind in wanted}
    unreadable = 0
    for batch in reader.batches([ID, GEOMETRY], groups):
        for kind, ids in wanted.items():
            keys, _ = to_keys(batch.column(ID), ids.type)
            rows = np.flatnonzero(pc.is_in(keys, value_set=ids, skip_nulls=True))
            left = MAP_ROADS - len(found[kind])
            for value in geometries(batch.column(GEOMETRY), 0, rows[:left].tolist()):
                try:
                    found[kind].append(read_road(value))
                except RoadsUnreadable:
                    unreadable += 1
    return drawn_kinds(found, sample_note(groups, reader.footer.group_rows, unreadable))
