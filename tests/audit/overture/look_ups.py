"""Looks planted roads up, and names the rows that a test expects."""

from pathlib import Path

from gem_core.audit.options import IdLimits, OvertureLimits
from gem_core.audit.overture.facts import OvertureFacts
from gem_core.audit.overture.listing import Folder, find_release
from gem_core.audit.overture.look_up import look_up
from gem_core.audit.overture.release import Release
from tests.audit.build import PROMISES, write
from tests.audit.overture.world import RELEASE, Road, Truth, output

TRUTHS = [*Truth, *[Truth.IN_PLACE] * 90, *Truth]


def looked_up(folder: Path, of: list[Road], wanted: str = RELEASE) -> OvertureFacts:
    release = find_release(Folder(folder), wanted)
    assert isinstance(release, Release), release
    source = write(folder, output(of))
    return look_up(source, PROMISES, release, OvertureLimits(), IdLimits())


def rows_of(of: list[Road], *truths: Truth) -> list[int]:
    return [row for row, road in enumerate(of) if road.truth in truths]
