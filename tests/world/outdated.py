"""Advice on the day of a new release: killed at each write, and without an answer now and then.

The jobs, their audits, manifests and outputs are real; storage and queues are in memory. What each
output should get follows from its number, so nothing is told by what is tested.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, cast

import pyarrow as pa

from gem_core.advice.advise import Output
from gem_core.advice.result import Advice
from gem_core.advice.result import State as Known
from gem_core.deliver.outdated import DeliveredOutput
from gem_core.errors import OutputChanged, StoreError
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.send_outdated import send_outdated
from gem_core.storage.documents import Documents
from tests.advice.world import FIRST, OLD, SECOND, State, advised, publish
from tests.audit.build import matched_table
from tests.audit.overture.world import gers
from tests.builders import DEFAULT_ROUTE, World, finished
from tests.fakes import FakeQueue, Killed
from tests.flows.outdated import BOTH, OUTDATED, events, outputs
from tests.parquet_files import parquet_bytes

JOBS = 1000
QUICK_JOBS = 50
SEEDS = 20
FATES = ("kill before", "kill after", "refused", "lost")
"""What may happen at a write; a lost one is done and gets no answer."""


class Plan(Enum):
    """What is planted for an output; the value says what becomes of it."""

    SAME = Known.CURRENT, 0
    REMOVED = Known.OUTDATED, 1
    MOVED = Known.OUTDATED, 2
    CLASS = Known.OUTDATED, 3
    NAMED = Known.CURRENT, 4
    RESTORED = Known.OUTDATED, 5
    NEW_RELEASE = Known.NOT_OLDER, 6
    CHANGED_BEFORE = Known.CURRENT, 7
    NO_RELEASE = Known.NOT_VERIFIABLE, 8
    REPLACED = Known.NOT_VERIFIABLE, 9

    @property
    def state(self) -> Known:
        """What advice must say."""
        return self.value[0]

    @property
    def release(self) -> str | None:
        """Of the job."""
        match self:
            case Plan.NEW_RELEASE:
                return SECOND
            case Plan.CHANGED_BEFORE:
                return FIRST
            case Plan.NO_RELEASE:
                return None
        return OLD


PLANS: tuple[Plan, ...] = (*Plan,)


def plan_of(number: int) -> Plan:
    """What is planted for the output of a job."""
    return PLANS[number % len(PLANS)]


def releases(jobs: int) -> dict[str, State]:
    """Three releases. Each output has one id of its own that is planted, and one that stays."""
    found: dict[str, dict[str, tuple[int, int, int]]] = {OLD: {}, FIRST: {}, SECOND: {}}
    for number in range(jobs):
        planted, stays = gers(2 * number), gers(2 * number + 1)
        for state in found.values():
            state[planted] = state[stays] = (0, 0, 0)
        match plan_of(number):
            case Plan.REMOVED | Plan.REPLACED | Plan.NO_RELEASE | Plan.NEW_RELEASE:
                del found[SECOND][planted]
            case Plan.MOVED:
                found[FIRST][planted] = found[SECOND][planted] = (1, 0, 0)
            case Plan.CHANGED_BEFORE:
                found[FIRST][planted] = found[SECOND][planted] = (1, 1, 0)
            case Plan.CLASS:
                found[SECOND][planted] = (0, 1, 0)
            case Plan.NAMED:
                found[SECOND][planted] = (0, 0, 1)
            case Plan.RESTORED:
                del found[FIRST][planted]
    return dict(found)


@dataclass
class Edge:
    """Storage and queues as a run meets them: each write may be the last one, or get no answer."""

    fate: Callable[[int], str] = lambda _: ""
    """From the number of a write, from 1, to one of `FATES`; empty if nothing happens."""
    spares_repeats: bool = False
    """Whether nothing happens to a message that is on its queue already."""
    writes: int = 0

    def write[T](self, do: Callable[[], T]) -> T:
        """Do a write, or a part of what happens around it."""
        self.writes += 1
        fate = self.fate(self.writes)
        if fate == "kill before":
            raise Killed(fate)
        if fate == "refused":
            raise StoreError(fate)
        result = do()
        if fate == "kill after":
            raise Killed(fate)
        if fate == "lost":
            raise StoreError("no answer")
        return result


class _Events:
    """The outbox's documents; a document that exists already is no write."""

    def __init__(self, documents: Documents, edge: Edge) -> None:
        self._documents, self._edge = documents, edge

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the documents have
        method = getattr(self._documents, name)

        def write(key: str, *args: object, **options: object) -> object:
            if name == "create" and self._documents.etag(key):
                return method(key, *args, **options)
            return self._edge.write(lambda: method(key, *args, **options))

        return write if name in {"create", "replace", "put", "delete"} else method


class _Queue:
    def __init__(self, queue: FakeQueue, edge: Edge) -> None:
        self._queue, self._edge = queue, edge

    def send(self, body: str) -> None:
        if self._edge.spares_repeats and body in self._queue.sent:
            self._queue.send(body)
        else:
            self._edge.write(lambda: self._queue.send(body))


@dataclass
class OutboxWorld(World):
    """A world whose outbox is behind an edge, once there is one."""

    edge: Edge | None = None

    def _watched(self, documents: Documents, name: str) -> Documents:
        if self.edge and name == "manifests":
            return cast("Documents", _Events(documents, self.edge))
        return super()._watched(documents, name)


