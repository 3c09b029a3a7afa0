"""Overture in the world: it is listed before an audit, and listed again by the look-up.

What befalls it may cost the look-up. It never costs a manifest, its outcome, or time that a
delivery waits.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from gem_core.audit.child.self_test import BuiltInFile
from gem_core.audit.overture.facts import OvertureFacts
from gem_core.audit.overture.listing import CHANGELOG
from gem_core.audit.overture.release import NoRelease, Part, Release
from gem_core.audit.reading.source import Source
from gem_core.errors import OutputError, OutputUnreachable
from tests.world.faults import Fault
from tests.world.plan import Plan

RELEASE = "2026-01-21.0"
SHARE = 0.25
"""Of the random runs."""
AWAY = 0.5
"""Of these: Overture is away for a while."""


class Overture:
    """The storage with the changelog; see `listing.Storage`."""

    def __init__(self) -> None:
        self._version = 1
        self.is_away = False

    def come_back(self) -> None:
        """It answers again."""
        self.is_away = False

    def publish(self) -> None:
        """Replace every file."""
        self._version += 1

    def files(self, container: str, prefix: str) -> Sequence[Source]:
        """One file of each part, and no registry."""
        if self.is_away:
            raise OutputUnreachable(f"simulated: {Fault.OVERTURE_REFUSES}")
        if container != CHANGELOG:
            return ()
        parts = (part for part in Part if part not in {Part.REGISTRY, Part.NEXT})
        return [self._file(f"{prefix}change_type={part}/part-00000.parquet") for part in parts]

    def folders(self, container: str) -> Sequence[str]:  # noqa: ARG002 - see `listing.Storage`
        """The one release."""
        return [RELEASE]

    def _file(self, name: str) -> Source:
        return BuiltInFile(b"PAR1", f"overture/{name}", CHANGELOG, name, f"E{self._version}")


def looked_up(release: Release | NoRelease | None) -> OvertureFacts | None:
    """What a look-up finds: nothing wrong, if the files are the same to its end."""
    if release is None:
        return None
    if isinstance(release, NoRelease):
        return OvertureFacts(release.reason, may_pass=release.may_pass)
    try:
        release.listing.read(0, 1)
    except OutputError as error:
        return OvertureFacts(str(error), may_pass=True)
    return OvertureFacts(release=release.name)


def with_overture(plan: Plan) -> Plan:
    """The plan, in a part of the runs with GERS ids looked up."""
    return replace(plan, overture=Random(f"overture of {plan.name}").random() < SHARE)
