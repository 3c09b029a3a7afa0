"""A storage that is slow is given up soon, and then left alone for a while."""

from dataclasses import dataclass, field

import pytest

from gem_core.audit.overture import patience as module
from gem_core.audit.overture.patience import (
    LATENCY_SECONDS,
    REST_SECONDS,
    SLOW_SECONDS,
    STEADY,
    Patience,
)
from gem_core.errors import OutputUnreachable


@dataclass
class Clock:
    """The monotonic clock, which a test moves."""

    now: float = 1000.0
    patience: Patience = field(default_factory=Patience)

    def monotonic(self) -> float:
        return self.now

    def request(self, seconds: float, length: int = 0, *, fails: bool = False) -> None:
        with self.patience.request(length):
            self.now += seconds
            if fails:
                raise ConnectionError


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_requests_that_are_slow_end_the_look_up_and_the_next_ones_for_a_while(clock: Clock) -> None:
    clock.patience.begin()
    for _ in range(3):
        clock.request(SLOW_SECONDS / 2)
    with pytest.raises(OutputUnreachable, match="too slow: 0 bytes came in 14 s"):
        clock.request(0)
    for moved in (0.0, REST_SECONDS - 1):
        clock.now += moved
        with pytest.raises(OutputUnreachable, match="is asked again in 1"):
            clock.patience.begin()
        clock.now -= moved
    clock.now += REST_SECONDS
    clock.patience.begin()
    clock.request(1)


def test_a_storage_that_serves_its_bytes_may_take_its_time(clock: Clock) -> None:
    clock.patience.begin()
    for _ in range(20):
        clock.request(SLOW_SECONDS, int(SLOW_SECONDS) * STEADY)
    clock.patience.begin()
    clock.request(0)


def test_the_bytes_of_a_request_that_fails_do_not_count(clock: Clock) -> None:
    clock.patience.begin()
    with pytest.raises(ConnectionError):
        clock.request(SLOW_SECONDS + 1, 1 << 30, fails=True)
    with pytest.raises(OutputUnreachable, match="too slow"):
        clock.request(0)


def test_short_requests_add_up_over_one_look_up_only(clock: Clock) -> None:
    for _ in range(5):
        clock.patience.begin()
        clock.request(SLOW_SECONDS - 1)


def test_a_request_that_outlasts_its_look_up_does_not_count_for_the_next_one(clock: Clock) -> None:
    clock.patience.begin()
    with clock.patience.request():
        clock.patience.begin()
        clock.now += SLOW_SECONDS * 2
    clock.request(0)
    clock.patience.begin()


def test_many_small_requests_to_a_storage_that_is_far_are_not_slow(clock: Clock) -> None:
    clock.patience.begin()
    for _ in range(200):
        clock.request(LATENCY_SECONDS, 1000)
