"""Generates road networks and correct matches. Pure: the same seed gives the same roads."""

import random
import re
from dataclasses import dataclass
from itertools import pairwise
from math import cos, hypot, radians
from uuid import UUID

import pyarrow as pa

ROAD_CLASSES = ("motorway", "primary", "secondary", "tertiary", "residential", "service")
STREETS = ("Main Street", "Station Road", "Church Lane", "Mill Road", "High Street", "Park Avenue")

SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("is_navigable", pa.bool_()),
        pa.field("geometry", pa.string()),
        pa.field("road_class", pa.string()),
        pa.field("name", pa.string()),
    ]
)
"""The input of a customer: an id, a geometry as WKT in WGS 84, and other columns."""

CONFIDENCE_THRESHOLD = 60
"""In percent, as in the example of "Get job details"."""

_MATCHED, _FULLY = 0.8468, 0.675
"""Shares from the same example."""

_UNIT = 10_000
"""100 % in hundredths of a percent. GEM prints two decimals."""

_KM_PER_DEGREE = 111.195


@dataclass(frozen=True, slots=True)
class Figures:
    """Numbers of roads and of matched roads, and the total length."""

    roads: int
    matched: int
    fully: int
    """Number of roads that are matched fully. The other matched roads are matched partially."""
    kilometres: float


def split_roads(roads: int) -> tuple[int, int]:
    """How many of so many roads are matched, and how many of those fully.

    The shares are those of the page's example. The second number is chosen so that the printed
    digits of fully and partially matched add up to those of matched, as they do there.

    Raises:
        ValueError: there is no road.

    """
    if roads < 1:
        raise ValueError("a network has at least one road")
    matched = round(roads * _MATCHED)

    def adds_up(fully: int) -> bool:
        return _hundredths(fully, roads) + _hundredths(matched - fully, roads) == _hundredths(
            matched, roads
        )

    nearest = min(round(roads * _FULLY), matched)
    # It always ends: all or none of the matched roads fully matched adds up.
    return matched, next(fully for fully in range(nearest, -1, -1) if adds_up(fully))


def road_network(rows: int, *, seed: int) -> pa.Table:
    """So many roads, one a row, with the columns of `SCHEMA`.

    Ids are unique, ascending and sparse; about one road in five has no name.
    """
    rng = random.Random(seed)
    last_id = 10_000_000
    ids = []
    for _ in range(rows):
        last_id += rng.randint(1, 97)
        ids.append(last_id)
    return pa.table(
        {
            "id": ids,
            "is_navigable": [rng.random() < 0.95 for _ in range(rows)],  # noqa: PLR2004 - a share
            "geometry": [line_string(rng, rng.randint(2, 12)) for _ in range(rows)],
            "road_class": [rng.choice(ROAD_CLASSES) for _ in range(rows)],
            "name": [rng.choice((*STREETS, None)) for _ in range(rows)],
        },
        schema=SCHEMA,
    )


def line_string(rng: random.Random, points: int) -> str:
    """A WKT line with this number of points, which are about 100 m apart."""
    lon, lat = 19.3 + rng.random() * 0.3, 51.6 + rng.random() * 0.3
    text = []
    for _ in range(points):
        text.append(f"{lon:.7f} {lat:.7f}")
        lon += (rng.random() - 0.4) * 0.002
        lat += (rng.random() - 0.4) * 0.002
    return f"LINESTRING ({', '.join(text)})"


def match_roads(roads: pa.Table, *, seed: int) -> tuple[pa.Table, Figures]:
    """The output for a network: all its columns and the three of GEM, one row for each road.

    Another seed gives other matches, but the same number of them. An unmatched road has neither a
    GERS id nor a confidence. GEM's documentation does not say this; null is the simplest choice.
    """
    count = roads.num_rows
    matched, fully = split_roads(count)
    rng = random.Random(seed)
    chosen = set(rng.sample(range(count), matched))
    gers_ids, confidences, statuses = [], [], []
    for row in range(count):
        found = row in chosen
        gers_ids.append(str(UUID(int=rng.getrandbits(128), version=4)) if found else None)
        confidences.append(round(0.6 + rng.random() * 0.4, 4) if found else None)
        statuses.append("matched" if found else "unmatched")
    table = with_matches(roads, gers_ids, confidences, statuses)
    lines = roads.column("geometry").to_pylist()
    return table, Figures(count, matched, fully, sum(kilometres(line) for line in lines))


def with_matches(
    roads: pa.Table,
    gers_ids: list[str | None],
    confidences: list[float | None],
    statuses: list[str],
) -> pa.Table:
    """The table with the columns that GEM adds, in the order of GEM's documentation."""
    return (
        roads.append_column(pa.field("gers_id", pa.string()), pa.array(gers_ids, pa.string()))
        .append_column(
            pa.field("match_confidence", pa.float64()), pa.array(confidences, pa.float64())
        )
        .append_column(pa.field("match_status", pa.string()), pa.array(statuses, pa.string()))
    )


def kilometres(line: str) -> float:
    """The length of a WKT line in WGS 84, flat between points, which is accurate enough here."""
    numbers = [float(text) for text in re.findall(r"-?[0-9.]+", line)]
    points = list(zip(numbers[::2], numbers[1::2], strict=True))
    return sum(
        _KM_PER_DEGREE * hypot((end[0] - start[0]) * cos(radians(start[1])), end[1] - start[1])
        for start, end in pairwise(points)
    )


def statistics(
    figures: Figures, *, execution_seconds: float, points_off: int = 0
) -> dict[str, str | int | float]:
    """The `statistics` of a finished job, in the order and form of GEM's documentation.

    Args:
        figures: the figures of the output.
        execution_seconds: duration of the job in simulated seconds.
        points_off: percentage points by which the share of matched roads is too high.

    Raises:
        ValueError: there are too few unmatched roads for `points_off`.

    """
    unmatched = _hundredths(figures.roads - figures.matched, figures.roads)
    matched = _hundredths(figures.matched, figures.roads)
    fully = _hundredths(figures.fully, figures.roads)
    shift = points_off * 100
    if shift > unmatched:
        raise ValueError(f"{figures.roads} roads are too few to be {points_off} points off")
    return {
        "roads_matched": _percent(matched + shift),
        "roads_unmatched": _percent(unmatched - shift),
        "roads_fully_matched": _percent(fully + shift),
        "roads_partially_matched": _percent(matched - fully),
        "confidence_threshold": CONFIDENCE_THRESHOLD,
        "execution_time_sec": round(execution_seconds, 2),
        "kms_processed": figures.kilometres,
        "num_roads_processed": figures.roads,
    }


def _hundredths(part: int, whole: int) -> int:
    """The share in hundredths of a percent, truncated like 84.68 + 15.31 in the documentation."""
    return part * _UNIT // whole


def _percent(hundredths: int) -> str:
    """A percentage with at most two decimals, such as "67.5%"."""
    digits = f"{hundredths // 100}.{hundredths % 100:02d}"
    return digits.rstrip("0").rstrip(".") + "%"
