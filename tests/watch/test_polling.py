"""The target of the polling policy, tested with simulated jobs in virtual time."""

import pytest

from bench.polling import (
    LENGTHS,
    Figures,
    app_schedule,
    dice_of,
    earlier_jobs,
    fixed,
    life,
    measure,
)
from gem_core.watch.durations import Durations

JOBS = 60


def base(seconds: float) -> Figures:
    return measure(fixed(60), seconds, "linear", jobs=JOBS, seed=1)


@pytest.mark.parametrize("length", ["30 minutes", "2.7 hours"])
@pytest.mark.parametrize("source", ["linear", "uneven", "earlier jobs"])
def test_polling_needs_a_third_of_the_requests_at_twice_the_delay(length: str, source: str) -> None:
    """Compared with a check each minute. Progress or earlier jobs give the expected end."""
    seconds = LENGTHS[length]
    known = earlier_jobs(seconds, 1) if source == "earlier jobs" else Durations()
    progress = "absent" if source == "earlier jobs" else source
    found = measure(app_schedule(known), seconds, progress, jobs=JOBS, seed=1)
    assert found.requests <= base(seconds).requests / 3
    assert found.median <= base(seconds).median * 2


def test_short_jobs_miss_the_target_by_no_more_than_documented() -> None:
    """A third allows two requests: one finds that the job ended, and often one that it started."""
    seconds = LENGTHS["5 minutes"]
    by_jobs = measure(app_schedule(earlier_jobs(seconds, 1)), seconds, "absent", jobs=JOBS, seed=1)
    assert by_jobs.requests <= base(seconds).requests * 0.45
    by_progress = measure(app_schedule(Durations()), seconds, "linear", jobs=JOBS, seed=1)
    assert by_progress.requests <= base(seconds).requests * 0.65
    assert max(by_jobs.median, by_progress.median) <= base(seconds).median * 2


def test_the_same_seed_gives_the_same_simulation() -> None:
    lives = [life(dice_of(seed), 300, "uneven") for seed in (5, 5, 6)]
    assert lives[0] == lives[1] != lives[2]
