"""The message: its content and its id."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from azure.core.messaging import CloudEvent

from gem_core.audit.judging.check import Severity
from gem_core.audit.judging.report import CheckResult
from gem_core.audit.judging.verdict import Verdict
from gem_core.audit.rows.example import Example
from gem_core.deliver import manifest as module
from gem_core.deliver.manifest import manifest, manifest_id
from gem_core.watch.record import Settlement
from tests.builders import JOB, check_manifest, job, new_record
from tests.deliver.build import ID, NO_AUDIT, REPORT, check, event, message, parts, settled
from tests.fakes import START


def test_an_id_is_the_same_for_the_same_registration_output_and_ruleset() -> None:
    same = manifest_id("job-1", START, version="0x8DE1", ruleset="1")
    assert same == manifest_id("job-1", START, version="0x8DE1", ruleset="1")
    assert same == "958f7cc9781872d5f4345147306709c0"  # listeners keep ids
    others = [
        manifest_id("job-2", START, version="0x8DE1", ruleset="1"),
        manifest_id("job-1", START + timedelta.resolution, version="0x8DE1", ruleset="1"),
        manifest_id("job-1", START, version="0x8DE2", ruleset="1"),
        manifest_id("job-1", START, version="0x8DE1", ruleset="2"),
        manifest_id("job-", START, version="10x8DE1", ruleset="1"),
    ]
    assert len({same, *others}) == 6


def test_events_of_two_types_never_have_the_same_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """They have the same source, and an id must be unique for each source."""
    settled_id = manifest_id(JOB, START, version="0x1", ruleset="1")
    monkeypatch.setattr(module, "EVENT_TYPE", "io.gemcourier.job.other.v1")
    assert manifest_id(JOB, START, version="0x1", ruleset="1") != settled_id


def test_the_attributes_are_those_of_a_cloud_event() -> None:
    body = check_manifest(message(settled(), parts(check())).body)
    read: CloudEvent[Any] = CloudEvent.from_dict(body)
    assert read.specversion == "1.0"
    assert read.type == "io.gemcourier.job.settled.v1"
    assert read.source == f"https://gem.example/jobs/{JOB}"
    assert read.subject == "default/roads_matched.parquet"
    assert read.id == ID
    assert read.time == START + timedelta(minutes=3)
    assert read.datacontenttype == "application/json"


def test_without_an_output_there_is_no_subject() -> None:
    body = check_manifest(message(settled(), NO_AUDIT).body)
    assert "subject" not in body
    assert body["data"]["output"] is None


def test_the_data_has_what_is_known() -> None:
    record = replace(settled(region="EU"), labels={"team": "roads"})
    data = check_manifest(message(record, parts()).body)["data"]
    assert data["jobRunId"] == JOB
    assert data["labels"] == {"team": "roads"}
    assert data["job"]["answer"]["region"] == "EU"
    assert data["settlement"]["reason"] == "finished"
    assert data["settlement"]["history"] == [
        {"at": "2026-01-20T10:00:00+00:00", "status": "finished"}
    ]
    assert data["report"] == {"url": REPORT, "page": None}
    assert data["timing"] == {
        "registeredAt": "2026-01-20T10:00:00+00:00",
        "settledAt": "2026-01-20T10:01:00+00:00",
        "auditedAt": "2026-01-20T10:02:00+00:00",
        "delaySeconds": 120.0,
    }
    assert data["cut"] == []


def test_the_job_has_the_same_members_in_every_contract() -> None:
    record = settled(outputFileName="roads_matched.parquet", overtureRelease="2026-01-21.0")
    data = check_manifest(message(record, parts()).body)["data"]
    assert data["contract"] == "x-version-1"
    assert data["drift"] == []
    assert {name: value for name, value in data["job"].items() if name != "answer"} == {
        "status": "finished",
        "inputName": "roads.parquet",
        "outputName": "roads_matched.parquet",
        "storageId": "storage-001",
        "overtureRelease": "2026-01-21.0",
        "matchingType": "road",
        "createdAt": "2026-01-20T10:00:00+00:00",
        "modifiedAt": "2026-01-20T10:00:00+00:00",
        "message": None,
    }
    assert record.job
    assert data["job"]["answer"] == record.job.answer


def test_a_value_outside_the_contract_is_null_and_named() -> None:
    record = new_record().answered(job("paused", overtureRelease=7, modifiedAt=None), START)
    record = record.settled(Settlement.EXPIRED, START)
    data = check_manifest(message(record, NO_AUDIT).body)["data"]
    neutral = ("status", "overtureRelease", "modifiedAt")
    assert [data["job"][name] for name in neutral] == [None] * 3
    assert data["job"]["answer"]["status"] == "paused"
    assert [line.split()[0] for line in data["drift"]] == ["status", "overtureRelease:"]


def test_a_job_without_any_answer_of_gem() -> None:
    lost = new_record().answered_not_found(START).settled(Settlement.LOST, START)
    data = check_manifest(message(lost, NO_AUDIT).body)["data"]
    assert (data["contract"], data["drift"], data["job"]) == (None, [], None)
    assert data["settlement"]["reason"] == "lost"
    assert data["timing"]["auditedAt"] is None


def test_checks_are_counted_and_only_those_that_did_not_pass_are_sent() -> None:
    """A check that was not asked for is only in the report."""
    results = (
        check(Verdict.PASSED, name="a"),
        check(Verdict.PASSED, Severity.INFO, name="b"),
        check(Verdict.FAILED, name="c"),
        check(Verdict.FAILED, Severity.WARNING, name="d"),
        check(Verdict.FAILED, Severity.INFO, name="e"),
        check(Verdict.NOT_RUN, name="f"),
        check(Verdict.NOT_RUN, Severity.WARNING, name="g"),
        check(Verdict.NOT_RUN, name="h", is_asked=False),
    )
    whole = event(settled(), parts(*results))
    counts = {
        "passed": 2,
        "failedError": 1,
        "failedWarning": 1,
        "failedInfo": 1,
        "notRun": 2,
        "notAsked": 1,
    }
    assert whole["data"]["checks"]["counts"] == counts
    assert [line["name"] for line in whole["data"]["checks"]["all"]] == list("abcdefgh")
    sent = check_manifest(manifest(whole, ()).body)["data"]["checks"]
    assert sent["counts"] == counts
    assert [line["name"] for line in sent["notPassed"]] == ["c", "d", "e", "f", "g"]
    assert "all" not in sent


@pytest.mark.parametrize(
    ("result", "complete"),
    [
        (None, True),
        (check(Verdict.PASSED), True),
        (check(Verdict.FAILED), True),
        (check(Verdict.NOT_RUN), False),
        (check(Verdict.NOT_RUN, Severity.WARNING), True),
        (check(Verdict.NOT_RUN, is_asked=False), True),
    ],
)
def test_a_verdict_is_complete_when_every_error_check_that_was_asked_for_did_run(
    result: CheckResult | None, *, complete: bool
) -> None:
    results = [result] if result else []
    data = check_manifest(message(settled(), parts(*results)).body)["data"]
    assert data["checks"]["complete"] is complete


def test_the_report_matches_the_schema() -> None:
    whole = event(settled(), parts(check(Verdict.PASSED), check(examples=(Example(0, "7"),))))
    assert check_manifest(json.dumps(whole))["data"]["checks"]["all"]
