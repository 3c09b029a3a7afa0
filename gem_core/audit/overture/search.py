"""The search for a job's ids in a release, from likely places to the others. Edge (reads, disk).

Segments near the roads are read first. What is left is looked for among the removed ids, in the
registry, and last in the rest of the release. An id is unknown only when all of it was read, and
the files are still those that were listed.
"""

from collections.abc import Callable, Sequence
from enum import IntEnum

import numpy as np

from gem_core.audit.ids.spill import SpillFull, SpillSpace
from gem_core.audit.overture import registry
from gem_core.audit.overture.boxes import BOX
from gem_core.audit.overture.id_index import IdIndex
from gem_core.audit.overture.job_ids import JobIds
from gem_core.audit.overture.keys import OddIds, keys_of, texts_of
from gem_core.audit.overture.meter import Meter, Stopped
from gem_core.audit.overture.partitions import Partitions
from gem_core.audit.overture.release import LIVE, Part, Release
from gem_core.audit.overture.segments import SegmentFile, open_files, segments
from gem_core.audit.rows.gers import GersFormat
from gem_core.errors import OutputError


class State(IntEnum):
    """What is known of an id."""

    OPEN = 0
    ALIVE = 1
    REMOVED = 2
    OUTSIDE = 3
    OTHER_TYPE = 4
    UNKNOWN = 5


HIT = np.dtype([("number", "<u4"), ("box", BOX)])
"""A segment of the release: the number of its id in the index, its box."""


class Search:
    """Finds out the state of each id. Close `hits`."""

    def __init__(
        self, job: JobIds, release: Release, format_: GersFormat, space: SpillSpace, meter: Meter
    ) -> None:
        self._index: IdIndex = job.index
        self._area = job.area
        self._release = release
        self._format = format_
        self._meter = meter
        self.states = np.zeros(len(job.index), np.uint8)
        self.hits = Partitions(space, HIT, job.rows.bits)
        self.how_far = ""
        """Why ids are still open; empty when none is."""
        self.registry_note = ""
        """Why the registry was not asked; empty when it was, or need not be."""
        self._groups = self._read = 0
        """Row groups of the release, and those that were read."""

    def run(self) -> None:
        """Search as long as an id is open, and the limits allow. Raises MemoryError."""
        steps: Sequence[Callable[[], None]] = (
            self._read_near,
            self._read_removed,
            self._ask_registry,
            self._read_rest,
        )
        if not self._open:
            return
        try:
            self._files = open_files(self._release.of(*LIVE, Part.REMOVED), self._meter)
            self._groups = sum(len(file.group_rows) for file in self._live)
            for step in steps:
                if not self._open:
                    return
                step()
            self._conclude()
        except (Stopped, OutputError) as reason:
            self._stop(str(reason))
        except SpillFull:
            self._stop("the ids take more disk than GEM_IDS_DISK_MIB or --ids-disk allows")
        except OddIds as odd:
            self._stop(f"in the changelog, {odd}")

    @property
    def _open(self) -> int:
        return int(np.count_nonzero(self.states == State.OPEN))

    @property
    def _live(self) -> list[SegmentFile]:
        return [file for file in self._files if file.part in LIVE]

    def _stop(self, reason: str) -> None:
        self.how_far = (
            f"{self._open:,} of {len(self.states):,} ids were not found in {self._read:,} of "
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
        left = self._open
        for file, groups in needed:
            if groups:
                left -= self._read_file(file, groups)
            if not left:
                return

    def _read_file(self, file: SegmentFile, groups: list[int]) -> int:
        """Note the segments whose ids the job has, and return how many ids are newly found."""
        newly = 0
        for ids, boxes in segments(file, groups, self._meter):
            places, numbers = self._index.find(keys_of(ids, self._format))
            newly += self._note(numbers, boxes[places])
        self._read += len(groups)
        return newly

    def _note(self, numbers: np.ndarray, boxes: np.ndarray) -> int:
        """Note hits, by number, and return how many of the ids were open."""
        before = numbers[self.states[numbers] == State.OPEN]
        self.states[numbers] = State.ALIVE
        found = np.empty(len(numbers), HIT)
        found["number"], found["box"] = numbers, boxes
        self.hits.add(self._index.keys.mixed[numbers], found)
        return int(np.count_nonzero(np.diff(before))) + bool(len(before))

    def _read_removed(self) -> None:
        files = [file for file in self._files if file.part is Part.REMOVED]
        size = sum(sum(file.group_bytes) for file in files)
        self._meter.allow(size, "reading the removed ids")
        for file in files:
            everything = range(len(file.group_rows))
            for ids, _ in segments(file, everything, self._meter, boxes=False):
                _, numbers = self._index.find(keys_of(ids, self._format))
                self.states[numbers[self.states[numbers] == State.OPEN]] = State.REMOVED

    def _ask_registry(self) -> None:
        numbers = np.flatnonzero(self.states == State.OPEN)
        ids = texts_of(self._index.keys.at(numbers), self._format)
        try:
            entries = registry.look_up(ids, self._release, self._meter)
        except (Stopped, OutputError) as reason:
            self._meter.check()
            self.registry_note = str(reason)
            return
        for number, id_ in zip(numbers, ids, strict=True):
            if entry := entries.get(id_):
                self._judge(np.array([number]), entry)

    def _judge(self, number: np.ndarray, entry: registry.Entry) -> None:
        day = self._release.day
        if not entry.first_day <= day <= entry.last_day:
            self.states[number] = State.OUTSIDE
        elif entry.type and not entry.is_segment:
            self.states[number] = State.OTHER_TYPE
        elif entry.is_segment and entry.last_day == day:
            self._note(number, np.array([entry.box]))

    def _conclude(self) -> None:
        """Everything was read: what is open is in no part, if the parts are all there."""
        absent = [part for part in LIVE if part not in self._release.parts]
        if absent:
            raise Stopped(f"the changelog has no files of change_type={absent[0]}")
        self._release.listing.read(0, 1)
        self.states[self.states == State.OPEN] = State.UNKNOWN
