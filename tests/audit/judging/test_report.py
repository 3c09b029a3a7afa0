"""The report as JSON: what the manifest takes over."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from gem_core.audit.against_input.values import ValueFacts
from gem_core.audit.audit import audit
from gem_core.audit.child.frames import MAX_JSON_BYTES
from gem_core.audit.judging.checks import CHECKS
from gem_core.audit.judging.report import Report, judge
from gem_core.audit.judging.report_json import MAX_COLUMNS, MAX_DIFFERENCES, report_to_json
from gem_core.audit.judging.ruleset import RULESET
from gem_core.audit.judging.verdict import Verdict
from gem_core.audit.options import AuditOptions
from gem_core.audit.rows.example import EXAMPLES, Example
from gem_core.audit.rows.offenders import Offenders
from tests.audit import bombs
from tests.audit.build import (
    LINEAR,
    OVERTURE,
    ROWS,
    audited,
    changed,
    job,
    matched_table,
    write_bytes,
)
from tests.audit.judging.json_of import plain

SIGN = "\U0001f6e3"
"""Takes twelve bytes of JSON, the most that a character can take."""


def test_the_report_has_the_parts_of_a_manifest(tmp_path: Path) -> None:
    report = audited(tmp_path, matched_table())
    found = plain(report_to_json(report))
    assert list(found) == [
        "outcome",
        "output",
        "input",
        "match",
        "statistics",
        "checks",
        "drift",
        "reading",
    ]
    assert (found["checks"]["ruleset"], found["outcome"], report.rows) == (RULESET, "valid", ROWS)
    assert found["drift"] == []
    assert found["output"] == {
        "layout": "x-version-1",
        "bytes": (tmp_path / "roads_matched.parquet").stat().st_size,
        "rows": ROWS,
        "rowGroups": 1,
        "columnCount": 6,
        "columns": [
            {"name": "id", "type": "int64"},
            {"name": "is_navigable", "type": "bool"},
            {"name": "geometry", "type": "string"},
            {"name": "gers_id", "type": "string"},
            {"name": "match_confidence", "type": "double"},
            {"name": "match_status", "type": "string"},
        ],
    }
    assert found["reading"] == {
        "bytesRead": found["output"]["bytes"],
        "requests": 1,
        "threads": 1,
    }
    assert found["input"]["idsCompared"]
    assert found["input"]["columnsCompared"]


def not_asked(report: Report) -> set[str]:
    return {
        line["name"]
        for line in report_to_json(report)["checks"]["all"]
        if not line.get("asked", True)
    }


def test_what_nobody_requested_is_marked_as_such(tmp_path: Path) -> None:
    report = audited(tmp_path, matched_table())
    of_values = {"input_values_kept", "input_rows_paired"}
    assert not_asked(report) == {"input_as_registered"} | of_values | LINEAR | OVERTURE
    report = audited(tmp_path, matched_table(), with_values=True)
    assert not_asked(report) == {"input_as_registered"} | LINEAR | OVERTURE


@pytest.mark.parametrize("expected", ["roads.parquet", "other.parquet"])
def test_what_was_asked_for_and_not_found_out_is_no_such_thing(
    tmp_path: Path, expected: str
) -> None:
    facts = audited(tmp_path, matched_table()[:0].drop_columns(["id"]), with_values=True).facts
    report = judge(replace(facts, expected_input=expected), bytes_read=0, requests=0)
    assert {line.verdict for line in report.checks if line.name == "input_values_kept"} == {
        Verdict.NOT_RUN
    }
    assert not_asked(report) == LINEAR | OVERTURE


@pytest.mark.parametrize("with_values", [False, True])
def test_a_broken_output_changes_nothing_about_what_was_asked(
    tmp_path: Path, *, with_values: bool
) -> None:
    options = AuditOptions(with_values=with_values)
    output = write_bytes(tmp_path, bombs.newer_encoding())
    report = audit(output, job(), input_source=None, options=options)
    assert report.facts.broken_off
    assert ("input_values_kept" in not_asked(report)) is not with_values


def test_a_check_in_json_has_all_that_was_found(tmp_path: Path) -> None:
    report = audited(tmp_path, changed(matched_table(), "id", r3=None))
    found = plain(report_to_json(report))["checks"]["all"]
    assert [line["name"] for line in found] == [check.name for check in CHECKS]
    lines = {line["name"]: line for line in found}
    assert lines["id_present"] == {
        "name": "id_present",
        "severity": "error",
        "verdict": "failed",
        "title": "Every row has an id.",
        "detail": "1 of 12 rows",
        "offending": 1,
        "examples": [{"row": 3}],
    }
    assert lines["input_ids_kept"]["examples"] == [{"id": "103"}]
    assert set(lines["exists"]) == {"name", "severity", "verdict", "title"}


def test_figures_that_json_has_not_become_text(tmp_path: Path) -> None:
    odd = {"kms_processed": float("nan"), "more": {"list": [float("inf"), 1.5, None]}}
    report = audited(tmp_path, matched_table(), of=job(odd))
    found = plain(report_to_json(report))["statistics"]["reported"]
    assert found["kms_processed"] == "nan"
    assert found["more"] == {"list": ["inf", 1.5, None]}


def test_many_long_columns_take_a_bounded_part_of_a_report(tmp_path: Path) -> None:
    """The child sends its report in one message, which may not be longer than `MAX_JSON_BYTES`."""
    names = [f"{SIGN * 250}{number}" for number in range(MAX_COLUMNS + 1)]
    table = matched_table()
    for name in names:
        table = table.append_column(name, table.column("id"))
    offenders = Offenders(9, (Example(1, SIGN * 100),) * EXAMPLES)
    values = ValueFacts(rows=9, columns=dict.fromkeys(names, offenders))
    report = audited(tmp_path, table)
    report = replace(report, facts=replace(report.facts, values=values))
    found = plain(report_to_json(report))
    assert found["output"]["columnCount"] == MAX_COLUMNS + 7
    assert len(found["output"]["columns"]) == MAX_COLUMNS
    assert found["output"]["columns"][-1] == {"name": SIGN * 200, "type": "int64"}
    assert found["input"]["differenceCount"] == MAX_COLUMNS + 1
    assert len(found["input"]["differences"]) == MAX_DIFFERENCES
    longest_types = len(json.dumps(SIGN * 200)) * MAX_COLUMNS
    assert len(json.dumps(found)) + longest_types < MAX_JSON_BYTES


def test_an_unreadable_output_has_no_facts(tmp_path: Path) -> None:
    report = audited(tmp_path, write_bytes(tmp_path, b"id,gers_id\n"))
    found = plain(report_to_json(report))
    assert report.rows is None
    assert found["output"] == {
        "layout": None,
        "bytes": 11,
        "rows": None,
        "rowGroups": None,
        "columnCount": None,
        "columns": None,
    }
    assert found["match"] is None
    assert found["checks"]["complete"] is False


def test_an_output_without_rows_has_no_shares(tmp_path: Path) -> None:
    nothing = matched_table().schema.empty_table()
    found = plain(report_to_json(audited(tmp_path, nothing)))["match"]
    assert (found["matches"], found["roads"]["shareMatched"]) == (0, None)
    assert found["confidence"]["quantiles"] == {}


def test_an_output_without_confidences_has_no_distribution(tmp_path: Path) -> None:
    found = plain(report_to_json(audited(tmp_path, matched_table(match_confidence=None))))
    assert found["match"]["confidence"] is None


def test_the_share_that_alerts_use(tmp_path: Path) -> None:
    def share(table: pa.Table) -> float | None:
        return audited(tmp_path, table).share_matched

    assert share(matched_table()) == 0.75
    assert share(matched_table(matched=0)) == 0
    assert share(matched_table(match_status=None)) is None
    assert share(matched_table().schema.empty_table()) is None
    assert audited(tmp_path, write_bytes(tmp_path, b"id,gers_id\n")).share_matched is None