@dataclass
class Advised:
    """Delivered jobs, and what advice says of them."""

    world: OutboxWorld
    jobs: Sequence[DeliveredOutput]
    advice: Sequence[Advice]

    def run(self, edge: Edge) -> list[str]:
        """What `advise --send` does after its reading; returns its problems."""
        self.world.edge = edge
        queues = {
            route.name: _Queue(self.world.queues[route.name], edge) for route in (OUTDATED, BOTH)
        }
        problems: list[str] = []
        for job, each in zip(self.jobs, self.advice, strict=True):
            if each.state is Known.OUTDATED and each.figures:
                told = send_outdated(
                    self.world.manager, queues, job, SECOND, each.figures.to_json()
                )
                problems += told.failed
        return problems

    def forget(self) -> None:
        """As before the first run."""
        for queue in (self.world.queues[route.name] for route in (OUTDATED, BOTH)):
            queue.sent.clear()
        for name in self.world.stored_manifests():
            if name.removesuffix(".json").rpartition("/")[2] not in self._manifests:
                self.world.manifests.delete(name)

    @property
    def _manifests(self) -> set[str]:
        return {job.manifest_id for job in self.jobs}

    def breaches(self) -> list[str]:
        """What is wrong after the last run."""
        found = []
        wanted = {_name(n) for n in range(len(self.jobs)) if plan_of(n).state is Known.OUTDATED}
        for route in (OUTDATED, BOTH):
            ids: dict[str, set[str]] = {}
            for event in events(self.world, route):
                ids.setdefault(event["data"]["jobRunId"], set()).add(event["id"])
            found += [f"{name}: lost on {route.name}" for name in sorted(wanted - set(ids))]
            found += [f"{name}: on {route.name} although not outdated" for name in {*ids} - wanted]
            found += [f"{name}: {len(each)} ids" for name, each in ids.items() if len(each) > 1]
            bodies = {*self.world.queues[route.name].sent}
            found += [] if len(bodies) == len(ids) else ["one id has two texts"]
            for name, each in ids.items():
                stored = [self.world.outbox.get(name, id_) for id_ in each]
                found += [f"{name}: not stored as sent" for one in stored
                          if one is None or one.body not in bodies]  # fmt: skip
        return found


def _name(number: int) -> str:
    return f"job-{number:04}"


@contextmanager
def advised_world(jobs: int) -> Iterator[Advised]:
    """So many delivered jobs, with real audits, and real advice by changelogs in a folder."""
    world = OutboxWorld(routes=(DEFAULT_ROUTE, OUTDATED, BOTH))
    for number in range(jobs):
        file = f"{number}.parquet"
        world.files.write(file, _output(number))
        told = finished(outputFileName=file, overtureRelease=plan_of(number).release)
        world.settle(told, _name(number))
        deliver_results(world.deliverer, _name(number))
        if plan_of(number) is Plan.REPLACED:
            world.files.write(file, _output(number + 1))
    world.queues[BOTH.name].sent.clear()  # the manifests
    found = outputs(world)
    with TemporaryDirectory() as folder:
        publish(Path(folder), releases(jobs), group_rows=1000)
        advice, _ = advised(Path(folder), [_opened(world, each) for each in found])
        yield Advised(world, found, advice)


def _opened(world: World, job: DeliveredOutput) -> Output:
    def source() -> Any:  # noqa: ANN401 - the source of the fakes
        found = world.files.open(None, job.name)
        if found.etag != job.etag:
            raise OutputChanged("replaced")
        return found

    return Output(job.job_run_id, job.release, source)


def _output(number: int) -> bytes:
    ids = pa.array([gers(2 * number), gers(2 * number + 1), gers(2 * number)], pa.string())
    return parquet_bytes(matched_table(3, 3, gers_id=ids))


def _always(fate: str, _: int) -> str:
    return fate


def killed_at_each_write(of: Advised) -> tuple[int, list[str]]:
    """Each run dies before or after its first new write; the next one begins with what it left.

    Returns the number of deaths, and what was wrong.
    """
    deaths = 0
    while True:
        try:
            of.run(Edge(partial(_always, FATES[deaths % 2]), spares_repeats=True))
        except Killed:
            deaths += 1
        else:
            return deaths, of.breaches()


def without_answers(of: Advised, seed: int) -> tuple[Mapping[str, int], list[str]]:
    """Writes are refused, done without an answer, or the last ones; again until all is done."""
    random, counts = Random(f"outdated {seed}"), dict.fromkeys(FATES, 0)

    def fate(_: int) -> str:
        chosen = random.choices(("", *FATES), (0.6, 0.01, 0.01, 0.13, 0.25))[0]
        if chosen:
            counts[chosen] += 1
        return chosen

    for _ in range(1000):
        try:
            if not of.run(Edge(fate)):
                break
        except Killed:
            continue
    quiet = Edge()
    of.run(quiet)
    more = [f"{quiet.writes} writes after the last run"] if quiet.writes else []
    return counts, of.breaches() + more


def campaign(jobs: int) -> tuple[list[str], list[str]]:
    """Everything about so many jobs: lines with figures, and what was wrong."""
    with advised_world(jobs) as of:
        states = Counter(each.state.value for each in of.advice)
        wrong = [
            f"{each.name}: {each.state}, planted {plan_of(number).state}"
            for number, each in enumerate(of.advice)
            if each.state is not plan_of(number).state
        ]
        deaths, found = killed_at_each_write(of)
        wrong += found
        totals: Counter[str] = Counter()
        for seed in range(SEEDS):
            of.forget()
            counts, found = without_answers(of, seed)
            totals.update(counts)
            wrong += [f"{each} (seed {seed})" for each in found]
    told = states[Known.OUTDATED]
    return [
        f"advice for {jobs:,} manifests: "
        + ", ".join(f"{count:,} {state}" for state, count in sorted(states.items())),
        f"  killed at each write: {deaths:,} deaths, {told:,} events on each of two queues",
        f"  {SEEDS} times with "
        + ", ".join(f"{count:,} {fate}" for fate, count in totals.items())
        + f": {len(wrong)} broken promises",
    ], wrong
