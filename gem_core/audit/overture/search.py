"""The search for a job's ids in a release, from likely places to the others. Edge (reads, disk).

Segments near the roads are read first. What is left is looked for among the removed ids, in the
registry, and last in the rest of the release. An id is unknown only when all of the release was
read, and its files are still those that were listed. The next changelog must also prove that these
are all files.
"""

from collections.abc import Callable, Sequence

import numpy as np

from gem_core.audit.ids.spill import SpillFull, SpillSpace
from gem_core.audit.overture import registry
from gem_core.audit.overture.completeness import why_unproven
from gem_core.audit.overture.id_filter import IdFilter
from gem_core.audit.overture.job_rows import JobRows
from gem_core.audit.overture.joining import FOUND, ROW, State, distinct, judge, ordered, records
from gem_core.audit.overture.keys import Keys, keys_of, texts_of
from gem_core.audit.overture.meter import Meter, Stopped
from gem_core.audit.overture.partitions import Partitions
from gem_core.audit.overture.release import LIVE, Part, Release
from gem_core.audit.overture.segments import SegmentFile, open_files, segments
from gem_core.audit.rows.gers import GersFormat
from gem_core.audit.rows.gers_bits import OddIds
from gem_core.audit.rows.release_name import ReleaseName
from gem_core.errors import OutputError


