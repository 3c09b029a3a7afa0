"""An output without a whole footer may still be being written, so its manifest waits like for a
missing one. Any other broken file is final at once.
"""

from datetime import timedelta

import pytest

from gem_core.flows.deliver_results import deliver_results
from gem_core.watch.record import Stage
from tests.builders import JOB, OUTPUT, World, finished, matched_file
from tests.flows.build import delivered

WHOLE = matched_file()
UNFINISHED = [b"", b"PA", b"PAR1", WHOLE[:-1], WHOLE[: len(WHOLE) // 2]]


def world_with(output: bytes) -> World:
    world = World()
    world.files.write(OUTPUT, output)
    world.settle(finished())
    return world


@pytest.mark.parametrize("output", UNFINISHED, ids=len)
def test_an_unfinished_output_is_audited_again_once_it_is_whole(output: bytes) -> None:
    world = world_with(output)
    for _ in range(3):
        assert deliver_results(world.deliverer, JOB) is None
        record = world.record()
        assert record.stage is Stage.SETTLED
        assert record.attempts.postponement
        assert "whole footer" in record.attempts.postponement.reason
        world.clock.now = record.due_at
    world.files.write(OUTPUT, WHOLE)
    assert delivered(world)["data"]["outcome"] == "valid"


@pytest.mark.parametrize("output", UNFINISHED, ids=len)
def test_at_the_end_of_the_grace_it_is_invalid(output: bytes) -> None:
    world = world_with(output)
    world.clock.move(minutes=29)
    assert deliver_results(world.deliverer, JOB) is None
    assert world.record().due_at - world.clock.now <= timedelta(minutes=1)
    world.clock.move(minutes=1)
    event = delivered(world)
    assert event["data"]["outcome"] == "invalid"
    failed = [check["name"] for check in event["data"]["checks"]["notPassed"]]
    assert {"not_empty", "magic_bytes"} & set(failed)


@pytest.mark.parametrize(
    "output",
    [
        b"PK\x03\x04 a zip file",
        b"<html>not found</html>",
        WHOLE[4:],
        WHOLE[:4] + b"x" * 40 + WHOLE[-8:],
    ],
    ids=["zip", "html", "without its start", "broken footer"],
)
def test_any_other_broken_file_is_final_at_once(output: bytes) -> None:
    assert delivered(world_with(output))["data"]["outcome"] == "invalid"


def test_an_encrypted_file_is_final_at_once() -> None:
    output = b"PARE" + WHOLE[4:-4] + b"PARE"
    assert delivered(world_with(output))["data"]["outcome"] == "not_audited"
