"""The campaign's short form, and that it can fail: each protection that is off is found."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world.__main__ import main
from tests.world.campaign import Task, all_cases, do
from tests.world.exhaustive import cases, kills, with_faults
from tests.world.faults import Fault
from tests.world.plan import CallFault, Plan
from tests.world.routes import plan_of
from tests.world.sabotage import SABOTAGES
from tests.world.shrink import shrunk
from tests.world.world import World

_ROOT = Path(__file__).resolve().parent.parent.parent
SEEDS = 700


def _fails(plan: Plan) -> bool:
    return bool(World(plan).run().breaches)


def _size(plan: Plan) -> int:
    return len(plan.faults) + len(plan.acts) + len(plan.outages)


@pytest.mark.slow
def test_nothing_is_lost_in_the_short_form() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.world", "--quick"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = {
        cells[0].strip(): cells[1].strip()
        for line in done.stdout.splitlines()
        if len(cells := line.strip("│").split("│")) == 2
    }
    assert int(lines["runs"].replace(",", "")) > 2000
    assert lines["lost"] == lines["invariant breaches"] == "0"
    assert int(lines["manifests owed"].replace(",", "")) > 2000
    assert "(registration, ETag, ruleset) with 2 ids" not in lines


RARE = {"blind-mark", "claim"}
"""What takes hundreds of seeds to find; `--sabotage all` looks for them."""


@pytest.mark.parametrize("name", sorted(set(SABOTAGES) - RARE))
def test_a_protection_that_is_off_is_found(name: str) -> None:
    case = all_cases().get(SABOTAGES[name].case)
    with SABOTAGES[name].off():
        assert any(map(_fails, _slow(case.plan) if case else map(plan_of, range(SEEDS))))


@pytest.mark.parametrize(
    "case", [sabotage.case for sabotage in SABOTAGES.values() if sabotage.case]
)
def test_a_slow_call_breaks_nothing(case: str) -> None:
    assert not any(map(_fails, _slow(all_cases()[case].plan)))


def _slow(plan: Plan) -> Iterator[Plan]:
    """Each call takes minutes, one at a time."""
    for number in World(plan, count_states=True).run().states:
        yield with_faults(plan, CallFault(number, Fault.SLOW))


def test_a_seed_that_fails_is_printed_and_runs_again_from_its_number(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert (
        main(["--part", "random", "--runs", "10", "--workers", "1", "--sabotage", "mark-first"])
        == 1
    )
    assert 'BREACH  make chaos ARGS="--seed 0 --sabotage mark-first"' in capsys.readouterr().out
    assert main(["--seed", "0", "--sabotage", "mark-first"]) == 1
    printed = capsys.readouterr().out
    assert "is marked as delivered, and nothing was sent" in printed
    assert "--- the same, without" in printed
    assert main(["--seed", "0"]) == 0


def test_a_run_that_fails_is_made_small() -> None:
    with SABOTAGES["sweep"].off():
        plan = next(plan for plan in map(plan_of, range(SEEDS)) if _fails(plan))
        small = shrunk(plan, _fails)
        assert _fails(small)
        assert not any(_fails(smaller) for smaller in small.without_one())
    assert _size(small) < _size(plan)


def test_the_exhaustive_part_finds_a_marker_that_is_written_last() -> None:
    case = next(cases())
    with SABOTAGES["marker-last"].off():
        states = World(case.plan, count_states=True).run().states
        assert any(_fails(with_faults(case.plan, kill)) for kill in kills(states))


def test_the_exhaustive_part_finds_a_removed_job_that_returns() -> None:
    (case,) = [each for each in cases() if each.name == "1 discovered job, then forget, events die"]
    assert World(case.plan).run().breaches == ()
    with SABOTAGES["tombstones"].off():
        (breach,) = World(case.plan).run().breaches
    assert breach.endswith("job-a was removed and is back")


def test_the_app_is_heard_again_afterwards(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("gem_core")
    before = logger.level
    assert main(["--seed", "0"]) == 0
    assert logger.level == before
    do(Task(seeds=(1, 2)))
    assert logger.level == before
    assert "job_registered" not in capsys.readouterr().err


def test_kinds_of_faults_and_cases_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert "KILL_AFTER" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main(["--case", "1 job, valid, events die", "--fault", "x"])
    assert "12:KILL_AFTER" in capsys.readouterr().err
