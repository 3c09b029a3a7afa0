"""Each outcome leads to one manifest, which tells what was found."""

import json

import pytest

from gem_core.errors import OutputRefused
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.job_files import output_name
from gem_core.flows.manage_jobs import register_job
from gem_core.outcome import Outcome
from gem_core.watch.record import Settlement
from tests.builders import JOB, OUTPUT, World, answer, finished, job, matched_file, page_answer
from tests.fakes import START
from tests.flows.build import delivered, settled


def test_a_right_output_is_valid() -> None:
    world = settled()
    event = delivered(world)
    data = event["data"]
    assert data["outcome"] == "valid"
    assert event["subject"] == f"default/{OUTPUT}"
    assert data["output"]["etag"] == "E1"
    assert data["output"]["rows"] == 40
    assert data["match"]["matches"] == 30
    assert data["statistics"]["reported"]["roads_matched"] == "75%"
    assert data["output"]["rewrittenSinceModifiedAt"] is False


def test_a_wrong_figure_is_a_warning_or_an_error_by_how_far_it_is_off() -> None:
    near = finished()
    near["statistics"] = near["statistics"] | {"roads_matched": "75.5%", "roads_unmatched": "24.5%"}
    assert delivered(settled(near))["data"]["outcome"] == "valid_with_warnings"
    far = finished()
    far["statistics"] = far["statistics"] | {"roads_matched": "95%"}
    assert delivered(settled(far))["data"]["outcome"] == "invalid"


@pytest.mark.parametrize("body", [b"", b"id,gers_id\n1,2\n", b"PAR1" + b"\0" * 40 + b"PAR1"])
def test_an_output_that_is_no_parquet_is_invalid(body: bytes) -> None:
    data = delivered(settled(output=body))["data"]
    assert data["outcome"] == "invalid"
    assert data["checks"]["counts"]["failedError"] >= 1
    assert data["output"]["bytes"] == len(body)


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_job_without_an_output_is_told_too(status: str) -> None:
    world = settled(answer(status))
    event = delivered(world)
    assert event["data"]["outcome"] == status
    assert event["data"]["output"] is None
    assert "subject" not in event
    assert world.files.opened == []


@pytest.mark.parametrize("reason", ["lost", "expired"])
def test_a_job_that_gem_never_ended_is_told_too(reason: str) -> None:
    world = World()
    world.add(JOB)
    stored = world.registry.get(JOB)
    assert stored
    world.registry.replace(stored, stored.record.settled(Settlement(reason), START))
    event = delivered(world)
    assert event["data"]["outcome"] == reason
    assert event["data"]["job"] is None


def test_labels_come_back() -> None:
    world = World()
    world.files.write(OUTPUT, matched_file())
    world.gem.answers[JOB] = [finished()]
    register_job(world.manager, JOB, {"labels": {"team": "Straßen"}})
    check_jobs(world.checker)
    assert delivered(world)["data"]["labels"] == {"team": "Straßen"}


def test_the_input_is_read_when_it_can_be() -> None:
    world = settled()
    world.files.write("roads.parquet", matched_file())
    event = delivered(world)
    assert event["data"]["input"]["columnsCompared"] is True
    assert ("storage-001", "roads.parquet") in world.files.opened


@pytest.mark.parametrize(
    ("input_audit", "error", "note"),
    [
        (False, None, "GEM_INPUT_AUDIT"),
        (True, OutputRefused("no name"), "cannot be read: no name"),
    ],
)
def test_an_input_that_is_not_read_fails_no_output(
    *, input_audit: bool, error: OutputRefused | None, note: str
) -> None:
    world = settled()
    world.input_audit = input_audit
    if error:
        world.files.errors["roads.parquet"] = error
    data = delivered(world)["data"]
    assert data["outcome"] == "valid"
    assert note in data["input"]["note"]


def test_a_job_that_names_no_input_is_audited_by_its_output() -> None:
    world = settled(finished(inputFileName=None))
    assert "names no input" in delivered(world)["data"]["input"]["note"]


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ({"outputFileName": "a_matched.parquet"}, "a_matched.parquet"),
        ({"outputFileName": "other.parquet", "inputFileName": "a.parquet"}, "other.parquet"),
        ({"inputFileName": "a.parquet"}, "a_matched.parquet"),
        ({"inputFileName": "a.parquet.parquet"}, "a.parquet_matched.parquet"),
        ({"inputFileName": "a"}, "a_matched.parquet"),
        ({"inputFileName": "a.PARQUET"}, "a_matched.parquet"),
        ({"inputFileName": "v1.2/a.pq"}, "v1.2/a_matched.parquet"),
    ],
)
def test_the_output_is_the_file_that_gem_names(told: dict[str, str], name: str) -> None:
    assert output_name(job("finished", **told)) == name


@pytest.mark.parametrize("given", ["a.PARQUET", "v1.2/a.pq", "a.b.parquet", "a"])
def test_a_name_that_follows_the_pattern_is_judged_by_the_same_pattern(given: str) -> None:
    world = settled(finished(outputFileName=None, inputFileName=given))
    world.files.write(output_name(job("finished", inputFileName=given)), matched_file())
    data = delivered(world)["data"]
    assert data["outcome"] == "valid"


def test_the_pages_own_answer_names_its_output() -> None:
    world = World()
    world.settle(page_answer("finished"))
    deliver_results(world.deliverer, JOB)
    assert world.files.opened == [("storage-001", "your_data_matched.parquet")]


def test_names_that_cannot_be_any_are_invalid_and_not_asked_for() -> None:
    world = settled(finished(outputFileName="../secret"))
    world.files.errors["../secret"] = OutputRefused("more than a plain file name")
    data = delivered(world)["data"]
    assert data["outcome"] == "invalid"
    assert data["output"] is None


def test_a_job_that_names_no_file_at_all_is_a_missing_output() -> None:
    world = settled(finished(outputFileName=None, inputFileName=None))
    world.clock.move(world.output_grace)
    assert delivered(world)["data"]["outcome"] == "output_missing"


@pytest.mark.parametrize(
    ("modified_at", "rewritten"),
    [
        ("2026-01-20T10:00:00Z", False),
        ("2026-01-20T09:59:00Z", False),
        ("2026-01-20T09:58:59Z", True),
        (None, None),
        ("9999-12-31T23:59:59Z", False),
    ],
)
def test_a_file_written_after_the_jobs_end_is_told(
    modified_at: str | None, *, rewritten: bool | None
) -> None:
    world = settled(finished(modifiedAt=modified_at))
    assert delivered(world)["data"]["output"]["rewrittenSinceModifiedAt"] is rewritten


@pytest.mark.parametrize("text", ['"\\ud800"', "1e400"])
def test_whatever_gem_adds_the_job_is_delivered(text: str) -> None:
    world = World()
    world.files.write(OUTPUT, matched_file())
    world.gem.answers[JOB] = [finished(extra=json.loads(text))]
    world.add(JOB)
    check_jobs(world.checker)
    assert delivered(world)["data"]["outcome"] == Outcome.VALID
