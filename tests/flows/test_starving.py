"""Jobs about which GEM drips or is silent never delay the others, in ticks and in batches."""

from dataclasses import replace
from functools import partial

import pytest

from gem_core.errors import GemUnavailable
from gem_core.flows.check_batch import check_batch
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.checker import Checker
from gem_core.watch.batch import BatchPlan
from gem_core.watch.rate_limiter import RateLimiter, SleepClock
from tests.builders import World, answer, new_record
from tests.world.loop import Lock, Loop, Process

DRIPPING = 300
QUESTION_SECONDS = 60.0
"""The longest question (`ANSWER_SECONDS`)."""
HEALTHY = "healthy"


class Starving:
    """A world with 300 jobs without an answer, and a healthy one that is due last."""

    def __init__(self, places: int, plan: BatchPlan | None = None) -> None:
        self.loop = Loop()
        self.world = World(clock=self.loop.clock, plan=plan)  # type: ignore[arg-type] # time of the loop
        self.places = places
        self.asked_at: dict[str, float] = {}
        for number in range(DRIPPING):
            job_run_id = f"drip-{number:03}"
            record = new_record(job_run_id, self.loop.clock()).not_answered("x", self.loop.clock())
            self.world.registry.add(record)
            self.world.gem.answers[job_run_id] = [GemUnavailable("no answer")]
        self.world.registry.add(new_record(HEALTHY, self.loop.clock()))
        self.world.gem.answers[HEALTHY] = [answer("running")]
        self.world.gem.before = self._ask

    def _ask(self, job_run_id: str) -> None:
        self.asked_at.setdefault(job_run_id, self.loop.seconds)
        if job_run_id != HEALTHY:
            self.loop.wait(QUESTION_SECONDS)

    @property
    def checker(self) -> Checker:
        world, loop = self.world, self.loop
        return replace(
            world.checker,
            each=partial(loop.each, at_once=self.places),
            places=self.places,
            limiter=RateLimiter(
                world.worklist,
                count=1,
                per_second=10,
                clock=SleepClock(loop.clock, loop.wait, lambda: Lock(loop)),
            ),
        )

    def run(self) -> float:
        """Seconds until the healthy job is asked; ticks follow each other."""

        def ticks() -> None:
            while HEALTHY not in self.asked_at and self.loop.seconds < 7200:
                check_jobs(self.checker)
                for message in self.world.batches.take():
                    check_batch(self.checker, message)

        self.loop.start("ticks", Process(), ticks, lasts=1e9, on_end=lambda _: None)
        self.loop.run(until=lambda: False)
        return self.asked_at[HEALTHY]


@pytest.mark.parametrize("places", [1, 2, 4, 16])
def test_a_healthy_job_is_asked_at_once_beside_300_without_an_answer(places: int) -> None:
    assert Starving(places).run() < 2


@pytest.mark.parametrize("plan", [BatchPlan(50, 1), BatchPlan(3, 2), BatchPlan(1, 1)], ids=str)
def test_a_healthy_job_is_in_the_first_batch(plan: BatchPlan) -> None:
    starving = Starving(4, plan)
    starving.loop.start(
        "tick", Process(), lambda: check_jobs(starving.checker), lasts=1e9, on_end=lambda _: None
    )
    starving.loop.run(until=lambda: False)
    messages = starving.world.batches.take()
    assert HEALTHY in messages[0]
    assert starving.world.batches.waiting() == 0
    assert len(messages) <= 1 + plan.max_waiting // 4


@pytest.mark.parametrize(("places", "most"), [(1, 1), (2, 1), (4, 1), (16, 4)])
def test_jobs_without_an_answer_share_a_quarter_of_the_places(places: int, most: int) -> None:
    starving = Starving(places)
    running = [0, 0]

    def ask(_: str) -> None:
        running[0] += 1
        running[1] = max(running)
        starving.loop.wait(QUESTION_SECONDS)
        running[0] -= 1

    starving.world.gem.before = ask
    starving.world.registry.remove(HEALTHY)
    starving.loop.start(
        "tick", Process(), lambda: check_jobs(starving.checker), lasts=1e9, on_end=lambda _: None
    )
    starving.loop.run(until=lambda: False)
    assert running == [0, most]
