"""Whether the files of a changelog are all that the release has. Edge (reads).

A list of files, or a copy, may be cut without anybody noticing. But each changelog accounts for
every segment of the release before it (Overture Maps, "GERS Changelog"). Its `unchanged`,
`data_changed` and `removed` are the `unchanged`, `data_changed` and `added` of that release. So
equal counts prove that none is missing.
"""

from collections.abc import Iterable

from gem_core.audit.overture.meter import Meter
from gem_core.audit.overture.release import LIVE, Part, Release
from gem_core.audit.overture.segments import SegmentFile, open_files


def why_unproven(release: Release, live: Iterable[SegmentFile], meter: Meter) -> str:
    """Why the live files may not be all; empty when they are.

    Raises:
        Stopped: a file of the next changelog is not as it should be.
        OutputError, MemoryError: as the files have it.

    """
    if release.unproven:
        return release.unproven
    own, next_ = _rows(live), _rows(open_files(release.of(Part.NEXT), meter))
    if own == next_:
        return ""
    absent = [f"; there are no files of change_type={p}" for p in LIVE if p not in release.parts]
    return (
        f"changelog {release.next_name} counts {next_:,} segments before it, these files have "
        f"{own:,}{''.join(absent)}"
    )


def _rows(files: Iterable[SegmentFile]) -> int:
    return sum(sum(file.group_rows) for file in files)
