"""The rate is shared by threads and processes, evenly spaced, and never exceeded."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Lock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.errors import StoreError
from gem_core.watch.rate_limiter import LEASE_TIME, MARGIN, Lease, RateLimiter, SleepClock
from tests.fakes import START, Trap
from tests.watch.limited import NEVER, World


def test_the_first_request_starts_at_once_and_the_others_with_equal_gaps() -> None:
    world = World(4)
    lease = world.acquire()
    moments = []
    for _ in range(5):
        assert lease.wait(NEVER)
        moments.append((world.clock() - START).total_seconds())
    assert moments == [0, 0.25, 0.5, 0.75, 1]


def test_unused_time_is_not_saved() -> None:
    world = World(10)
    lease = world.acquire()
    world.clock.move(seconds=30)
    lease.wait(NEVER)
    lease.wait(NEVER)
    assert world.clock() == START + timedelta(seconds=30.1)


def test_threads_share_one_lease() -> None:
    world = World(10)
    pauses: list[float] = []
    lock = Lock()

    def pause(seconds: float) -> None:
        with lock:
            pauses.append(seconds)

    lease = RateLimiter(
        world.documents, count=1, per_second=10, clock=SleepClock(world.clock, pause)
    ).acquire()
    assert lease
    with ThreadPoolExecutor(8) as pool:
        for waiting in [pool.submit(lease.wait, NEVER) for _ in range(40)]:
            assert waiting.result()
    assert sorted(pauses) == pytest.approx([number / 10 for number in range(1, 40)])


def test_a_lease_has_one_holder() -> None:
    world = World(10, count=2)
    first, second = world.acquire(), world.acquire()
    assert world.limiter().acquire() is None
    first.release()
    assert world.limiter().acquire()
    assert second.wait(NEVER)


def test_the_free_lease_whose_next_request_is_first_is_acquired() -> None:
    """Otherwise a run would wait for a share that was just used, while other shares are free."""
    world = World(1, count=3)  # three seconds between two requests of a share
    for _ in range(3):
        lease = world.acquire()
        assert lease.wait(NEVER)
        lease.release()
    assert world.clock() == START
    assert world.acquire().wait(NEVER)
    assert world.clock() == START + timedelta(seconds=3)


@pytest.mark.parametrize("random", [0.0, 0.4, 0.999])
def test_runs_that_start_together_try_different_leases(random: float) -> None:
    world = World(1, count=4)
    clock = SleepClock(world.clock, lambda _: None)
    limiter = RateLimiter(
        world.documents, count=4, per_second=1, clock=clock, random=lambda: random
    )
    assert limiter.acquire()
    assert world.documents.names() == [f"leases/{int(random * 4)}"]


def test_two_processes_at_the_same_time_get_different_leases() -> None:
    world = World(10, count=2)
    taken: list[Lease | None] = []
    trap = Trap()

    def overtake() -> None:
        trap.check = lambda: None
        taken.append(world.limiter().acquire())

    trap.check = overtake  # after the listing
    taken.append(world.limiter(trap=trap).acquire())
    assert all(taken)
    assert world.documents.names() == ["leases/0", "leases/1"]


def test_the_lease_of_a_dead_holder_ends() -> None:
    world = World(10)
    world.acquire()
    world.clock.move(LEASE_TIME - timedelta(microseconds=1))
    assert world.limiter().acquire() is None
    world.clock.move(timedelta(microseconds=1))
    assert world.limiter().acquire()


def test_a_lease_lasts_as_long_as_its_holder_uses_it() -> None:
    world = World(1)
    lease = world.acquire()
    for _ in range(300):
        assert lease.wait(NEVER)
        assert world.limiter().acquire() is None


def test_a_lease_is_not_renewed_at_every_request() -> None:
    world = World(1)
    trap = Trap()
    lease = world.limiter(trap=trap).acquire()
    assert lease
    for _ in range(61):
        lease.wait(NEVER)
    # In one minute: a renewal is needed after each lease time, less the margin.
    assert trap.calls.count("leases.replace") <= timedelta(minutes=1) / (LEASE_TIME - MARGIN)


def test_a_suspended_holder_loses_its_lease() -> None:
    world = World(10)
    slow = world.acquire()
    world.clock.move(LEASE_TIME)
    quick = world.acquire()
    assert not slow.wait(NEVER)
    slow.release()
    assert world.limiter().acquire() is None
    assert quick.wait(NEVER)


def test_a_low_rate_never_makes_a_run_wait_past_its_end() -> None:
    world = World(0.01)
    ends_at = START + timedelta(minutes=4)
    lease = world.acquire()
    moments = []
    while lease.wait(ends_at):
        moments.append((world.clock() - START).total_seconds())
    assert moments == [0, 100, 200]
    assert world.clock() < ends_at


def test_the_gap_is_kept_across_holders() -> None:
    # There is a tick each minute, and a request may start every 100 seconds.
    world = World(0.01)
    moments = []
    for tick in range(8):
        world.clock.now = max(world.clock.now, START + tick * timedelta(minutes=1))
        lease = world.acquire()
        if lease.wait(world.clock() + timedelta(seconds=50)):
            moments.append((world.clock() - START).total_seconds())
        lease.release()
    assert moments == [0, 100, 200, 300, 400]


@pytest.mark.parametrize("text", ["", "soon", "2026-01-20T10:00:00"])
def test_an_unreadable_lease_document_counts_as_free(text: str) -> None:
    world = World(10)
    world.documents.put("leases/0", b"", metadata={"until": text})
    assert world.limiter().acquire()


def test_a_storage_error_is_raised() -> None:
    world = World(10)
    trap = Trap()
    lease = world.limiter(trap=trap).acquire()
    assert lease

    def refuse() -> None:
        raise StoreError("503")

    trap.check = refuse
    world.clock.move(LEASE_TIME)
    with pytest.raises(StoreError):
        lease.wait(NEVER)


@given(
    per_second=st.sampled_from([0.05, 0.5, 3.0, 20.0]),
    count=st.integers(1, 4),
    steps=st.lists(
        st.tuples(st.sampled_from(["take", "ask", "release", "die"]), st.integers(0, 20)),
        max_size=60,
    ),
)
def test_the_rate_is_never_exceeded(
    *, per_second: float, count: int, steps: list[tuple[str, int]]
) -> None:
    """Processes take leases, send requests, end leases or die in any order: no period has more
    requests than the rate allows.
    """
    world = World(per_second, count)
    held: list[Lease] = []
    asked: list[datetime] = []
    for step, seconds in steps:
        world.clock.move(seconds=seconds / 4)
        match step:
            case "take":
                lease = world.limiter().acquire()
                held += [lease] if lease else []
            case "ask" if held and held[-1].wait(world.clock() + timedelta(minutes=2)):
                asked.append(world.clock())
            case "release" if held:
                held.pop(0).release()
            case "die" if held:
                held.pop(0)
        # A holder that sent nothing for longer than its lease may have lost it.
        assert sum(lease._document._until > world.clock() for lease in held) <= count
    for first, start in enumerate(asked):
        for number, end in enumerate(asked[first:], 1):
            # Each share may have one request more than the rate times the period. Times are whole
            # microseconds, so each gap may be one microsecond shorter.
            passed = (end - start).total_seconds() + number * 1e-6
            assert number <= count + passed * per_second


def test_the_margin_is_within_the_lease() -> None:
    assert MARGIN < LEASE_TIME
