"""Looks few ids up in Overture's registry, whose files are sorted by id. Edge (reads).

Source: Overture Maps, "GERS Registry". It has a row for each id that ever was. `path` is the folder
of the id's file, or null when the id is not in the current release. `first_seen` and `last_seen`
are releases. The registry knows one release, and is replaced with each. If an id was seen last
before a release, it is gone in that release only if the registry is as new.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.arrow.searching import positions_in
from gem_core.audit.arrow.types import is_text
from gem_core.audit.overture.meter import Meter, Stopped
from gem_core.audit.overture.release import Part, Release
from gem_core.audit.overture.segments import BBOX, ID, box_problem, boxes_of, open_file
from gem_core.audit.parquet.footer import STORED
from gem_core.audit.parquet.opened_file import OpenedFile
from gem_core.audit.parquet.reader_errors import DataFault
from gem_core.audit.reading.source import Source
from gem_core.audit.rows.release_name import ReleaseName

MOST_IDS = 20_000
"""That are looked up. Each may be in a row group of its own."""
_LAST_SEEN = "last_seen"
_TEXTS = (ID, "first_seen", _LAST_SEEN, "path")
_SEGMENT = "type=segment"


@dataclass(frozen=True, slots=True)
class Entry:
    """What the registry says of an id."""

    first_seen: ReleaseName | None
    last_seen: ReleaseName | None
    """The releases that had it first and last; None where this is not the name of one."""
    type: str
    """The folder of its type, such as "type=segment"; empty when it is not in the current
    release."""
    box: tuple[float, ...]
    """NaN when it is not in the current release."""

    @property
    def is_segment(self) -> bool:
        """Whether it is a segment of the current release."""
        return self.type == _SEGMENT


@dataclass(frozen=True, slots=True)
class Found:
    """What the registry has."""

    entries: Mapping[str, Entry]
    """By id."""
    newest: ReleaseName | None
    """The newest release that a row which was read was seen in; None if no row has one."""


def look_up(ids: Sequence[str], release: Release, meter: Meter) -> Found:
    """The entries of these ids, as far as there are any.

    Raises:
        Stopped: the registry cannot be used, or too much of it would be read.
        OutputError, MemoryError: as the files have it.

    """
    if release.registry_note:
        raise Stopped(release.registry_note)
    if len(ids) > MOST_IDS:
        raise Stopped(f"{len(ids)} ids are more than the {MOST_IDS} that are looked up there")
    wanted = sorted(ids)
    needed: list[tuple[Source, list[int]]] = []
    more = 0
    for _, source in release.of(Part.REGISTRY):
        with open_file(source, meter) as opened:
            _check_columns(opened)
            groups = [*_groups_with(opened, wanted)]
            if groups:
                leaves = opened.footer.leaves([*_TEXTS, BBOX])
                more += int(opened.footer.chunks[groups][:, leaves, STORED].sum())
                needed.append((source, groups))
    meter.allow(more, f"looking up {len(ids)} ids in the registry")
    found: dict[str, Entry] = {}
    seen: set[ReleaseName | None] = set()
    values = pa.array(wanted, pa.string())
    for source, groups in needed:
        with open_file(source, meter) as opened:
            for batch in opened.batches([*_TEXTS, BBOX], groups=groups):
                meter.check()
                hits = batch.filter(pc.is_valid(positions_in(values, batch.column(ID))))
                found |= _entries(hits)
                # Texts are in the order of their dates. One that is no date may hide the others:
                # then less is proven.
                seen.add(ReleaseName.of(pc.max(batch.column(_LAST_SEEN)).as_py()))
    return Found(found, max(filter(None, seen), default=None))


def _check_columns(opened: OpenedFile) -> None:
    schema = opened.schema
    for name in _TEXTS:
        if schema.names.count(name) != 1 or not is_text(schema.field(name).type):
            raise DataFault(f"there is no text column {name}")
    if problem := box_problem(schema):
        raise DataFault(problem)


def _groups_with(opened: OpenedFile, wanted: Sequence[str]) -> Iterator[int]:
    """The row groups that may have one of the ids, which are sorted."""
    (leaf,) = opened.footer.by_name[ID].leaves
    rows = opened.footer.group_rows
    groups = [group for group, count in enumerate(rows) if count]
    for group, bounds in zip(groups, opened.footer.statistics(leaf), strict=True):
        if bounds is None:
            yield group
            continue
        # A writer may cut a bound: then the least is smaller, and the largest is larger.
        least, most = (bound.decode(errors="replace") for bound in bounds)
        if bisect_left(wanted, least) < bisect_right(wanted, most):
            yield group


def _entries(batch: pa.RecordBatch) -> dict[str, Entry]:
    texts = (batch.column(name).to_pylist() for name in _TEXTS)
    boxes = boxes_of(batch.column(BBOX)).tolist()
    return {
        id_: Entry(ReleaseName.of(first), ReleaseName.of(last), _type(path), tuple(box))
        for id_, first, last, path, box in zip(*texts, boxes, strict=True)
    }


def _type(path: str | None) -> str:
    return next((part for part in (path or "").split("/") if part.startswith("type=")), "")
