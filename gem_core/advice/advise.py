"""The story of advice: the chain of releases, the ids of all outputs, one reading of the changes.

Edge (reads, disk). A failed request is never a verdict: it makes those outputs not verifiable that
need what could not be read.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np

from gem_core.advice.chain import Chain, Start, is_release, order
from gem_core.advice.changes import CHANGE
from gem_core.advice.fold import OUTDATED, ROAD, Fate, Folded, fold
from gem_core.advice.outputs import read_roads
from gem_core.advice.releases import Releases
from gem_core.advice.result import NAMES, Advice, Figures, State, Tally
from gem_core.audit.ids.spill import SpillFull, SpillSpace
from gem_core.audit.options import IdLimits, OvertureLimits
from gem_core.audit.overture.listing import Storage
from gem_core.audit.overture.meter import Meter
from gem_core.audit.overture.partitions import Partitions, bits_for
from gem_core.audit.parquet.reader_errors import DataFault
from gem_core.audit.reading.source import Source
from gem_core.errors import OutputError, RequestError
from gem_core.succession.matched_file import CannotCompare


@dataclass(frozen=True, slots=True)
class Output:
    """An output to give advice for."""

    name: str
    """Of the file, or the id of the job."""
    release: str | None
    """The Overture release that it was matched with."""
    open: Callable[[], Source] = field(repr=False)
    """Raises OutputError."""
    problem: str = ""
    """Why nothing can be said of it; or empty."""


@dataclass(frozen=True, slots=True)
class Means:
    """What advice may use, and who gets its progress."""

    overture: OvertureLimits
    disk: IdLimits
    on_step: Callable[[str], object] = lambda _: None
    """Called with what is being done."""
    take_ids: Callable[[Folded], object] = lambda _: None
    """Called with what became of ids, in parts, without those of which nothing became."""


def advise(
    outputs: Sequence[Output], newest: str, storage: Storage, means: Means
) -> tuple[Advice, ...]:
    """What a release means for each output, in their order.

    Raises:
        RequestError: there is no such release, or the disk is full.
        OutputError: the releases cannot be listed.
        MemoryError: there was too little.

    """
    meter = Meter(means.overture)
    releases = Releases(storage, newest, meter, means.on_step)
    chain = releases.chain([output.release for output in outputs])
    space = SpillSpace(means.disk.disk_bytes, means.disk.folder)
    bits = bits_for(chain.changed)
    try:
        with (
            closing(Partitions(space, ROAD, bits)) as roads,
            closing(Partitions(space, CHANGE, bits)) as changes,
        ):
            return _Advising(outputs, releases, chain, means, roads, changes).run()
    except SpillFull:
        raise RequestError("the ids take more disk than --disk allows") from None
    except OSError as error:
        raise RequestError(
            f"the temporary directory cannot be used: {error.strerror or error}"
        ) from None


class _Advising:
    """One run."""

    def __init__(
        self,
        outputs: Sequence[Output],
        releases: Releases,
        chain: Chain,
        means: Means,
        roads: Partitions,
        changes: Partitions,
    ) -> None:
        self._outputs = outputs
        self._releases = releases
        self._chain = chain
        self._means = means
        self._roads, self._changes = roads, changes
        self._found: dict[int, Advice] = {}
        """What is known without the changes, by the number of the output."""
        self._starts: dict[int, Start] = {}

    def run(self) -> tuple[Advice, ...]:
        for number in range(len(self._outputs)):
            self._begin(number)
        broken = self._read_changes()
        for number, start in self._starts.items():
            if reasons := [broken[name] for name in start.steps if name in broken]:
                self._not_verifiable(number, reasons[0])
        figures = self._figures()
        return tuple(
            self._found.get(number) or self._judged(number, figures)
            for number in range(len(self._outputs))
        )

    def _begin(self, number: int) -> None:
        """Find out where the changes for an output begin, and read its ids."""
        output = self._outputs[number]
        release = output.release
        if output.problem or release is None or not is_release(release):
            self._not_verifiable(number, output.problem or "its Overture release is not known")
            return
        if order(release) >= order(self._chain.newest):
            self._found[number] = Advice(output.name, release, State.NOT_OLDER)
            return
        start = self._chain.start(release)
        if isinstance(start, str):
            self._not_verifiable(number, start)
            return
        done = f"{number + 1} of {len(self._outputs)}"
        self._means.on_step(f"reading output {done}: {output.name}")
        try:
            read_roads(output.open(), release, number, self._roads)
        except (OutputError, CannotCompare, DataFault) as reason:
            self._not_verifiable(number, str(reason))
        else:
            self._starts[number] = start

    def _not_verifiable(self, number: int, reason: str) -> None:
        output = self._outputs[number]
        self._found[number] = Advice(output.name, output.release, State.NOT_VERIFIABLE, reason)

    def _read_changes(self) -> Mapping[str, str]:
        """Read the releases that are needed, once. Returns why some could not be read."""
        broken: dict[str, str] = {}
        needed = {name for start in self._starts.values() for name in start.steps}
        for step, name in enumerate(self._chain.names):
            if name in needed and (reason := self._releases.read(name, step, self._changes)):
                broken[name] = f"the changelog of {name} could not be read: {reason}"
        return broken

    def _figures(self) -> "_Figures":
        figures = _Figures(len(self._outputs))
        starts = {
            number: self._chain.names.index(start.release) + 1
            for number, start in self._starts.items()
            if number not in self._found
        }
        parts = zip(self._roads.drain(), self._changes.drain(), strict=True)
        for number, (roads, changes) in enumerate(parts, 1):
            self._means.on_step(f"comparing, part {number} of {1 << self._roads.bits}")
            usable = roads[np.isin(roads["output"], [*starts])]
            folded = fold(usable, changes, starts)
            figures.add(folded)
            self._means.take_ids(folded.changed())
        return figures

    def _judged(self, number: int, figures: "_Figures") -> Advice:
        output, start = self._outputs[number], self._starts[number]
        found = figures.of(number)
        return Advice(
            output.name,
            output.release,
            State.OUTDATED if found.outdated.ids else State.CURRENT,
            read_as=start.release if start.release != output.release else "",
            figures=found,
        )


_ALL = None


class _Figures:
    """Counts the ids and roads of each output, by what became of them."""

    def __init__(self, outputs: int) -> None:
        self._counts = {mask: np.zeros((2, outputs), np.int64) for mask in (_ALL, OUTDATED, *NAMES)}

    def add(self, folded: Folded) -> None:
        for mask, counts in self._counts.items():
            is_so = np.ones(len(folded.fate), np.bool_)
            if mask is not _ALL:
                is_so = (folded.fate & mask) > 0
            np.add.at(counts[0], folded.output[is_so], 1)
            np.add.at(counts[1], folded.output[is_so], folded.roads[is_so])

    def of(self, output: int) -> Figures:
        def tally(mask: Fate | None) -> Tally:
            ids, roads = self._counts[mask][:, output].tolist()
            return Tally(ids, roads)

        return Figures(tally(_ALL), tally(OUTDATED), {fate: tally(fate) for fate in NAMES})
