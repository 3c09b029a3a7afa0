"""The budget of requests is shared by all threads and evenly spaced."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from gem_core.watch.pace import Pace


class Seconds:
    """A clock that goes on by pausing; threads pause side by side, so pauses are only kept."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def pause_alone(self, seconds: float) -> None:
        self.pause(seconds)
        self.now += seconds


def test_the_first_goes_at_once_and_the_others_a_gap_apart() -> None:
    clock = Seconds()
    pace = Pace(4, monotonic=clock, pause=clock.pause_alone)
    moments = []
    for _ in range(5):
        pace.wait()
        moments.append(clock.now)
    assert moments == [100.0, 100.25, 100.5, 100.75, 101.0]


def test_time_that_was_not_used_is_not_saved_up() -> None:
    clock = Seconds()
    pace = Pace(10, monotonic=clock, pause=clock.pause_alone)
    clock.now += 60
    pace.wait()
    pace.wait()
    assert clock.pauses == pytest.approx([0.1])


def test_threads_share_one_budget() -> None:
    clock = Seconds()
    pace = Pace(10, monotonic=clock, pause=clock.pause)
    with ThreadPoolExecutor(8) as pool:
        for waiting in [pool.submit(pace.wait) for _ in range(40)]:
            waiting.result()
    assert sorted(clock.pauses) == pytest.approx([number / 10 for number in range(1, 40)])
