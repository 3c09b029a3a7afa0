"""Each outcome leads to one manifest, which has the results of the audit."""

import json

import pytest

from gem_core.errors import OutputRefused, OutputUnreachable
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results, deliver_ticket
from gem_core.flows.job_files import output_name
from gem_core.flows.manage_jobs import register_job
from gem_core.outcome import Outcome
from gem_core.watch.record import Settlement
from tests.builders import (
    JOB,
    OUTPUT,
    World,
    answer,
    finished,
    job,
    logged,
    matched_file,
    page_answer,
)
from tests.fakes import LIST, START
from tests.flows.build import delivered, settled


def test_a_correct_output_is_valid() -> None:
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


def test_only_a_ticket_starts_a_delivery(caplog: pytest.LogCaptureFixture) -> None:
    """The host hands over whatever blob an event names."""
    world = settled()
    for path in (f"gem-jobs/{JOB}.json", "gem-settled/foo.txt", f"gem-tickets/x/{JOB}.json", ""):
        assert deliver_ticket(world.deliverer, path) is None
        assert logged(caplog, "blob_ignored")[-1]["blob"] == path
    assert not world.queue.sent
    assert deliver_ticket(world.deliverer, f"gem-tickets/{JOB}.json")


def test_a_wrong_statistic_is_a_warning_or_an_error() -> None:
    near = finished()
    near["statistics"] = near["statistics"] | {"roads_matched": "75.5%", "roads_unmatched": "24.5%"}
    assert delivered(settled(near))["data"]["outcome"] == "valid_with_warnings"
    far = finished()
    far["statistics"] = far["statistics"] | {"roads_matched": "95%"}
    assert delivered(settled(far))["data"]["outcome"] == "invalid"


@pytest.mark.parametrize("body", [b"id,gers_id\n1,2\n", b"PAR1" + b"\0" * 40 + b"PAR1"])
def test_an_output_that_is_not_parquet_is_invalid(body: bytes) -> None:
    data = delivered(settled(output=body))["data"]
    assert data["outcome"] == "invalid"
    assert data["checks"]["counts"]["failedError"] >= 1
    assert data["output"]["bytes"] == len(body)


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_failed_or_cancelled_job_has_a_manifest(status: str) -> None:
    world = settled(answer(status))
    event = delivered(world)
    assert event["data"]["outcome"] == status
    assert event["data"]["output"] is None
    assert "subject" not in event
    found = event["data"]["search"]
    assert (found["storageId"], found["name"], found["problem"]) == ("storage-001", OUTPUT, None)
    assert [file["etag"] for file in found["found"]] == ["E1"]


def test_a_failed_job_without_a_file_says_that_it_has_none() -> None:
    world = settled(answer("failed"))
    world.files.held.clear()
    assert delivered(world)["data"]["search"]["found"] == []


def test_a_storage_that_cannot_be_reached_holds_back_no_failed_job() -> None:
    world = settled(answer("failed"))
    world.files.errors[OUTPUT] = OutputUnreachable("403")
    found = delivered(world)["data"]["search"]
    assert (found["found"], found["problem"]) == ([], "403")


def missing(*others: str, **members: object) -> World:
    """A finished job without an output, beside other files."""
    world = World()
    world.settle(finished(**members))
    world.clock.move(world.output_grace)
    for name in others:
        world.files.write(name, b"")
    return world


def test_a_missing_output_says_where_it_was_looked_for_and_what_lies_there() -> None:
    parts = [f"{OUTPUT}/{name}" for name in ("_SUCCESS", "part-0.parquet")]
    others = ["roads-1", "roads.backup", "roads_zzz", "roads_zzzz"]
    not_told = ["roads.parquet", "roads2_matched.parquet", "other.parquet"]
    world = missing(*not_told, *parts, *others, inputFileName="roads.parquet")
    found = delivered(world)["data"]["search"]
    assert found["url"] == f"https://output.example/storage-001/{OUTPUT}"
    assert found["otherNames"] == sorted([*parts, *others])[:5]
    assert (found["found"], found["problem"]) == ([], None)
    assert world.files.listed == [("storage-001", "roads")]


