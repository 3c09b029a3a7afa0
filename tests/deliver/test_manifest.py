"""The message: what it says, and what its id is made of."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from azure.core.messaging import CloudEvent

from gem_core.deliver.manifest import AuditParts, manifest, manifest_id
from gem_core.watch.record import Settlement
from tests.builders import JOB, check_manifest, new_record
from tests.deliver.build import ID, REPORT, check, event, findings, message, settled
from tests.fakes import START


def test_an_id_is_the_same_for_the_same_registration_output_and_ruleset() -> None:
    same = manifest_id("job-1", START, version="0x8DE1", ruleset="1")
    assert same == manifest_id("job-1", START, version="0x8DE1", ruleset="1")
    assert same == "4fc2e67027e41dcf260969092e48b1b3"  # listeners keep ids
    others = [
        manifest_id("job-2", START, version="0x8DE1", ruleset="1"),
        manifest_id("job-1", START + timedelta.resolution, version="0x8DE1", ruleset="1"),
        manifest_id("job-1", START, version="0x8DE2", ruleset="1"),
        manifest_id("job-1", START, version="0x8DE1", ruleset="2"),
        manifest_id("job-", START, version="10x8DE1", ruleset="1"),
    ]
    assert len({same, *others}) == 6


def test_the_attributes_are_those_of_a_cloud_event() -> None:
    body = check_manifest(message(settled(), findings(checks=(check(),))).body)
    told: CloudEvent[Any] = CloudEvent.from_dict(body)
    assert told.specversion == "1.0"
    assert told.type == "io.gemcourier.job.settled.v1"
    assert told.source == f"https://gem.example/jobs/{JOB}"
    assert told.subject == "default/roads_matched.parquet"
    assert told.id == ID
    assert told.time == START + timedelta(minutes=3)
    assert told.datacontenttype == "application/json"


def test_without_an_output_there_is_no_subject() -> None:
    body = check_manifest(message(settled(), AuditParts(subject="")).body)
    assert "subject" not in body
    assert body["data"]["output"] is None


def test_the_data_tells_what_is_known() -> None:
    record = replace(settled(region="EU"), labels={"team": "roads"})
    data = check_manifest(message(record, findings()).body)["data"]
    assert data["jobRunId"] == JOB
    assert data["labels"] == {"team": "roads"}
    assert data["job"]["region"] == "EU"
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


def test_a_job_that_gem_never_told_of() -> None:
    lost = new_record().answered_not_found(START).settled(Settlement.LOST, START)
    data = check_manifest(message(lost, AuditParts(subject="")).body)["data"]
    assert data["job"] is None
    assert data["settlement"]["reason"] == "lost"
    assert data["timing"]["auditedAt"] is None


def test_checks_are_counted_and_only_those_that_did_not_pass_are_sent() -> None:
    """Not the one that nobody asked for, which the report has."""
    checks = (
        check("passed", "error", name="a"),
        check("passed", "info", name="b"),
        check("failed", "error", name="c"),
        check("failed", "warning", name="d"),
        check("failed", "info", name="e"),
        check("not_run", "error", name="f"),
        check("not_run", "warning", name="g"),
        check("not_run", "error", name="h", asked=False),
    )
    whole = event(settled(), findings(checks=checks))
    counts = {
        "passed": 2,
        "failedError": 1,
        "failedWarning": 1,
        "failedInfo": 1,
        "notRun": 2,
        "notAsked": 1,
    }
    assert whole["data"]["checks"]["counts"] == counts
    assert whole["data"]["checks"]["all"] == list(checks)
    sent = check_manifest(manifest(whole).body)["data"]["checks"]
    assert sent["counts"] == counts
    assert [line["name"] for line in sent["notPassed"]] == ["c", "d", "e", "f", "g"]
    assert "all" not in sent
    assert "all" in whole["data"]["checks"]
