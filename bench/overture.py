"""`python -m bench.overture WORLD JOB`: what a look-up costs beside its floor, as JSON.

The floor decodes the geometry of the job and the row groups that the look-up reads, with the same
reader in one thread, and does nothing with them. `FLOOR=1` measures it alone; `FLOOR=boxes` also
reads the coordinates of the geometry. The files are read as blobs are: with read-ahead, and one
request for each range; allocators are those of the audit process. WORLD and JOB are made by
`python -m bench.overture write WORLD SEGMENTS`.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pyarrow as pa

from bench.deployed import AS_DEPLOYED
from bench.overture_world import RELEASE, write_job, write_release
from gem_core.audit.contract import GEOMETRY, promises_of
from gem_core.audit.options import IdLimits, OvertureLimits
from gem_core.audit.overture import search, segments
from gem_core.audit.overture.listing import Folder, find_release
from gem_core.audit.overture.look_up import look_up
from gem_core.audit.overture.meter import Meter
from gem_core.audit.overture.release import NoRelease, Release
from gem_core.audit.overture.road_boxes import road_boxes
from gem_core.audit.overture.segments import BBOX, ID, SegmentFile
from gem_core.audit.parquet.opened_file import Fault, OpenedFile, open_parquet
from gem_core.audit.reading.range_file import RangeFile
from gem_core.audit.reading.source import Source, open_file
from gem_core.gem.contracts import known

EACH = 100
"""Roads of each planted truth."""
JOB = known.read({"jobRunId": "j", "status": "finished"}, job_run_id="j")
LIMITS = OvertureLimits(16 << 30, cpu_seconds=3600, wall_seconds=7200)


def main() -> None:
    """Write a world, or measure."""
    if not os.environ.items() >= AS_DEPLOYED.items():
        words = [sys.executable, "-m", "bench.overture", *sys.argv[1:]]
        os.execve(sys.executable, words, os.environ | AS_DEPLOYED)  # noqa: S606 - this program
    if sys.argv[1] == "write":
        write(Path(sys.argv[2]), int(sys.argv[3]))
        return
    root, path = Path(sys.argv[1]), Path(sys.argv[2])
    print(json.dumps(floor(root, path) if os.environ.get("FLOOR") else looked_up(root, path)))


def write(root: Path, count: int) -> None:
    """Write a release, and jobs of a million roads and of a fifth of it."""
    write_release(root, count, EACH)
    for name, rows in (("one", min(count // 5, 1_000_000)), ("ten", count // 5)):
        for invented in (False, True):
            file = root / f"{name}{'_all' if invented else ''}.parquet"
            write_job(file, rows, count, EACH, invented=invented)


def looked_up(root: Path, path: Path) -> dict[str, object]:
    """What a look-up finds, and what it takes."""
    source, release = _AsBlob(open_file(path)), _release(root)
    with RangeFile(source) as file:
        promises = promises_of(JOB, _opened(file).schema)
    if promises is None:
        raise SystemExit(f"{path} is no matched network")
    space = _watch_disk()
    before, cpu, wall = _peak_mib(), time.process_time(), time.perf_counter()
    found = look_up(source, promises, release, LIMITS, replace(IdLimits(), disk_bytes=512 << 20))
    return {
        "cpu": round(time.process_time() - cpu, 1),
        "wall": round(time.perf_counter() - wall, 1),
        "peak MiB": _peak_mib(),
        "before MiB": before,
        "disk MiB": max(space, default=0) >> 20,
        "rows": found.rows,
        "ids": found.ids,
        "removed": found.removed.count,
        "outside": found.outside.count,
        "unknown": found.unknown.count,
        "other type": found.other_type.count,
        "elsewhere": found.elsewhere.count,
        "open": found.open_rows,
        "without place": found.without_place,
        "how far": found.how_far or found.problem,
        "release": found.release,
        "reading": found.reading,
    }


def floor(root: Path, path: Path) -> dict[str, object]:
    """What decoding alone takes: the geometry, and the row groups that the look-up reads."""
    groups: list[tuple[Source, list[int], bool]] = []
    reading = segments.segments

    def noting(
        file: SegmentFile, wanted: Sequence[int], meter: Meter, *, boxes: bool = True
    ) -> Iterator[tuple[pa.StringArray, np.ndarray]]:
        groups.append((file.source, [*wanted], boxes))
        return reading(file, wanted, meter, boxes=boxes)

    with patch.object(search, "segments", noting):
        looked_up(root, path)
    cpu = time.process_time()
    read = road_boxes if os.environ["FLOOR"] == "boxes" else _unread
    rows = _decode(open_file(path), [GEOMETRY], None, read)
    for source, wanted, boxes in groups:
        rows += _decode(source, [ID, BBOX] if boxes else [ID], wanted, _unread)
    return {"floor cpu": round(time.process_time() - cpu, 1), "rows": rows}


def _unread(column: pa.Array) -> pa.Array:
    return column


def _decode(
    source: Source, columns: list[str], groups: list[int] | None, read: Callable[[pa.Array], Any]
) -> int:
    with RangeFile(source) as file:
        batches = _opened(file).batches(columns, groups=groups)
        return sum(len(read(batch.column(0))) for batch in batches)


def _opened(file: RangeFile) -> OpenedFile:
    found = open_parquet(file)
    if isinstance(found, Fault):
        raise SystemExit(found.detail)
    return found


def _release(root: Path) -> Release:
    found = find_release(Folder(root), RELEASE)
    if isinstance(found, NoRelease):
        raise SystemExit(found.reason)
    return replace(found, files=tuple(map(_AsBlob, found.files)))


class _AsBlob:
    """A local file that is not known to be local."""

    def __init__(self, inner: Source) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a source has
        return getattr(self._inner, name)


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def _watch_disk() -> list[int]:
    """The bytes that are held on disk, each time that they become more."""
    from gem_core.audit.ids.spill import SpillSpace  # noqa: PLC0415 - to be watched

    held: list[int] = []
    take = SpillSpace.take

    def watched(self: SpillSpace, count: int) -> None:
        take(self, count)
        if count > 0:
            held.append(self.held_bytes)

    SpillSpace.take = watched  # type: ignore[method-assign] # of this process, to measure
    return held


if __name__ == "__main__":
    main()
