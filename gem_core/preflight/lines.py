"""Reads geometries that are to be WKT LINESTRINGs, many at a time. Pure.

A geometry is first matched as a whole, by expressions that take time in proportion to its length.
Only numbers of geometries that matched are parsed. Source: OGC 06-103r4, well-known text.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.arrow.arrays import Mask, true_at
from gem_core.audit.arrow.text import text_parts
from gem_core.preflight.road_rules import RoadRule

_NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:E[-+]?[0-9]+)?"
_NO_NUMBER = r"[-+]?(?:NAN|INF(?:INITY)?)"
_TAGS = {2: "", 3: r"(?:\s*(?:Z|M))?", 4: r"(?:\s*ZM)?"}
"""What may stand behind LINESTRING, by the numbers of a point."""
_ANY_TAG = r"(?:\s*(?:ZM|Z|M))?"


def _line(size: int, number: str, more: str) -> str:
    point = rf"\s*{number}(?:\s+{number}){{{size - 1}}}\s*"
    return rf"(?i)^\s*LINESTRING{_TAGS[size]}\s*\({point}(?:,{point}){more}\)\s*$"


_LINES = {size: _line(size, _NUMBER, "+") for size in _TAGS}
_NOT_FINITE = [_line(size, rf"(?:{_NUMBER}|{_NO_NUMBER})", "+") for size in _TAGS]
_FEW_POINTS = rf"(?i)^\s*LINESTRING{_ANY_TAG}\s*(?:EMPTY|\(\s*(?:{_NUMBER}\s*){{0,4}}\))\s*$"
_LINESTRING = rf"(?i)^\s*LINESTRING{_ANY_TAG}\s*(?:\(|EMPTY|$)"

_FORMS = {
    "EWKT (SRID=…;)": r"(?i)^\s*SRID\s*=",
    "WKB as hexadecimal digits": r"(?i)^\s*0[01](?:[0-9a-f]{2}){4}",
    "GeoJSON": r"^\s*\{",
}
"""What a geometry may be instead."""
_WORD = r"^\s*(?P<word>[A-Za-z]{3,20})(?:\s*(?:ZM|Z|M|zm|z|m))?\s*(?:\(|EMPTY|empty)"
"""Of another kind of geometry."""
_NUMERIC = bytes(byte if chr(byte) in "0123456789.+-E" else 32 for byte in range(256))


@dataclass(frozen=True, slots=True)
class Lines:
    """The geometries of a batch."""

    broken: Mapping[RoadRule, Mask]
    """Which rows break a rule of the form."""
    rows: np.ndarray
    """Of each line that could be read: its row."""
    starts: np.ndarray
    """And where its points begin; the last number is the end of the last line."""
    x: np.ndarray
    y: np.ndarray
    """Of all points of these lines."""
    forms: Counter[str] = field(default_factory=Counter)
    """What the geometries are that are no LINESTRING."""


def read_lines(texts: pa.StringArray) -> Lines:
    """Read the geometries of a batch."""
    count = len(texts)
    broken = {rule: np.zeros(count, np.bool_) for rule in RoadRule if rule not in _OF_OTHERS}
    parts = []
    left = np.arange(count)
    for size, pattern in _LINES.items():
        is_line = _matches(texts, left, pattern)
        if is_line.any():
            parts.append((left[is_line], size))
            broken[RoadRule.COORDINATES_TWO][left[is_line]] = size > 2  # noqa: PLR2004 - x and y
        left = left[~is_line]
        if not len(left):
            break
    forms = _sort_out(texts, left, broken)
    lines = [_points(texts, rows, size) for rows, size in parts]
    return _joined(broken, lines, forms)


_OF_OTHERS = {RoadRule.ID_PRESENT, RoadRule.NAVIGABLE_PRESENT}


def _sort_out(
    texts: pa.StringArray, rows: np.ndarray, broken: Mapping[RoadRule, Mask]
) -> Counter[str]:
    """Find which rule each of the other rows breaks."""

    def take(rule: RoadRule, mask: Mask) -> None:
        nonlocal rows
        broken[rule][rows[mask]] = True
        rows = rows[~mask]

    forms: Counter[str] = Counter()
    if not len(rows):
        return forms
    some = texts.take(pa.array(rows))
    is_absent = ~true_at(pc.match_substring_regex(some, r"\S"))
    take(RoadRule.GEOMETRY_PRESENT, is_absent)
    is_other = ~_matches(texts, rows, _LINESTRING)
    forms.update(_forms(texts.take(pa.array(rows[is_other]))))
    take(RoadRule.GEOMETRY_LINESTRING, is_other)
    take(RoadRule.GEOMETRY_TWO_POINTS, _matches(texts, rows, _FEW_POINTS))
    for pattern in _NOT_FINITE:
        take(RoadRule.COORDINATES_FINITE, _matches(texts, rows, pattern))
    take(RoadRule.GEOMETRY_WELL_FORMED, np.ones(len(rows), np.bool_))
    return forms


def _forms(texts: pa.StringArray) -> Counter[str]:
    """What these geometries are."""
    found: Counter[str] = Counter()
    for name, pattern in _FORMS.items():
        is_form = pc.match_substring_regex(texts, pattern)
        if is_form.true_count:
            found[name] += is_form.true_count
            texts = texts.filter(pc.invert(is_form))
    words = pc.utf8_upper(pc.extract_regex(texts, _WORD).field("word"))
    for each in pc.value_counts(words):
        found[each["values"].as_py() or "text of another form"] += each["counts"].as_py()
    return found


def _matches(texts: pa.StringArray, rows: np.ndarray, pattern: str) -> Mask:
    some = texts if len(rows) == len(texts) else texts.take(pa.array(rows))
    return true_at(pc.match_substring_regex(some, pattern))


def _points(
    texts: pa.StringArray, rows: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The rows, the number of points of each, and all x and y."""
    some = texts if len(rows) == len(texts) else texts.take(pa.array(rows))
    counts = pc.count_substring(some, ",").to_numpy(zero_copy_only=False) + 1
    _, data = text_parts(some)
    # Upper case also for the E of an exponent. What is left are numbers and blanks.
    plain = data.tobytes().upper().replace(b"LINESTRING", b" ").translate(_NUMERIC)
    numbers = np.fromstring(plain, sep=" ").reshape(-1, size)
    return rows, counts, numbers[:, 0], numbers[:, 1]


