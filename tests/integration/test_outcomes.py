"""Each outcome on real storage: registered over HTTP, found by the timer, delivered by a ticket."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from azure.core.messaging import CloudEvent

from devkit.simulator import LIVES, Life, OutputFault
from gem_core.audit.judging.checks import CHECKS
from gem_core.storage.names import OUTBOX
from tests.builders import check_manifest
from tests.integration.courier import Courier, add_job_of_unknown_status, failed_checks, wait_for

PAGE = Path(__file__).resolve().parent.parent / "data" / "gem"


def broken(fault: OutputFault) -> Life:
    """A job that finishes well and writes an output with one fault."""
    return replace(LIVES["clean"], output_fault=fault)


STORIES: dict[str, tuple[Life, str, set[str]]] = {
    "clean": (LIVES["clean"], "valid", set()),
    "late-output": (LIVES["late_output"], "valid", set()),
    "flaky": (LIVES["flaky"], "valid", set()),
    "token-expiring": (LIVES["token_expiring"], "valid", set()),
    "unknown-status": (LIVES["clean"], "valid", set()),  # at the end
    "warnings": (
        LIVES["warnings"],
        "valid_with_warnings",
        {"name_pattern", "confidence_threshold"},
    ),
    "wrong-statistics": (
        LIVES["wrong_statistics"],
        "invalid",
        {
            "matched_share_close",
            "matched_share_exact",
            "unmatched_share_close",
            "unmatched_share_exact",
        },
    ),
    "bad-rows": (LIVES["bad_rows"], "invalid", {"gers_id_on_matched"}),
    "output-missing": (LIVES["output_missing"], "output_missing", set()),
    "failed": (LIVES["failed"], "failed", set()),
    "cancelled": (LIVES["cancelled"], "cancelled", set()),
    "vanishing": (LIVES["vanishing"], "lost", set()),
    # Bad input at the door of the audit: a clear check each, and nothing lost.
    "empty": (broken(OutputFault.EMPTY), "invalid", {"not_empty"}),
    "truncated": (broken(OutputFault.TRUNCATED), "invalid", {"magic_bytes"}),
    "csv": (broken(OutputFault.CSV), "invalid", {"magic_bytes"}),
    "column-missing": (
        broken(OutputFault.COLUMN_MISSING),
        "invalid",
        {"confidence_column"},
    ),
    "percent": (
        broken(OutputFault.CONFIDENCE_IN_PERCENT),
        "invalid",
        {"confidence_column"},
    ),
    "rows-lost": (
        broken(OutputFault.ROWS_LOST),
        "invalid",
        # The rows that are left have another share of matches than GEM counted.
        {
            "input_ids_kept",
            "road_count",
            "matched_share_exact",
            "unmatched_share_exact",
        },
    ),
    "ids-invented": (
        broken(OutputFault.IDS_INVENTED),
        "invalid",
        {"input_ids_kept", "no_extra_ids"},
    ),
}


@pytest.fixture(scope="module")
def manifests(courier: Courier) -> dict[str, list[dict[str, Any]]]:
    """All jobs at once; every event of each. The unknown status lasts until it was seen."""
    simulator, odd = courier.up.simulator, "job-unknown-status"
    for name, (life, _, _) in STORIES.items():
        if f"job-{name}" == odd:
            add_job_of_unknown_status(simulator, odd)
        else:
            simulator.add_job(f"job-{name}", life)
        courier.register(f"job-{name}", labels={"story": name})
    drifted = f'"event": "job_drifted", "job_run_id": "{odd}"'
    wait_for(lambda: drifted in courier.log() or None, what="a drift")
    simulator.add_job(odd, STORIES["unknown-status"][0])
    return {name: courier.events_of(f"job-{name}") for name in STORIES}


@pytest.mark.parametrize("name", STORIES)
def test_each_story_has_its_outcome_and_reasons(
    manifests: dict[str, list[dict[str, Any]]], name: str
) -> None:
    """The right outcome, for the right reasons, with the labels of the registration."""
    _, outcome, failed = STORIES[name]
    event = manifests[name][0]
    assert (event["data"]["outcome"], failed_checks(event)) == (outcome, failed)
    assert event["data"]["labels"] == {"story": name}


@pytest.mark.parametrize("name", STORIES)
def test_a_manifest_decodes_as_a_cloud_event(
    manifests: dict[str, list[dict[str, Any]]], name: str
) -> None:
    """Microsoft's own class takes it, and finds what it needs."""
    event: CloudEvent[Any] = CloudEvent.from_dict(manifests[name][0])
    assert event.type == "io.gemcourier.job.settled.v1"
    assert event.source.endswith(f"/jobs/job-{name}")
    assert event.time is not None