class Search:
    """Finds out the state of each row. Close it."""

    def __init__(
        self, job: JobRows, release: Release, format_: GersFormat, space: SpillSpace, meter: Meter
    ) -> None:
        """Take over the job's rows."""
        self.rows = job.rows
        """Those that are not in place, or not yet known to be."""
        self.ids: int | None = None
        """Distinct ids of the job, when the rows were judged for the first time."""
        self._open = job.rows.count
        """Distinct ids that were not found yet; at first, rows."""
        self.how_far = ""
        """Why ids are still open; empty when none is."""
        self.registry_note = ""
        """Why the registry was not asked; empty when it was, or need not be."""
        self._wanted = job.ids
        self._area = job.area
        self._release = release
        self._format = format_
        self._space = space
        self._meter = meter
        self._found = Partitions(space, FOUND, job.rows.bits)
        self._groups = self._read = 0
        """Row groups of the release, and those that were read."""

    def close(self) -> None:
        """Remove everything from disk."""
        self.rows.close()
        self._found.close()

    def run(self) -> None:
        """Search as long as an id is open, and the limits allow.

        Raises:
            OSError, SpillFull: the rows cannot be kept on disk.
            MemoryError: there was too little.

        """
        try:
            self._search()
        except (Stopped, OutputError) as reason:
            self._stop(str(reason))
        except OddIds as odd:
            self._stop(f"in the changelog, {odd}")

    def _search(self) -> None:
        steps: Sequence[Callable[[], None]] = (
            self._read_near,
            self._read_removed,
            self._ask_registry,
            self._read_rest,
        )
        if not self._open:
            return
        self._files = open_files(self._release.of(*LIVE, Part.REMOVED), self._meter)
        self._groups = sum(len(file.group_rows) for file in self._live)
        for step in steps:
            step()
            self._judge()
            if not self._open:
                return
        self._conclude()

    def _judge(self) -> None:
        """Judge the rows by what was found, and keep those that are not in place."""
        if not self._found.count and self.ids is not None:
            return
        before, found, ids = self.rows, self._found, 0
        self.rows = Partitions(self._space, ROW, before.bits)
        self._found = Partitions(self._space, FOUND, before.bits)
        self._wanted = IdFilter(before.count)
        self._open = 0
        try:
            for part, found_of_part in zip(before.drain(), found.drain(), strict=True):
                rows = ordered(part)
                ids += len(distinct(rows))
                judge(rows, found_of_part)
                kept = rows[rows["state"] != State.IN_PLACE]
                self.rows.add(kept["mixed"], kept)
                self._wanted.add(kept["mixed"])
                self._open += len(distinct(kept[kept["state"] == State.OPEN]))
        finally:
            before.close()
            found.close()
        self.ids = ids if self.ids is None else self.ids

    @property
    def _live(self) -> list[SegmentFile]:
        return [file for file in self._files if file.part in LIVE]

    def _stop(self, reason: str) -> None:
        self._judge()
        self.how_far = (
            f"{self._open:,} of {self.ids:,} ids were not found in {self._read:,} of "
            f"{self._groups:,} row groups: {reason}"
        )

    def _near(self, file: SegmentFile) -> list[int]:
        """The row groups that may have segments at the roads."""
        boxes = enumerate(file.group_boxes)
        return [at for at, box in boxes if file.group_rows[at] and self._area.touches(box)]

    def _read_near(self) -> None:
        self._read_live([(file, self._near(file)) for file in self._live], "near the roads")

    def _read_rest(self) -> None:
        rest = []
        for file in self._live:
            near = set(self._near(file))
            rest.append((file, [at for at in range(len(file.group_rows)) if at not in near]))
        self._read_live(rest, "in the rest of the release")

    def _read_live(self, needed: Sequence[tuple[SegmentFile, list[int]]], where: str) -> None:
        size = sum(file.group_bytes[group] for file, groups in needed for group in groups)
        self._meter.allow(size, f"reading the segments {where}")
        for file, groups in needed:
            if groups:
                for ids, boxes in segments(file, groups, self._meter):
                    self._note(keys_of(ids, self._format), boxes, State.ELSEWHERE)
                self._read += len(groups)

    def _note(self, keys: Keys, boxes: np.ndarray, state: State) -> None:
        """Note ids that were found, as far as the job may have them."""
        places = self._wanted.passing(keys.mixed)
        found = records(FOUND, keys.at(places), boxes[places], state)
        try:
            self._found.add(found["mixed"], found)
        except SpillFull:
            self._judge()  # which makes room
            try:
                self._found.add(found["mixed"], found)
            except SpillFull:
                limit = "GEM_IDS_DISK_MIB or --ids-disk allows"
                raise Stopped(f"the ids take more disk than {limit}") from None

    def _read_removed(self) -> None:
        files = [file for file in self._files if file.part is Part.REMOVED]
        size = sum(sum(file.group_bytes) for file in files)
        self._meter.allow(size, "reading the removed ids")
        for file in files:
            everything = range(len(file.group_rows))
            for ids, boxes in segments(file, everything, self._meter, boxes=False):
                self._note(keys_of(ids, self._format), boxes, State.REMOVED)

    def _ask_registry(self) -> None:
        if self._open > registry.MOST_IDS:
            most = registry.MOST_IDS
            self.registry_note = (
                f"{self._open} ids are more than the {most} that are looked up there"
            )
            return
        parts = [distinct(rows[rows["state"] == State.OPEN]) for rows in self.rows]
        rows = np.concatenate(parts)
        keys = Keys(rows["mixed"], rows["low"])
        ids = texts_of(keys, self._format).to_pylist()
        try:
            found = registry.look_up(ids, self._release, self._meter)
        except (Stopped, OutputError) as reason:
            self._meter.check()
            self.registry_note = str(reason)
            return
        for place, id_ in enumerate(ids):
            entry = found.entries.get(id_)
            if entry and (state := _state_by(entry, self._release.name, found.newest)):
                self._note(keys.at(np.array([place])), np.array([entry.box]), state)

    def _conclude(self) -> None:
        """Everything was read: what is open is in no part, if the files are all there."""
        self._release.listing.read(0, 1)
        if reason := why_unproven(self._release, self._live, self._meter):
            count = len(self._live)
            raise Stopped(f"the {count} files that were listed may not be all: {reason}")


def _state_by(entry: registry.Entry, release: str, newest: ReleaseName | None) -> State | None:
    """What the registry proves of an id; None if nothing.

    Args:
        entry: what it says of the id.
        release: whose ids are looked up.
        newest: the newest release that the registry is proven to know.

    """
    own, first, last = ReleaseName.of(release), entry.first_seen, entry.last_seen
    if own and first and last and first <= last:
        if own.day < first.day or (last.day < own.day and newest and own <= newest):
            return State.OUTSIDE
        if entry.is_segment and last.day == own.day:
            return State.ELSEWHERE
    return State.OTHER_TYPE if entry.type and not entry.is_segment else None