def _joined(
    broken: Mapping[RoadRule, Mask],
    lines: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]],
    forms: Counter[str],
) -> Lines:
    empty = np.zeros(0, np.int64)
    rows, counts, x, y = (
        (np.concatenate(parts) for parts in zip(*lines, strict=True))
        if lines
        else (empty, empty, np.zeros(0), np.zeros(0))
    )
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    found = Lines(broken, rows, starts, x, y, forms)
    _check_coordinates(found)
    return found


def _check_coordinates(lines: Lines) -> None:
    """Find the lines whose numbers are out of range, or whose points are all the same."""
    if not len(lines.rows):
        return
    x, y, begins = lines.x, lines.y, lines.starts[:-1]
    finite = np.isfinite(x) & np.isfinite(y)  # 1E999 is a number, and infinite
    outside = finite & ~((np.abs(x) <= 180) & (np.abs(y) <= 90))  # noqa: PLR2004 - degrees
    for rule, points in (
        (RoadRule.COORDINATES_FINITE, ~finite),
        (RoadRule.COORDINATES_IN_RANGE, outside),
    ):
        if points.any():
            lines.broken[rule][lines.rows] = np.logical_or.reduceat(points, begins)
    stays = (x[1:] == x[:-1]) & (y[1:] == y[:-1])
    if stays.any():
        moves = np.concatenate([[False], ~stays])
        moves[begins] = False
        lines.broken[RoadRule.GEOMETRY_LENGTH][lines.rows] = ~np.logical_or.reduceat(moves, begins)
