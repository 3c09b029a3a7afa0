"""`python -m tests.world.lost_answers`: a part of storage's answers to writes is withheld.

The write is done, its answer lost; the SDK repeats it. Every event, registration and redelivery
comes twice. Beside it, the same jobs with every answer. Time is virtual, storage and GEM are
simulated; the app and the SDK are real.
"""

import argparse
import json
import random
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from random import Random
from statistics import quantiles

from gem_core.errors import RecordConflict, StoreError
from gem_core.flows.check_jobs import BUSY, check_jobs
from gem_core.flows.checker import Checker
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.deliverer import PageMode
from gem_core.flows.manage_jobs import redeliver_job, register_job
from gem_core.storage.documents import Documents
from gem_core.watch.marker import MARKER_PREFIX
from gem_core.watch.rate_limiter import RateLimiter, SleepClock
from gem_core.watch.record import Stage
from gem_core.watch.registry import SUFFIX
from tests.builders import World
from tests.fakes import MemoryDocuments
from tests.world.audit import TINY
from tests.world.blob_transport import BlobTransport, blob_documents, sleeping_in_virtual_time
from tests.world.campaign import quiet
from tests.world.gem import LivingGem, plain_life
from tests.world.loop import Ending, Lock, Loop, Process

JOBS = 1000
WITHHELD = 0.25
SPREAD = 3600.0
"""Seconds within which the jobs are registered, and end a quarter of an hour later."""
CALM = 7200.0
"""Seconds after the last end, after which nothing may be open."""
REDELIVERED = 10
"""Each tenth job is requested again."""
TOGETHER = 3
"""Equal registrations of one job at once."""
PLACES = 16


