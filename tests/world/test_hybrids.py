"""Hybrids of GEM's generations: every one ends in a manifest, and says what was seen."""

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from gem_core.errors import GemJobNotFound
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.gem.contracts import known
from gem_core.gem.contracts.contract import Contract
from gem_core.gem.job import GemJob
from gem_core.watch.record import Stage
from tests.builders import World, check_manifest
from tests.fakes import FakeGem, GemAnswer
from tests.world.hybrid_runs import event_of, file_of, is_told, settled
from tests.world.hybrids import hybrid

MANY = 300


class ExactGem(FakeGem):
    """Answers exactly so, in every contract."""

    contracts = (*known.CONTRACTS.values(),)

    def get_job(self, job_run_id: str, contract: Contract = known.DEFAULT) -> GemJob:
        answers = self.answers.get(job_run_id)
        if answers is None:
            raise GemJobNotFound("404")
        if isinstance(answers[0], Exception):
            raise answers[0]
        return known.read(answers[0], job_run_id=job_run_id, asked_in=contract)


def test_every_hybrid_ends_in_a_manifest_of_the_pure_core() -> None:
    seen: Counter[str] = Counter()
    for seed in range(MANY):
        made = hybrid(seed)
        record, took = settled(made)
        assert took <= timedelta(days=7, hours=1)
        event = event_of(made, record)
        data = check_manifest(event.body)["data"]
        assert event_of(made, record).id == event.id
        assert is_told(made, data), seed
        seen[data["outcome"]] += 1
    assert set(seen) == {
        "valid_with_warnings", "invalid", "not_audited", "output_missing", "failed", "cancelled",
        "expired", "lost",
    }  # fmt: skip


@pytest.mark.slow
def test_every_hybrid_ends_in_a_manifest_of_the_whole_app() -> None:
    for seed in range(MANY):
        made = hybrid(seed)
        answers: list[GemAnswer] = [made.answer]
        world = World(gem=ExactGem(**{made.job_run_id: answers}))
        for name, columns in made.files.items():
            world.files.write(name, file_of(columns))
        world.add(made.job_run_id)
        deadline = world.clock() + world.policy.job_deadline
        while world.record(made.job_run_id).stage is not Stage.DELIVERED:
            assert world.clock() < deadline + timedelta(hours=1), seed
            check_jobs(world.checker)
            for job_run_id in world.new_tickets():
                # The pure core has no input either.
                deliver_results(replace(world.deliverer, input_audit=False), job_run_id)
            is_late = world.clock() >= deadline
            world.clock.move(world.policy.check_max if is_late else timedelta(hours=12))
        (body,) = world.queue.sent
        data = check_manifest(body)["data"]
        assert is_told(made, data), seed
        assert (
            json.loads(event_of(made, settled(made)[0]).body)["data"]["outcome"]
            == (data["outcome"])
        )
