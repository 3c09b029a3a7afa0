"""The story of a look-up: the job's ids, the search, what it means for each row. Edge (reads)."""

from contextlib import closing

import numpy as np

from gem_core.audit.contract import Promises
from gem_core.audit.ids.spill import SpillFull, SpillSpace
from gem_core.audit.options import IdLimits, OvertureLimits
from gem_core.audit.overture.facts import MARKED_ROWS, OvertureFacts
from gem_core.audit.overture.job_rows import read_job_rows
from gem_core.audit.overture.joining import ROW, State
from gem_core.audit.overture.keys import Keys, texts_of
from gem_core.audit.overture.meter import Meter, Stopped
from gem_core.audit.overture.release import Release
from gem_core.audit.overture.search import Search
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
            job = read_job_rows(opened, promises, format_, space, meter)
        count = job.rows.count
        with closing(Search(job, release, format_, space, meter)) as search:
            search.run()
            return _facts(search, count, release, meter)
    except (Stopped, DataFault, OutputError) as reason:
        return OvertureFacts(problem=str(reason), may_pass=True)
    except SpillFull:
        limit = "GEM_IDS_DISK_MIB or --ids-disk allows"
        return OvertureFacts(problem=f"the ids take more disk than {limit}", may_pass=True)
    except OSError as error:
        problem = f"the temporary directory cannot be used: {error.strerror or error}"
        return OvertureFacts(problem=problem, may_pass=True)


def _facts(search: Search, count: int, release: Release, meter: Meter) -> OvertureFacts:
    """What is known of the rows, `count` in all. Those that were not kept are in place."""
    kinds = {state: _Rows() for state in State}
    for rows in search.rows:
        for state, of_state in kinds.items():
            of_state.add(rows[rows["state"] == state])
    unknown = _Rows() if search.how_far else kinds[State.OPEN]
    bad = [kinds[state] for state in _BAD] + [unknown]
    format_ = format_of_release(release.name)
    removed, outside, other_type, elsewhere, not_found = (rows.offenders(format_) for rows in bad)
    return OvertureFacts(
        release=release.name,
        rows=count,
        ids=search.ids or 0,
        removed=removed,
        outside=outside,
        unknown=not_found,
        other_type=other_type,
        elsewhere=elsewhere,
        without_place=kinds[State.NO_PLACE].count,
        open_rows=kinds[State.OPEN].count if search.how_far else 0,
        how_far=search.how_far,
        may_pass=bool(search.how_far),
        registry_note=search.registry_note,
        reading=f"{meter.bytes_read:,} bytes of Overture in {meter.requests} requests",
        marked=tuple(sorted(row for rows in bad for row in rows.marked())),
    )


_BAD = (State.REMOVED, State.OUTSIDE, State.OTHER_TYPE, State.ELSEWHERE)


class _Rows:
    """The rows of one kind: their number, and the first of them in the file."""

    def __init__(self) -> None:
        self.count = 0
        self._first = np.zeros(0, ROW)

    def add(self, rows: np.ndarray) -> None:
        self.count += len(rows)
        both = np.concatenate([self._first, rows])
        self._first = both[np.argsort(both["row"])][:MARKED_ROWS]

    def marked(self) -> list[int]:
        found: list[int] = self._first["row"].tolist()
        return found

    def offenders(self, format_: GersFormat) -> Offenders:
        shown = self._first[:EXAMPLES]
        ids = texts_of(Keys(shown["mixed"], shown["low"]), format_)
        pairs = zip(shown["row"].tolist(), ids, strict=True)
        return Offenders(self.count, tuple(Example(row, value=id_) for row, id_ in pairs))