@pytest.mark.parametrize("name", STORIES)
def test_the_record_says_the_same(
    courier: Courier, manifests: dict[str, list[dict[str, Any]]], name: str
) -> None:
    """The job is delivered, with the manifest's id, and the manifest is in the outbox."""
    record = courier.delivered(f"job-{name}")
    assert record["manifestId"] == manifests[name][0]["id"]
    assert record["outcome"] == manifests[name][0]["data"]["outcome"]
    assert f"job-{name}/{record['manifestId']}.json" in courier.names(OUTBOX)


def test_the_report_holds_every_check(
    courier: Courier, manifests: dict[str, list[dict[str, Any]]]
) -> None:
    """The report is the same event, whole."""
    event = manifests["bad-rows"][0]
    report = check_manifest(courier.blob(event["data"]["report"]["url"]).decode())
    assert [check["name"] for check in report["data"]["checks"]["all"]] == [c.name for c in CHECKS]
    assert report["id"] == event["id"]
    offending = {c["name"]: c for c in event["data"]["checks"]["notPassed"]}["gers_id_on_matched"]
    assert offending["offending"] > 0
    assert offending["examples"]


def test_failing_rows_are_stored(
    courier: Courier, manifests: dict[str, list[dict[str, Any]]]
) -> None:
    """All of them, beyond the examples of the report; a valid output has none."""
    event = manifests["bad-rows"][0]
    checks = {check["name"]: check for check in event["data"]["checks"]["notPassed"]}
    file = courier.blob(event["data"]["report"]["failures"])
    rows = pq.read_table(pa.BufferReader(file)).to_pylist()
    found = [row for row in rows if row["check"] == "gers_id_on_matched"]
    assert len(found) == min(1000, checks["gers_id_on_matched"]["offending"])
    shown = [(each["row"], each["id"]) for each in checks["gers_id_on_matched"]["examples"]]
    assert [(row["row"], row["id"]) for row in found[: len(shown)]] == shown
    assert "failures" not in manifests["clean"][0]["data"]["report"]


def test_no_secret_is_in_the_logs(
    courier: Courier, manifests: dict[str, list[dict[str, Any]]]
) -> None:
    """Neither in the app's log nor in any message."""
    up = courier.up
    texts = courier.log() + json.dumps(manifests)
    account_key = up.azurite.connection_string.partition("AccountKey=")[2].partition(";")[0]
    for secret in (up.simulator.api_key, up.simulator.token, account_key):
        assert secret not in texts


def test_page_answer_byte_for_byte(courier: Courier) -> None:
    """The documented answer itself drives a job to its end, and its statistics are compared."""
    job = "job-abc123-def456"
    courier.up.simulator.add_job(job, LIVES["page"], rows=32_456)
    courier.register(job)
    event = courier.events_of(job)[0]
    data = event["data"]
    page = json.loads((PAGE / "finished.json").read_text("utf-8"))
    assert data["job"]["answer"] == page
    assert data["statistics"]["reported"] == page["statistics"]
    assert data["statistics"]["compared"]["matchedShare"]["verdict"] == "passed"
    assert data["output"]["rows"] == page["statistics"]["num_roads_processed"]
    assert round(data["match"]["roads"]["shareMatched"] * 100, 1) == 84.7
    assert data["outcome"] == "valid"
