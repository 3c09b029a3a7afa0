"""`make bench-checks`: checked jobs per second, storage operations per job, and cost of a tick.

It runs the app's tick with the real client of GEM. GEM is a loopback server in another process that
answers after 50 ms.
"""

import argparse
import logging
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, cast
from urllib.parse import urlsplit

from azure.storage.blob import BlobServiceClient
from rich.console import Console
from rich.table import Table

from bench.counted import Counted, MemoryDocuments
from bench.gem_loopback import LATENCY_SECONDS
from bench.polling import POLICY
from devkit.azurite import Azurite
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.checker import Checker, in_threads
from gem_core.gem.client import GemClient
from gem_core.gem.token import FixedToken
from gem_core.outcome import Outcome
from gem_core.secret import Secret
from gem_core.storage.blob_documents import BlobDocuments
from gem_core.storage.documents import Documents
from gem_core.watch.durations import DurationStore
from gem_core.watch.heartbeat import Heartbeat
from gem_core.watch.rate_limiter import RateLimiter, SleepClock
from gem_core.watch.record import JobRecord, Settlement
from gem_core.watch.record_json import record_to_bytes
from gem_core.watch.registry import JobRegistry

ROOT = Path(__file__).resolve().parent.parent
IN_FLIGHT = (8, 16, 32)
ROUNDS = 3
SECONDS = 4
"""Duration of a measurement if only the latency took time: short, but long enough for a rate."""
AGE = timedelta(hours=2)
"""Age of the jobs. The schedule checks such jobs every ten minutes."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The containers of a tick, and the number of operations on them."""

    jobs: Documents
    worklist: Documents
    tickets: Documents
    counts: Counter[str]

    @property
    def registry(self) -> JobRegistry:
        """A registry that uses the counted containers."""
        return JobRegistry(jobs=self.jobs, worklist=self.worklist, tickets=self.tickets)


def stores(make: Callable[[str], Documents]) -> Stores:
    """Containers whose operations are counted."""
    counts: Counter[str] = Counter()
    jobs, worklist, tickets = (
        cast("Documents", Counted(make(name), counts)) for name in ("jobs", "worklist", "tickets")
    )
    return Stores(jobs, worklist, tickets, counts)


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


def checker(held: Stores, gem: GemClient, in_flight: int) -> Checker:
    """The parts of a tick, with a rate limit that is never reached."""
    return Checker(
        registry=held.registry,
        heartbeat=Heartbeat(held.worklist),
        gem=gem,
        policy=POLICY,
        limiter=RateLimiter(
            held.worklist, count=1, per_second=1e6, clock=SleepClock(now, time.sleep)
        ),
        clock=now,
        jitter=lambda: 0.5,
        each=in_threads(in_flight),
        places=in_flight,
        durations=DurationStore(held.worklist),
    )


def each(do: Callable[[str], object], names: Iterable[str]) -> None:
    """Call the function for all names, several in parallel."""
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(do, names))


def register(held: Stores, names: Iterable[str], due_in: timedelta) -> None:
    """Create open jobs that were registered some time ago."""
    began = now() - AGE
    each(lambda name: held.registry.add(JobRecord(name, began, now() + due_in)), names)


def settle(held: Stores, names: Iterable[str]) -> None:
    """Create delivered jobs, which have a record and no marker."""

    def add(name: str) -> None:
        record = JobRecord(name, now() - AGE, now()).settled(Settlement.FAILED, now())
        record = record.delivered(Outcome.FAILED, "0" * 32, now())
        held.jobs.put(f"{name}.json", record_to_bytes(record), metadata={"stage": "delivered"})

    each(add, names)


@contextmanager
def loopback() -> Iterator[str]:
    """The address of a loopback GEM, which runs until the block ends."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.gem_loopback"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    ) as process:  # fmt: skip
        output, end = cast("IO[str]", process.stdout), cast("IO[str]", process.stdin)
        yield output.readline().strip()
        end.close()


def bare(address: str, in_flight: int, questions: int) -> float:
    """Requests per second with only the standard library: the limit of the machine."""
    host = urlsplit(address).netloc

    def ask(count: int) -> None:
        connection = HTTPConnection(host)
        for number in range(count):
            connection.request("GET", f"/jobs/job-{number}")
            connection.getresponse().read()
        connection.close()

    started = time.perf_counter()
    with ThreadPoolExecutor(in_flight) as pool:
        list(pool.map(ask, [questions // in_flight] * in_flight))
    return questions // in_flight * in_flight / (time.perf_counter() - started)


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of a tick with due jobs."""

    per_second: float
    cpu_ms: float
    """CPU time per job."""
    operations: float
    """Storage operations per job."""


