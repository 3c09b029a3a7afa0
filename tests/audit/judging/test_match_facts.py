"""Roads and matches are counted apart; what cannot be counted is unknown, and never guessed."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from gem_core.audit.judging.report_json import report_to_json
from gem_core.audit.reading.source import Source
from tests.audit.build import MATCHED_ROWS, ROWS, audited, changed, job, matched_table, write_bytes
from tests.audit.judging.json_of import plain


def test_the_match_has_its_rows_roads_and_confidences(tmp_path: Path) -> None:
    values = [0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0]
    table = matched_table(match_confidence=pa.array(values + [None] * 3))
    found = plain(report_to_json(audited(tmp_path, table)))["match"]
    assert found == {
        "matches": MATCHED_ROWS,
        "rowsWithoutMatch": 3,
        "roads": {
            "total": ROWS,
            "matched": MATCHED_ROWS,
            "unmatched": 3,
            "shareMatched": 0.75,
            "shareUnmatched": 0.25,
        },
        "confidence": {
            "scale": "0 to 1",
            "count": 9,
            "min": 0.6,
            "mean": pytest.approx(0.8),
            "max": 1.0,
            "quantiles": {
                "p01": 0.6,
                "p05": 0.6,
                "p25": 0.7,
                "p50": 0.8,
                "p75": 0.9,
                "p95": 1.0,
                "p99": 1.0,
            },
            "histogram": [0] * 12 + [1] * 7 + [2],
        },
    }


def match_of(folder: Path, table: pa.Table) -> dict[str, Any]:
    found: dict[str, Any] = plain(report_to_json(audited(folder, table)))["match"]
    return found


def test_roads_and_matches_are_counted_apart(tmp_path: Path) -> None:
    """Two rows of one id are two matches of one road; an id with any match is a matched road."""
    table = changed(matched_table(), "id", r1=100, r9=100)
    found = match_of(tmp_path, table)
    assert (found["matches"], found["rowsWithoutMatch"]) == (9, 3)
    assert found["roads"] == {
        "total": 10,
        "matched": 8,
        "unmatched": 2,
        "shareMatched": 0.8,
        "shareUnmatched": 0.2,
    }


def test_roads_are_unknown_without_usable_ids_and_matches_are_not(tmp_path: Path) -> None:
    found = match_of(tmp_path, matched_table(id=None))
    assert (found["matches"], found["rowsWithoutMatch"]) == (9, 3)
    assert set(found["roads"].values()) == {None}


def test_matches_are_unknown_without_a_usable_status_and_the_number_of_roads_is_not(
    tmp_path: Path,
) -> None:
    found = match_of(tmp_path, matched_table(match_status=None))
    assert (found["matches"], found["rowsWithoutMatch"], found["confidence"]) == (None, None, None)
    assert found["roads"] == {
        "total": ROWS,
        "matched": None,
        "unmatched": None,
        "shareMatched": None,
        "shareUnmatched": None,
    }


def test_reported_and_counted_statistics_stand_side_by_side(tmp_path: Path) -> None:
    table = changed(matched_table(), "match_confidence", r0=0.1)
    found = plain(report_to_json(audited(tmp_path, table, of=job({"roads_matched": "80%"}))))[
        "statistics"
    ]
    assert found["reported"]["roads_matched"] == "80%"
    assert found["reported"]["execution_time_sec"] == 9751.75
    assert found["counted"] == {
        "roads": {"rows": 12, "ids": 12},
        "matchedShare": {"rows": 0.75, "ids": 0.75},
        "unmatchedShare": {"rows": 0.25, "ids": 0.25},
        "rowsBelowThreshold": 1,
    }
    assert found["compared"]["roads"] == {"verdict": "passed", "detail": "agreed by rows"}
    verdicts = {role: compared["verdict"] for role, compared in found["compared"].items()}
    assert verdicts == {
        "roads": "passed",
        "matchedShare": "failed",
        "unmatchedShare": "passed",
        "confidenceThreshold": "failed",
    }


def test_what_cannot_be_counted_is_null(tmp_path: Path) -> None:
    def counted(output: pa.Table | Source, statistics: dict[str, Any] | None = None) -> object:
        report = audited(tmp_path, output, of=job(statistics))
        return plain(report_to_json(report))["statistics"]["counted"]

    nothing = {"rows": None, "ids": None}
    assert counted(write_bytes(tmp_path, b"id,gers_id\n")) == {
        "roads": nothing,
        "matchedShare": nothing,
        "unmatchedShare": nothing,
        "rowsBelowThreshold": None,
    }
    assert counted(matched_table(id=None), {"confidence_threshold": None}) == {
        "roads": {"rows": 12, "ids": None},
        "matchedShare": {"rows": 0.75, "ids": None},
        "unmatchedShare": {"rows": 0.25, "ids": None},
        "rowsBelowThreshold": None,
    }