def test_only_the_folder_of_the_output_is_looked_at() -> None:
    world = missing(
        *("out/matched-1", "matched-2", "in/matched-3", "in/roads_4", "out/roads_5"),
        inputFileName="in/roads.parquet", outputFileName="out/matched.parquet",
    )  # fmt: skip
    assert delivered(world)["data"]["search"]["otherNames"] == ["out/matched-1"]


def test_a_list_that_is_refused_is_said() -> None:
    world = missing()
    world.files.errors[LIST] = OutputUnreachable("the list: 403")
    event = delivered(world)
    found = event["data"]["search"]
    assert (found["otherNames"], found["problem"]) == ([], "the list: 403")
    assert event["data"]["outcome"] == "output_missing"


@pytest.mark.parametrize("reason", ["lost", "expired"])
def test_a_lost_or_expired_job_has_a_manifest(reason: str) -> None:
    world = World()
    world.add(JOB)
    stored = world.registry.get(JOB)
    assert stored
    world.registry.replace(stored, stored.record.settled(Settlement(reason), START))
    event = delivered(world)
    assert event["data"]["outcome"] == reason
    assert event["data"]["job"] is None


def test_the_manifest_has_the_labels() -> None:
    world = World()
    world.files.write(OUTPUT, matched_file())
    world.gem.answers[JOB] = [finished()]
    register_job(world.manager, JOB, {"labels": {"team": "Straßen"}})
    check_jobs(world.checker)
    assert delivered(world)["data"]["labels"] == {"team": "Straßen"}


def test_the_output_is_compared_with_its_input() -> None:
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
def test_an_unread_input_does_not_make_the_output_invalid(
    *, input_audit: bool, error: OutputRefused | None, note: str
) -> None:
    world = settled()
    world.input_audit = input_audit
    if error:
        world.files.errors["roads.parquet"] = error
    data = delivered(world)["data"]
    assert data["outcome"] == "valid"
    assert note in data["input"]["note"]


def test_a_job_without_an_input_name_is_audited_without_it() -> None:
    world = settled(finished(inputFileName=None))
    assert "names no input" in delivered(world)["data"]["input"]["note"]


@pytest.mark.parametrize(
    ("fields", "name"),
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
def test_the_output_is_the_file_that_gem_names(fields: dict[str, str], name: str) -> None:
    assert output_name(job("finished", **fields)) == name


@pytest.mark.parametrize("input_name", ["a.PARQUET", "v1.2/a.pq", "a.b.parquet", "a"])
def test_a_name_that_follows_the_pattern_is_judged_by_the_same_pattern(input_name: str) -> None:
    world = settled(finished(outputFileName=None, inputFileName=input_name))
    world.files.write(output_name(job("finished", inputFileName=input_name)), matched_file())
    data = delivered(world)["data"]
    assert data["outcome"] == "valid"


def test_the_documented_answer_gives_the_name_of_the_output() -> None:
    world = World()
    world.settle(page_answer("finished"))
    deliver_results(world.deliverer, JOB)
    assert world.files.opened == [("storage-001", "your_data_matched.parquet")]


def test_impossible_names_are_invalid_and_not_requested() -> None:
    world = settled(finished(outputFileName="../secret"))
    world.files.errors["../secret"] = OutputRefused("more than a plain file name")
    data = delivered(world)["data"]
    assert data["outcome"] == "invalid"
    assert data["output"] is None


def test_a_job_without_any_file_name_is_a_missing_output() -> None:
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
def test_a_file_written_after_the_end_of_the_job_is_reported(
    modified_at: str | None, *, rewritten: bool | None
) -> None:
    world = settled(finished(modifiedAt=modified_at))
    assert delivered(world)["data"]["output"]["rewrittenSinceModifiedAt"] is rewritten


@pytest.mark.parametrize("text", ['"\\ud800"', "1e400"])
def test_any_added_member_of_gem_is_accepted(text: str) -> None:
    world = World()
    world.files.write(OUTPUT, matched_file())
    world.gem.answers[JOB] = [finished(extra=json.loads(text))]
    world.add(JOB)
    check_jobs(world.checker)
    assert delivered(world)["data"]["outcome"] == Outcome.VALID