def tick(held: Stores, address: str, in_flight: int, jobs: int) -> Figures:
    """Check this number of due jobs."""
    names = [f"job-{time.time_ns()}-{number}" for number in range(jobs)]
    register(held, names, -timedelta(seconds=1))
    with GemClient(
        address, api_key=Secret("k"), token=FixedToken(Secret("t")), connections=in_flight
    ) as gem:
        edges = checker(held, gem, in_flight)
        held.counts.clear()
        started, cpu = time.perf_counter(), time.process_time()
        done = check_jobs(edges)
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    if done.checked != jobs:
        sys.exit(f"{done.checked} of {jobs} due jobs were asked about: {done}")
    operations = sum(held.counts.values()) / jobs
    for name in names:
        held.registry.remove(name)
    return Figures(jobs / seconds, 1000 * cpu / jobs, operations)


def throughput(console: Console, address: str, azurite: Azurite) -> None:
    """The table of rates. The contestants take turns."""
    table = Table(title=f"due jobs checked a second, medians of {ROUNDS}; GEM answers in 50 ms")
    headings = ("in flight", "ideal", "bare", "in memory", "of ideal", "of bare", "CPU ms",
                "Azurite", "operations")  # fmt: skip
    for heading in headings:
        table.add_column(heading, justify="right")
    with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:
        on_azurite = stores(lambda name: BlobDocuments(blobs.create_container(f"rate-{name}")))
        for in_flight in IN_FLIGHT:
            ideal = in_flight / LATENCY_SECONDS
            jobs = int(ideal * SECONDS)
            rounds = []
            for _ in range(ROUNDS):
                alone = bare(address, in_flight, jobs)
                app = tick(stores(lambda _: MemoryDocuments()), address, in_flight, jobs)
                rounds.append((alone, app))
            stored = tick(on_azurite, address, in_flight, 200)
            alone = statistics.median(each[0] for each in rounds)
            rate = statistics.median(each[1].per_second for each in rounds)
            cpu = statistics.median(each[1].cpu_ms for each in rounds)
            table.add_row(
                str(in_flight), f"{ideal:.0f}", f"{alone:.0f}", f"{rate:.0f}",
                f"{rate / ideal:.2f}", f"{rate / alone:.2f}", f"{cpu:.2f}",
                f"{stored.per_second:.0f}", f"{stored.operations:.2f}",
            )  # fmt: skip
    console.print(table)


def growth(console: Console, azurite: Azurite, *, settled_on_azurite: int) -> None:
    """The cost of a tick without due jobs, by the number of open and of settled jobs."""
    table = Table(title="a tick with nothing due")
    for heading in ("storage", "open jobs", "settled jobs", "operations", "seconds"):
        table.add_column(heading, justify="left" if heading == "storage" else "right")
    with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:
        on_azurite = stores(lambda name: BlobDocuments(blobs.create_container(f"tick-{name}")))
        in_memory = stores(lambda _: MemoryDocuments())
        plans = (
            (in_memory, "memory", (100, 1000, 10_000), 100_000),
            (on_azurite, "Azurite", (100, 1000), settled_on_azurite),
        )
        for held, what, counts, most in plans:
            open_jobs = 0
            for count in counts:
                register(held, (f"open-{n}" for n in range(open_jobs, count)), timedelta(hours=1))
                open_jobs = count
                _idle(table, held, what, open_jobs, 0)
            settle(held, (f"old-{n}" for n in range(most)))
            _idle(table, held, what, open_jobs, most)
    console.print(table)


def _idle(table: Table, held: Stores, what: str, open_jobs: int, settled: int) -> None:
    with GemClient("http://127.0.0.1:9", api_key=Secret("k"), token=FixedToken(Secret("t"))) as gem:
        edges = checker(held, gem, 1)
        held.counts.clear()
        taken = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            done = check_jobs(edges)
            taken.append(time.perf_counter() - started)
        if (done.open_jobs, done.due_jobs) != (open_jobs, 0):
            sys.exit(f"{open_jobs} open jobs and none due were expected: {done}")
    operations = sum(held.counts.values()) / ROUNDS
    seconds = statistics.median(taken)
    table.add_row(what, f"{open_jobs:,}", f"{settled:,}", f"{operations:.0f}", f"{seconds:.3f}")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.checking", description=__doc__)
    parser.add_argument(
        "--rates-only", action="store_true", help="do not measure ticks without due jobs"
    )
    parser.add_argument(
        "--settled", type=int, default=1000, help="settled jobs on Azurite (%(default)s)"
    )
    arguments = parser.parse_args()
    # As deployed: every event of the app is written.
    logging.basicConfig(level=logging.WARNING, filename=os.devnull)
    logging.getLogger("gem_core").setLevel(logging.INFO)
    console = Console(width=100)
    with Azurite() as azurite, loopback() as address:
        throughput(console, address, azurite)
        if not arguments.rates_only:
            growth(console, azurite, settled_on_azurite=arguments.settled)


if __name__ == "__main__":
    main()
