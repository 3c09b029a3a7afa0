"""Overture for the simulator's jobs, in containers of a blob service. Edge: that service.

The release has a segment for each matched road of each job, at the road. It also knows three ids
that `faults.gers_id_wrong` puts into outputs: one was removed, one lies elsewhere, and one is a
connector's.
"""

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient

from devkit.overture import Box, Registered, Segment, write_changelog, write_registry
from devkit.simulator.faults import CONNECTOR_ID, ELSEWHERE_ID, REMOVED_ID
from devkit.simulator.script import OVERTURE_RELEASE

CHANGELOG, REGISTRY = CONTAINERS = "changelog", "registry"
_FAR_AWAY: Box = (4.85, 4.86, 52.37, 52.38)
_BEFORE = "2025-12-17.0"
_GROUP_ROWS = 100
_PATH = "theme=transportation/type={}/part-00000.zstd.parquet"


class SimulatedOverture:
    """One release of Overture. Unless it is private, anybody may list and read it."""

    def __init__(self, service: BlobServiceClient, *, is_private: bool = False) -> None:
        """Create the containers, and the release without a job's roads."""
        self._service = service
        for name in CONTAINERS:
            service.create_container(name, public_access=None if is_private else "container")
        elsewhere = Segment(ELSEWHERE_ID, _FAR_AWAY)
        connector = Registered(CONNECTOR_ID, _BEFORE, OVERTURE_RELEASE, _PATH.format("connector"))
        with self._uploading() as folder:
            write_changelog(
                folder,
                OVERTURE_RELEASE,
                {
                    "unchanged": [elsewhere],
                    "added": [],
                    "data_changed": [],
                    "removed": [Segment(REMOVED_ID, _FAR_AWAY)],
                },
            )
            write_registry(
                folder,
                [
                    connector,
                    Registered(REMOVED_ID, _BEFORE, _BEFORE, None),
                    Registered(
                        ELSEWHERE_ID,
                        _BEFORE,
                        OVERTURE_RELEASE,
                        _PATH.format("segment"),
                        _FAR_AWAY,
                    ),
                ],
            )

    def add(self, output: pa.Table) -> None:
        """Add the segments of an output without a fault. The same output again adds nothing."""
        rows = zip(
            *(output.column(name).to_pylist() for name in ("gers_id", "geometry")), strict=True
        )
        segments = [Segment(gers_id, box_of(line)) for gers_id, line in rows if gers_id]
        number = zlib.crc32("".join(each.id for each in segments).encode())
        with self._uploading() as folder:
            write_changelog(
                folder,
                OVERTURE_RELEASE,
                {"unchanged": segments},
                files=1,
                group_rows=_GROUP_ROWS,
                first_file=number,
            )

    @contextmanager
    def _uploading(self) -> Iterator[Path]:
        """A folder whose files are uploaded afterwards, unless there is a blob of that name."""
        with TemporaryDirectory() as name:
            folder = Path(name)
            yield folder
            for path in sorted(folder.rglob("*.parquet")):
                container, _, blob = path.relative_to(folder).as_posix().partition("/")
                client = self._service.get_blob_client(container, blob)
                try:
                    client.upload_blob(path.read_bytes())
                except ResourceExistsError:
                    continue


def box_of(line: str) -> Box:
    """The box of a WKT line."""
    numbers = [float(text) for text in re.findall(r"-?[0-9.]+", line)]
    return min(numbers[::2]), max(numbers[::2]), min(numbers[1::2]), max(numbers[1::2])
