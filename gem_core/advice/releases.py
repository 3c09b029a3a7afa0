"""The releases that a storage has changelogs of, up to the new one. Edge (reads, disk)."""

from collections.abc import Callable, Sequence

from gem_core.advice.chain import Chain, Counts, chain_to, day_of, is_release, order
from gem_core.advice.changes import count_segments, listed_release, read_changes
from gem_core.audit.overture.listing import CHANGELOG, Storage
from gem_core.audit.overture.meter import Meter, Stopped
from gem_core.audit.overture.partitions import Partitions
from gem_core.audit.overture.release import Part, Release
from gem_core.audit.rows.gers import format_of_release
from gem_core.audit.rows.gers_bits import OddIds
from gem_core.errors import OutputError, RequestError


class Releases:
    """Finds, counts and reads changelogs. What fails is a reason, never a verdict."""

    def __init__(
        self, storage: Storage, newest: str, meter: Meter, on_step: Callable[[str], object]
    ) -> None:
        self._storage = storage
        self._newest = newest
        self._meter = meter
        self._on_step = on_step
        self._found: dict[str, Release] = {}

    def chain(self, releases: Sequence[str | None]) -> Chain:
        """The chain to the new release, as far back as outputs of these releases need it.

        Raises:
            RequestError: the new release has no changelog.
            OutputError: the releases cannot be listed.

        """
        listed = [name for name in self._storage.folders(CHANGELOG) if is_release(name)]
        if self._newest not in listed:
            last = max(listed, key=order, default="none")
            raise RequestError(
                f"there is no changelog of release {self._newest[:40]!r}; the newest is {last}"
            )
        end = order(self._newest)
        older = [name for name in releases if name and is_release(name) and order(name) < end]
        if not older:
            return Chain((self._newest,), "", {})
        first = min(map(day_of, older))
        needed = [name for name in listed if first <= day_of(name) and order(name) <= end]
        return chain_to(self._newest, needed, self._counts)

    def _counts(self, name: str) -> Counts | str:
        if format_of_release(name) is not format_of_release(self._newest):
            return f"its ids have another format than those of {self._newest}"
        self._on_step(f"counting the segments of {name}")
        release = listed_release(self._storage, name)
        if isinstance(release, str):
            return release
        self._found[name] = release
        try:
            return count_segments(release, self._meter)
        except (Stopped, OutputError) as reason:
            return str(reason)

    def read(self, name: str, step: int, into: Partitions) -> str:
        """Read the changes of a release; see `read_changes`. Returns why not, or an empty text."""
        self._on_step(f"reading the changes of {name}")
        release = self._found[name]
        if name == self._newest and not release.of(Part.ADDED):
            # Absent when it is empty, or not copied yet. The counts of a later release would tell.
            return "there are no files of change_type=added: it may not be whole"
        try:
            read_changes(release, step, into, self._meter)
        except (Stopped, OutputError, OddIds) as reason:
            return str(reason)
        return ""
