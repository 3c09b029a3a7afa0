"""The chain of changelogs that leads to a release, proven by counts alone. Pure.

Each changelog is against the release before it, and names it nowhere. But it accounts for every
segment of both releases (Overture Maps, "GERS Changelog"). `unchanged`, `data_changed` and `added`
are those of its own release. `unchanged`, `data_changed` and `removed` are those of the one before.
So two changelogs follow one another when the second one counts as many segments before it as the
first one has. Where that is not so, a release between them is missing, or one is not whole.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from gem_core.audit.rows.release_name import ReleaseName


@dataclass(frozen=True, slots=True)
class Counts:
    """The segments that a changelog accounts for."""

    live: int
    """Of its own release."""
    before: int
    """Of the release before."""
    changed: int
    """That are added, changed or removed."""


def order(name: str) -> ReleaseName:
    """The order of releases: by date, then by patch. Raises ValueError unless `is_release`."""
    found = ReleaseName.of_folder(name)
    if found is None:
        raise ValueError(f"{name!r} is not the name of a release")
    return found


def day_of(name: str) -> date:
    """The date of a release, which its patches share."""
    return order(name).day


def is_release(text: str | None) -> bool:
    """Whether a text is the name of a release."""
    return ReleaseName.of_folder(text) is not None


@dataclass(frozen=True, slots=True)
class Start:
    """Where the changes for an output begin."""

    release: str
    """The release of the output, or another patch of its date that stands in for it."""
    steps: tuple[str, ...]
    """The changelogs after it, ascending, to the new release."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The releases that follow one another without a gap, ascending; the new one is the last."""

    names: tuple[str, ...]
    gap: str
    """Why it begins where it does."""
    counts: Mapping[str, Counts | str]
    """Of each listed release, or why there are none."""

    @property
    def newest(self) -> str:
        """The new release."""
        return self.names[-1]

    @property
    def changed(self) -> int:
        """How many changes its changelogs have together."""
        found = (self.counts.get(name) for name in self.names)
        return sum(each.changed for each in found if isinstance(each, Counts))

    def start(self, release: str) -> Start | str:
        """Where the changes for an output of this older release begin, or why that is not known.

        A release that is not in the chain is replaced by another patch of its date. It must have no
        changelog, or as many segments.
        """
        for name in (release, *self.names[:-1]):
            if name in self.names and self._stands_for(name, release):
                return Start(name, self.names[self.names.index(name) + 1 :])
        if day_of(release) < day_of(self.names[0]):
            return self.gap
        if release not in self.counts:
            return f"there is no changelog of release {release} or its date"
        return f"no changelog leads from release {release} to {self.newest}"

    def _stands_for(self, name: str, release: str) -> bool:
        own, other = self.counts.get(release), self.counts[name]
        same = isinstance(own, Counts) and isinstance(other, Counts) and own.live == other.live
        return name == release or (day_of(name) == day_of(release) and (own is None or same))


def chain_to(newest: str, names: Iterable[str], count: Callable[[str], Counts | str]) -> Chain:
    """The chain that ends with this release, as far back as it can be proven.

    Releases are counted from the newest one back, and only as far as the chain goes.

    Args:
        newest: one of the releases.
        names: of the listed releases, up to the newest one.
        count: counts the segments of a release, or says why it cannot.

    """
    listed, counts, chain = sorted(names, key=order), {newest: count(newest)}, [newest]
    while True:
        near = _near(chain[0], listed)
        counts |= {name: count(name) for name in near if name not in counts}
        before = _before(chain[0], near, counts)
        if isinstance(before, _Gap):
            return Chain(tuple(chain), before.reason, counts)
        chain.insert(0, before)


def _near(name: str, listed: Sequence[str]) -> list[str]:
    """Which releases may be the one before this one, the latest first: an earlier patch of its
    date, or any patch of the date before.

    A patch may be against the release that it replaces, or against the one before that.
    """
    earlier = [each for each in listed if order(each) < order(name)]
    others = [day_of(each) for each in earlier if day_of(each) != day_of(name)]
    days = {day_of(name), *others[-1:]}
    return [each for each in reversed(earlier) if day_of(each) in days]


@dataclass(frozen=True, slots=True)
class _Gap:
    reason: str


def _before(name: str, near: Sequence[str], counts: Mapping[str, Counts | str]) -> str | _Gap:
    """The release before this one."""
    own = counts[name]
    if isinstance(own, str):
        return _Gap(f"the changelog of {name} cannot be used: {own}")
    reasons = [_why_not(each, counts[each], name, own) for each in near]
    for each, reason in zip(near, reasons, strict=True):
        if not reason:
            return each
    return _Gap(reasons[0] if reasons else f"there is no changelog before that of {name}")


def _why_not(name: str, counts: Counts | str, after: str, of_after: Counts) -> str:
    """Why a release is not the one before another; empty if it is."""
    if isinstance(counts, str):
        return f"the changelog of {name} cannot be used: {counts}"
    if counts.live != of_after.before:
        return (
            f"release {name} has {counts.live:,} segments, and the changelog of {after} is against "
            f"a release of {of_after.before:,}: one between them is missing, or not whole"
        )
    return ""
