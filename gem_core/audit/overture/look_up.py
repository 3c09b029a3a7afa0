"""The story of a look-up: the job's ids, the search, what it means for each row. Edge (reads)."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace

import numpy as np

from gem_core.audit.contract import Promises
from gem_core.audit.ids.spill import SpillFull, SpillSpace
from gem_core.audit.options import IdLimits, OvertureLimits
from gem_core.audit.overture.facts import MARKED_ROWS, NONE, OvertureFacts
from gem_core.audit.overture.job_rows import read_job_rows
from gem_core.audit.overture.joining import ROW, State
from gem_core.audit.overture.keys import Keys, texts_of
from gem_core.audit.overture.meter import Meter, Stopped
from gem_core.audit.overture.release import Release
from gem_core.audit.overture.row_ids import ids_of
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
    *,
    keep: int = EXAMPLES,
) -> OvertureFacts:
    """Look the GERS ids of an output up in a release, within the limits.

    Of each kind of bad rows the first `keep` are returned. Whatever prevents the look-up is a
    value: it says nothing about the output.

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
            kinds = _by_state(search, keep)
            open_, how_far = _left_open(search, kinds, release)
            shown = [row for state in _BAD - open_ for row in kinds[state].shown]
            ids = ids_of(output, promises, shown, meter)
            facts = _facts(kinds, open_, format_, ids)
        return replace(
            facts,
            release=release.name,
            rows=count,
            ids=search.ids or 0,
            how_far=how_far,
            may_pass=bool(how_far),
            registry_note=search.registry_note,
            reading=f"{meter.bytes_read:,} bytes of Overture in {meter.requests} requests",
        )
    except (Stopped, DataFault, OutputError) as reason:
        return OvertureFacts(problem=str(reason), may_pass=True)
    except SpillFull:
        limit = "GEM_IDS_DISK_MIB or --ids-disk allows"
        return OvertureFacts(problem=f"the ids take more disk than {limit}", may_pass=True)
    except OSError as error:
        problem = f"the temporary directory cannot be used: {error.strerror or error}"
        return OvertureFacts(problem=problem, may_pass=True)


_BAD = frozenset({State.REMOVED, State.OUTSIDE, State.OTHER_TYPE, State.ELSEWHERE, State.OPEN})
_OF_OTHER_PATCH = frozenset({State.REMOVED, State.OUTSIDE, State.ELSEWHERE, State.OPEN})
"""What another patch of the release does not prove: it may have other segments."""


def _by_state(search: Search, keep: int) -> Mapping[State, "_Rows"]:
    kinds = {state: _Rows(keep) for state in State}
    for rows in search.rows:
        for state, of_state in kinds.items():
            of_state.add(rows[rows["state"] == state])
    return kinds


def _left_open(
    search: Search, kinds: Mapping[State, "_Rows"], release: Release
) -> tuple[frozenset[State], str]:
    """The states that are no verdict, and why not."""
    open_ = frozenset({State.OPEN} if search.how_far else ())
    if not release.stands_in_for or not any(kinds[state].count for state in _OF_OTHER_PATCH):
        return open_, search.how_far
    own, other = release.stands_in_for, release.name
    reason = f"there is no changelog of {own}: only ids that are in place in {other} are proven"
    return _OF_OTHER_PATCH, "; ".join(filter(None, (reason, search.how_far)))


def _facts(
    kinds: Mapping[State, "_Rows"],
    open_: frozenset[State],
    format_: GersFormat,
    ids: Mapping[int, str | None],
) -> OvertureFacts:
    """What is known of the rows. Those that were not kept are in place."""

    def of(state: State) -> Offenders:
        return NONE if state in open_ else kinds[state].offenders(format_, ids)

    return OvertureFacts(
        removed=of(State.REMOVED),
        outside=of(State.OUTSIDE),
        unknown=of(State.OPEN),
        other_type=of(State.OTHER_TYPE),
        elsewhere=of(State.ELSEWHERE),
        without_place=kinds[State.NO_PLACE].count,
        open_rows=sum(kinds[state].count for state in open_),
        marked=tuple(sorted(row for state in _BAD - open_ for row in kinds[state].marked)),
    )


class _Rows:
    """The rows of one kind: their number, and the first of them in the file."""

    def __init__(self, keep: int) -> None:
        self.count = 0
        self._keep = keep
        self._first = np.zeros(0, ROW)

    def add(self, rows: np.ndarray) -> None:
        self.count += len(rows)
        both = np.concatenate([self._first, rows])
        self._first = both[np.argsort(both["row"])][: max(MARKED_ROWS, self._keep)]

    @property
    def marked(self) -> list[int]:
        found: list[int] = self._first["row"][:MARKED_ROWS].tolist()
        return found

    @property
    def shown(self) -> list[int]:
        found: list[int] = self._first["row"][: self._keep].tolist()
        return found

    def offenders(self, format_: GersFormat, ids: Mapping[int, str | None]) -> Offenders:
        first = self._first[: self._keep]
        values = texts_of(Keys(first["mixed"], first["low"]), format_).to_pylist()
        pairs = zip(self.shown, values, strict=True)
        examples = tuple(Example(row, ids.get(row), value) for row, value in pairs)
        return Offenders(self.count, examples, self._keep)
