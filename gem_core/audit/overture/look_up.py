"""The story of a look-up: the job's ids, the search, what it means for each row. Edge (reads)."""

from contextlib import closing

import numpy as np

from gem_core.audit.contract import Promises
from gem_core.audit.ids.spill import SpillFull, SpillSpace
from gem_core.audit.options import IdLimits, OvertureLimits
from gem_core.audit.overture.boxes import known, meets, padded
from gem_core.audit.overture.facts import MARKED_ROWS, OvertureFacts
from gem_core.audit.overture.job_ids import JobIds, read_job_ids
from gem_core.audit.overture.keys import texts_of
from gem_core.audit.overture.meter import Meter, Stopped
from gem_core.audit.overture.release import Release
from gem_core.audit.overture.search import Search, State
from gem_core.audit.parquet.opened_file import Fault, open_parquet
from gem_core.audit.parquet.reader_errors import DataFault
from gem_core.audit.reading.range_file import RangeFile
from gem_core.audit.reading.source import Source
from gem_core.audit.rows.example import EXAMPLES, Example
from gem_core.audit.rows.gers import GersFormat, format_of_release
from gem_core.audit.rows.offenders import Offenders
from gem_core.errors import OutputError


def look_up(
    output: Source,
    promises: Promises,
    release: Release,
    limits: OvertureLimits,
    id_limits: IdLimits,
) -> OvertureFacts:
    """Look the GERS ids of an output up in a release, within the limits.

    Whatever prevents it is a value: it says nothing about the output.

    Raises:
        MemoryError: there was too little.

    """
    meter = Meter(limits)
    space = SpillSpace(id_limits.disk_bytes, id_limits.folder)
    format_ = format_of_release(release.name)
    try:
        with RangeFile(output) as file:
            opened = open_parquet(file)
            if isinstance(opened, Fault):
                return OvertureFacts(problem=opened.detail)
            job = read_job_ids(opened, promises, format_, space, meter)
        with closing(job.rows):
            search = Search(job, release, format_, space, meter)
            with closing(search.hits):
                search.run()
                return _facts(job, search, release, format_, meter)
    except (Stopped, DataFault, OutputError) as reason:
        return OvertureFacts(problem=str(reason), may_pass=True)
    except SpillFull:
        limit = "GEM_IDS_DISK_MIB or --ids-disk allows"
        return OvertureFacts(problem=f"the ids take more disk than {limit}", may_pass=True)
    except OSError as error:
        problem = f"the temporary directory cannot be used: {error.strerror or error}"
        return OvertureFacts(problem=problem, may_pass=True)


def _facts(
    job: JobIds, search: Search, release: Release, format_: GersFormat, meter: Meter
) -> OvertureFacts:
    counts = {state: _Rows() for state in _NOT_ALIVE}
    elsewhere, without_place, open_rows = _Rows(), 0, 0
    for part in range(len(job.rows)):
        rows_of_part = job.rows.part(part)
        states = search.states[rows_of_part["number"]]
        for state, rows in counts.items():
            rows.add(rows_of_part[states == state])
        open_rows += int(np.count_nonzero(states == State.OPEN))
        alive = rows_of_part[states == State.ALIVE]
        near, placed = _compared(alive, search.hits.part(part))
        elsewhere.add(alive[~near & placed])
        without_place += int(np.count_nonzero(~placed))

    def offenders(rows: _Rows) -> Offenders:
        return rows.offenders(job, format_)

    marked = [row for rows in (*counts.values(), elsewhere) for row in rows.marked()]
    return OvertureFacts(
        release=release.name,
        rows=job.count,
        ids=len(job.index),
        removed=offenders(counts[State.REMOVED]),
        outside=offenders(counts[State.OUTSIDE]),
        unknown=offenders(counts[State.UNKNOWN]),
        other_type=offenders(counts[State.OTHER_TYPE]),
        elsewhere=offenders(elsewhere),
        without_place=without_place,
        open_rows=open_rows,
        how_far=search.how_far,
        may_pass=bool(search.how_far),
        registry_note=search.registry_note,
        reading=f"{meter.bytes_read:,} bytes of Overture in {meter.requests} requests",
        marked=tuple(sorted(marked)),
    )


def _compared(rows: np.ndarray, hits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which rows have their segment where the road is, and of which both places are known.

    A segment that the release has twice is near if one of them is.
    """
    hits = hits[np.argsort(hits["number"], kind="stable")]
    areas = padded(rows["box"])
    first = np.searchsorted(hits["number"], rows["number"], "left")
    end = np.searchsorted(hits["number"], rows["number"], "right")
    near, placed = np.zeros(len(rows), np.bool_), known(rows["box"])
    for turn in range(int((end - first).max(initial=0))):
        at = np.flatnonzero(first + turn < end)
        boxes = hits["box"][first[at] + turn]
        near[at] |= meets(areas[at], boxes)
        placed[at] &= known(boxes)
    return near, placed


_NOT_ALIVE = (State.REMOVED, State.OUTSIDE, State.UNKNOWN, State.OTHER_TYPE)


class _Rows:
    """The rows of one kind: their number, and the first of them in the file."""

    def __init__(self) -> None:
        self.count = 0
        self._first = np.zeros(0, np.dtype([("row", "<u4"), ("number", "<u4")]))

    def add(self, rows: np.ndarray) -> None:
        self.count += len(rows)
        more = np.empty(len(rows), self._first.dtype)
        more["row"], more["number"] = rows["row"], rows["number"]
        both = np.concatenate([self._first, more])
        self._first = both[np.argsort(both["row"])][:MARKED_ROWS]

    def marked(self) -> list[int]:
        found: list[int] = self._first["row"].tolist()
        return found

    def offenders(self, job: JobIds, format_: GersFormat) -> Offenders:
        shown = self._first[:EXAMPLES]
        ids = texts_of(job.index.keys.at(shown["number"]), format_)
        pairs = zip(shown["row"].tolist(), ids, strict=True)
        return Offenders(self.count, tuple(Example(row, value=id_) for row, id_ in pairs))
