"""A job whose ids have planted truths, and the Overture that they are held against."""

import uuid
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import pyarrow as pa

from devkit.overture import Registered, Segment, write_changelog, write_registry
from tests.audit.build import matched_table

RELEASE, BEFORE, AFTER = "2026-02-18.0", "2025-12-17.0", "2026-04-22.0"
SEGMENT = "theme=transportation/type=segment/part-00000.zstd.parquet"
CONNECTOR = "theme=transportation/type=connector/part-00000.zstd.parquet"


class Truth(StrEnum):
    """What is planted for a road."""

    IN_PLACE = "in place"
    AT_THE_EDGE = "its box does not touch the segment's, which is 50 metres away"
    RESTORED = "removed one release before, and added again"
    CHANGED = "in data_changed"
    ANTIMERIDIAN = "both cross the antimeridian"
    CAPITALS = "in capital letters"
    ELSEWHERE = "the segment is far away"
    REMOVED = "removed by this release"
    NEWER = "by the registry, it is newer than the release"
    OLDER = "by the registry, it was gone before the release"
    CONNECTOR = "a connector's id"
    GAP = "by the registry, it was there before and after the release, and is gone now"
    INVENTED = "nobody has it"


GOOD = (
    Truth.IN_PLACE,
    Truth.AT_THE_EDGE,
    Truth.RESTORED,
    Truth.CHANGED,
    Truth.ANTIMERIDIAN,
    Truth.CAPITALS,
)


def gers(number: int) -> str:
    return str(uuid.UUID(int=(number + 1) * 0xD6E8FEB86659FD93A5A3564E27F8B2C1 % 2**128))


@dataclass(frozen=True, slots=True)
class Road:
    """A row of the output, and its truth."""

    id: str
    truth: Truth
    west: float
    south: float

    @property
    def geometry(self) -> str:
        """As the input has it."""
        east = self.west + 0.01
        east = east - 360 if east > 180 else east
        return f"LINESTRING ({self.west} {self.south}, {east} {self.south + 0.01})"

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Of the road; a box across the antimeridian is as wide as the earth."""
        if self.truth is Truth.ANTIMERIDIAN:
            return (-180.0, 180.0, self.south, self.south + 0.01)
        return (self.west, self.west + 0.01, self.south, self.south + 0.01)


def roads(truths: list[Truth]) -> list[Road]:
    """One road for each truth, in a grid of its own."""
    found = []
    for number, truth in enumerate(truths):
        west, south = 4 + number % 50 * 0.02, 52 + number // 50 * 0.02
        if truth is Truth.ANTIMERIDIAN:
            west = 179.995
        found.append(Road(gers(number), truth, round(west, 3), round(south, 3)))
    return found


def output(of: list[Road]) -> pa.Table:
    ids = [road.id.upper() if road.truth is Truth.CAPITALS else road.id for road in of]
    columns = {"gers_id": pa.array(ids), "geometry": pa.array([road.geometry for road in of])}
    return matched_table(len(of), len(of), **columns)


def far(road: Road) -> Segment:
    return Segment(road.id, (100.0, 100.01, -20.0, -19.99))


def place(road: Road) -> Segment:
    found = Segment(road.id, road.box)
    if road.truth is Truth.AT_THE_EDGE:
        west, east, _, north = road.box
        found = replace(found, box=(west, east, north + 50 / 111_320, north + 60 / 111_320))
    return far(road) if road.truth is Truth.ELSEWHERE else found


OTHERS = 60
"""Segments that the job does not name: near its roads, and far away."""


def _others() -> list[Segment]:
    return [
        Segment(gers(-2 - n), (4 + n % 30 * 0.03, 4.01 + n % 30 * 0.03, 52.0, 52.01))
        if n % 2
        else Segment(gers(-2 - n), (-70.0 - n * 0.1, -69.99 - n * 0.1, 10.0, 10.01))
        for n in range(OTHERS)
    ]


def changes(of: list[Road]) -> dict[str, list[Segment]]:
    """The changelog of the release, spatially ordered as Overture's is."""

    def placed(*truths: Truth) -> list[Segment]:
        return [place(road) for road in of if road.truth in truths]

    unchanged = placed(
        Truth.IN_PLACE, Truth.AT_THE_EDGE, Truth.ANTIMERIDIAN, Truth.CAPITALS, Truth.ELSEWHERE
    )
    return {
        "unchanged": sorted([*unchanged, *_others()], key=lambda each: each.box or ()),
        "added": [*placed(Truth.RESTORED), Segment(gers(-500), (4, 4.01, 52, 52.01))],
        "data_changed": [*placed(Truth.CHANGED), Segment(gers(-501), (4, 4.01, 52, 52.01))],
        "removed": [*placed(Truth.REMOVED), Segment(gers(-502), (4, 4.01, 52, 52.01))],
    }


def registered(of: list[Road], release: str) -> list[Registered]:
    """The registry after the release. Ids that nobody has are not in it."""
    rows = []
    for road in of:
        row = Registered(road.id, BEFORE, release, SEGMENT, place(road).box)
        match road.truth:
            case Truth.INVENTED:
                continue
            case Truth.REMOVED:
                row = Registered(road.id, BEFORE, BEFORE, None)
            case Truth.NEWER:
                row = Registered(road.id, AFTER, AFTER, SEGMENT, road.box)
            case Truth.OLDER:
                row = Registered(road.id, "2025-06-25.0", BEFORE, None)
            case Truth.GAP:
                row = Registered(road.id, BEFORE, AFTER, None)
            case Truth.CONNECTOR:
                row = replace(row, path=CONNECTOR)
        rows.append(row)
    return rows


def build(
    root: Path, of: list[Road], release: str = RELEASE, *, files: int = 2, statistics: bool = True
) -> Path:
    """Write the changelog of the release, of the one before and of the one after; and the registry.

    The one after keeps everything but one segment, so it proves that the release is whole.
    """
    own = changes(of)
    write_changelog(root, release, own, files=files, statistics=statistics)
    gone, *kept = [*own["unchanged"], *own["added"], *own["data_changed"]]
    write_changelog(root, AFTER, {"unchanged": kept, "removed": [gone]}, files=files)
    restored = [place(road) for road in of if road.truth is Truth.RESTORED]
    write_changelog(root, BEFORE, {"unchanged": [], "removed": restored})
    write_registry(root, registered(of, release))
    return root
