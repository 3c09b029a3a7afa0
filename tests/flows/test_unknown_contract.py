"""A record in a contract that only a newer version knows loses nothing after a rollback.

Nor is anything concluded from it.
"""

import json
from typing import Any

import pytest

from gem_core.errors import GemAnswerError, GemJobNotFound
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.find_trouble import find_trouble
from gem_core.flows.list_jobs import list_jobs
from gem_core.flows.manage_jobs import check_job, redeliver_job, show_job
from gem_core.gem.contracts import known
from gem_core.gem.contracts.x_version_1 import X_VERSION_1
from gem_core.moments import moment_text
from gem_core.watch.marker import MARKER_PREFIX, marker_words
from gem_core.watch.record import Settlement, Stage
from gem_core.watch.record_json import record_to_json
from gem_core.watch.registry import SUFFIX
from tests.builders import JOB, OUTPUT, World, answer, finished, matched_file
from tests.fakes import GemAnswer
from tests.flows.build import delivered, settled, world_of

TOMORROW = "of-tomorrow"
ANSWER = {"job_id": JOB, "state": "DONE", "more": [1, None]}


def rolled_back(world: World, **changes: object) -> World:
    """The world after a newer version wrote the job's record and was rolled back to this one."""
    held = world.jobs.get(JOB + SUFFIX)
    assert held
    stored = json.loads(held.body) | {"lastAnswer": ANSWER, "contract": TOMORROW} | changes
    world.jobs.put(JOB + SUFFIX, json.dumps(stored).encode())
    return world


def stored(world: World) -> tuple[Any, Any]:
    """The members of the record that only a newer version understands."""
    held = world.jobs.get(JOB + SUFFIX)
    assert held
    record = json.loads(held.body)
    return record["lastAnswer"], record["contract"]


def watched(gem: GemAnswer) -> World:
    return rolled_back(world_of(JOB, gem_answer=gem), timesChecked=3)


def test_a_job_of_an_unknown_contract_is_listed_shown_and_in_trouble() -> None:
    world = watched(answer("running"))
    assert [job["jobRunId"] for job in list_jobs(world.manager, {})["jobs"]] == [JOB]
    shown = show_job(world.manager, JOB)
    assert (shown["lastAnswer"], shown["contract"]) == (ANSWER, TOMORROW)
    due = moment_text(world.clock())  # a marker of a version that does not write the state
    world.worklist.put(MARKER_PREFIX + JOB, b"", metadata={"due": due})
    (line,) = find_trouble(world.manager)
    assert "the contract 'of-tomorrow', which this version does not know" in line["problem"]


def test_a_marker_shows_no_name_that_this_version_does_not_know() -> None:
    """Metadata is sent in HTTP headers, and a record may be edited by hand."""
    world = rolled_back(world_of(JOB), contract="x\r\nx-ms-lease-id: 1")
    assert "contract" not in marker_words(world.record())


def test_a_job_is_checked_in_the_contract_that_is_known() -> None:
    world = watched(answer("running"))
    assert check_jobs(world.checker).checked == 1
    last, contract = stored(world)
    assert (last["status"], contract) == ("running", X_VERSION_1.name)


@pytest.mark.parametrize("gem", [GemAnswerError("no jobRunId"), GemJobNotFound("404")])
def test_an_answer_that_is_not_the_job_keeps_what_the_newer_version_stored(gem: Exception) -> None:
    world = watched(gem)
    check_jobs(world.checker)
    assert world.record().times_checked == 4
    assert stored(world) == (ANSWER, TOMORROW)


def test_a_404_in_another_contract_does_not_lose_the_job() -> None:
    world = watched(GemJobNotFound("404"))
    while world.clock() < world.record().registered_at + 5 * world.policy.lost_after:
        check_jobs(world.checker)
        world.clock.move(world.policy.check_max)
    assert world.record().not_found > 5
    assert world.record().stage is Stage.WATCHING


def test_a_finished_job_waits_for_the_newer_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """The output exists, but this version cannot name it: the job must not be `output_missing`."""
    world = rolled_back(settled(), lastAnswer={"jobRunId": JOB, **finished()})
    assert deliver_results(world.deliverer, JOB) is None
    assert world.queue.sent == []
    assert world.record().stage is Stage.SETTLED
    monkeypatch.setitem(known.CONTRACTS, TOMORROW, X_VERSION_1)
    assert delivered(world)["data"]["outcome"] == "valid"


def test_a_finished_job_waits_no_longer_than_for_an_output(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = rolled_back(settled(), lastAnswer={"jobRunId": JOB, **finished()})
    assert deliver_results(world.deliverer, JOB) is None
    world.clock.move(world.output_grace)
    data = delivered(world)["data"]
    assert (data["outcome"], data["contract"], data["output"]) == ("not_audited", TOMORROW, None)
    (failed,) = (check for check in data["checks"]["notPassed"] if check["verdict"] == "failed")
    assert failed["name"] == "layout_known"
    assert "'of-tomorrow', which this version does not know" in failed["detail"]
    assert data["job"]["answer"] == {"jobRunId": JOB, **finished()}

    first = world.record().manifest_id
    monkeypatch.setitem(known.CONTRACTS, TOMORROW, X_VERSION_1)
    world.queue.sent.clear()
    redeliver_job(world.manager, JOB)
    assert delivered(world)["data"]["outcome"] == "valid"
    assert world.record().manifest_id != first


@pytest.mark.parametrize("reason", [Settlement.FAILED, Settlement.LOST, Settlement.EXPIRED])
def test_a_job_without_an_output_is_delivered(reason: Settlement) -> None:
    world = rolled_back(settled(answer("failed")), settlement=reason)
    assert delivered(world)["data"]["outcome"] == reason
    assert stored(world) == (ANSWER, TOMORROW)


def test_the_commands_of_an_operator_keep_the_members_of_the_newer_version() -> None:
    world = World()
    world.files.write(OUTPUT, matched_file())
    world.settle(finished())
    rolled_back(world)
    assert check_job(world.manager, world.checker, JOB)["statusNow"] == "finished"
    redeliver_job(world.manager, JOB)
    assert record_to_json(world.record())["contract"] == TOMORROW
    assert stored(world) == (ANSWER, TOMORROW)