@dataclass
class LostAnswers(World):
    """All of the app over storage that withholds answers."""

    jobs_count: int = JOBS
    withheld: float = WITHHELD
    loop: Loop = field(default_factory=Loop)

    def __post_init__(self) -> None:
        self.clock = self.loop.clock  # type: ignore[assignment] # the time of the loop
        super().__post_init__()
        self.random = Random(f"{self.jobs_count} {self.withheld}")
        self.page, self.audit = PageMode.PLAIN, TINY.audit
        self.faults: Counter[str] = Counter()
        self.gave_up = 0
        """Requests and ticks that ended with an error; each is done again."""
        count = self.jobs_count
        self.ends = {f"job-{n:04}": 900 + n * SPREAD / count for n in range(count)}
        lives = {
            name: plain_life(name, f"{name}.parquet", "valid", at) for name, at in self.ends.items()
        }
        self.gem = LivingGem(lives, lambda: self.loop.seconds)  # type: ignore[assignment] # another fake
        for life in lives.values():
            self.files.write(life.output_name, TINY.body(life.output_name, 1, "valid"))
        self.sent_at: dict[str, float] = {}
        self._send, self.queue.send = self.queue.send, self._sent  # type: ignore[method-assign]
        self._made: dict[str, Documents] = {}
        self.transports: list[BlobTransport] = []
        self._process = Process()

    def _watched(self, documents: Documents, name: str) -> Documents:
        """The SDK over this store, one client for each of its uses."""
        if name not in self._made:
            assert isinstance(documents, MemoryDocuments)
            transport = BlobTransport(
                documents,
                self.loop.wait,
                withheld=self.withheld,
                random=self.random,
                on_write=self._ticket if name == "tickets" else lambda _: None,
            )
            self.transports.append(transport)
            self._made[name] = blob_documents(transport, documents._name)
        return self._made[name]

    @property
    def checker(self) -> Checker:
        limiter = RateLimiter(
            self._watched(self.worklist, "leases"),
            count=1,
            per_second=10,
            clock=SleepClock(self.clock, self.loop.wait, lambda: Lock(self.loop)),
        )
        each = partial(self.loop.each, at_once=PLACES)
        return replace(super().checker, limiter=limiter, each=each, places=PLACES, gem=self.gem)

    def _sent(self, body: str) -> None:
        self._send(body)
        job_run_id = json.loads(body)["data"]["jobRunId"]
        self.sent_at.setdefault(job_run_id, self.loop.seconds)
        if self.random.random() < self.withheld:
            self._send(body)  # the SDK repeats a message whose answer was lost

    def _ticket(self, name: str) -> None:
        """Each event comes twice, within a second or at the same instant."""
        job_run_id = name.removesuffix(SUFFIX)
        for delay in (1.0, 1.0 + self.random.choice((0.0, 0.01, 1.0))):
            self.loop.later(delay, partial(self._deliver, job_run_id))

    def _deliver(self, job_run_id: str, tries: int = 5) -> None:
        def end(ending: Ending) -> None:
            if ending and tries > 1:
                self.loop.later(0.5, partial(self._deliver, job_run_id, tries - 1))
            elif ending:
                self.faults["tickets that failed five times"] += 1

        deliverer = replace(self.deliverer, sleep=self.loop.wait)
        self._start(f"deliver {job_run_id}", lambda: deliver_results(deliverer, job_run_id), end)

    def _start(self, name: str, do: object, on_end: object = lambda _: None) -> None:
        self.loop.start(name, self._process, do, lasts=1800, on_end=on_end)  # type: ignore[arg-type]

    def _tick(self) -> None:
        def tick() -> None:
            self.faults["idle ticks"] += check_jobs(self.checker).stopped == BUSY

        def end(ending: Ending) -> None:
            self.gave_up += isinstance(ending, StoreError)
            self.loop.later(60, self._tick)

        self._start("tick", tick, end)

    def _register(self, job_run_id: str) -> None:
        """Three equal requests at once; who gets no answer asks again."""
        new: list[bool | None] = []

        def register() -> None:
            new.append(register_job(self.manager, job_run_id, None)[0])

        def end(ending: Ending) -> None:
            if ending:
                self.gave_up += 1
                new.append(None)
                self.loop.later(30, partial(self._start, f"register {job_run_id}", register))
            if len(new) == TOGETHER:
                self.faults["registrations that none or several were told"] += (
                    None not in new and sum(map(bool, new)) != 1
                )

        for number in range(TOGETHER):
            story = f"register {number} {job_run_id}"
            self.loop.later(number / 1000, partial(self._start, story, register, end))

    def _redeliver(self, job_run_id: str) -> None:
        def end(ending: Ending) -> None:
            self.faults["redeliveries that conflicted"] += isinstance(ending, RecordConflict)
            self.gave_up += bool(ending) and not isinstance(ending, RecordConflict)

        story = f"redeliver {job_run_id}"
        self._start(story, lambda: redeliver_job(self.manager, job_run_id), end)

    def run(self) -> "LostAnswers":
        """Live through all of it, and count what is wrong at the end."""
        for job_run_id, at in self.ends.items():
            self.loop.later(at - 900, partial(self._register, job_run_id))
        last = max(self.ends.values())
        for job_run_id in list(self.ends)[::REDELIVERED]:
            self.loop.later(last + CALM / 2, partial(self._redeliver, job_run_id))
        self.loop.later(1, self._tick)
        random.seed(self.jobs_count)  # the SDK's own, for its waits
        with sleeping_in_virtual_time():
            self.loop.run(until=lambda: self.loop.seconds > last + CALM)
        self.loop.stop()
        for job_run_id in self.ends:
            self._check(job_run_id)
        return self

    def _check(self, job_run_id: str) -> None:
        record = self.record(job_run_id)
        ids = self._ids.get(job_run_id, set())
        found = {
            "lost": job_run_id not in self.sent_at,
            "jobs with several ids": len(ids) > 1,
            "jobs that are still open": record.stage is not Stage.DELIVERED,
            "markers that are left": MARKER_PREFIX + job_run_id in self.worklist.names(),
            "tickets that waited for the sweep": record.tickets > 1,
            "manifests without a page": any(
                self.reports.get(f"{job_run_id}/{id_}/report.html") is None for id_ in ids
            ),
        }
        self.faults.update(name for name, is_so in found.items() if is_so)

    @cached_property
    def _ids(self) -> dict[str, set[str]]:
        """The ids of the manifests that were sent, by the job."""
        found: dict[str, set[str]] = {}
        for event in self.queue.events():
            found.setdefault(event["data"]["jobRunId"], set()).add(event["id"])
        return found

    @property
    def p95(self) -> float:
        """Seconds from the end at GEM to the first manifest, which all but 5 % do not exceed."""
        delays = [self.sent_at[name] - at for name, at in self.ends.items() if name in self.sent_at]
        return quantiles(delays, n=20)[-1]

    @property
    def lost_answers(self) -> int:
        """Answers that were withheld."""
        return sum(transport.lost for transport in self.transports)


def main() -> int:
    """Run both and print them; 1 when anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.world.lost_answers", description=__doc__)
    parser.add_argument("--jobs", type=int, default=JOBS, help="(%(default)s)")
    arguments = parser.parse_args()
    wrong = 0
    for share in (0.0, WITHHELD):
        with quiet():
            world = LostAnswers(jobs_count=arguments.jobs, withheld=share).run()
        faults = {name: count for name, count in world.faults.items() if count}
        sys.stdout.write(
            f"{share:.0%} withheld: {arguments.jobs:,} jobs, {world.lost_answers:,} answers lost, "
            f"{world.gave_up} requests given up, {len(world.queue.sent):,} messages, "
            f"p95 of finished to manifest {world.p95:.1f} s, faults: {faults or 'none'}\n"
        )
        sys.stdout.flush()
        wrong += sum(faults.values())
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
