"""Jobs as text: each output fits a terminal of 80 columns, and nothing that people copy is cut."""

import argparse
from datetime import timedelta
from typing import Any

import pytest

from gem_core.__main__ import command_line
from gem_core.commands.job_text import (
    failed_checks,
    job_lines,
    jobs_table,
    poison_table,
    trouble_table,
)
from tests.fakes import START

NOW = START + timedelta(days=3, hours=20)
UUID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
LONG = "GEM answered 500: the server is busy, and this sentence has no end " * 3


def listed(**members: object) -> dict[str, Any]:
    return {
        "jobRunId": UUID,
        "stage": "watching",
        "status": None,
        "outcome": None,
        "changedAt": START.isoformat(),
        "labels": {},
        "progress": None,
    } | members


def test_a_job_in_a_list_shows_what_is_known() -> None:
    jobs = [
        listed(jobRunId="a"),
        listed(jobRunId="b", status="running", progress=40.0, labels={"team": "maps"}),
        listed(jobRunId="c", stage="settled", status="finished", progress=100.0),
        listed(jobRunId="d", stage="delivered", status="finished", outcome="valid_with_warnings"),
        listed(jobRunId="e", labels=None),
    ]
    assert jobs_table(jobs, NOW, width=80) == [
        "JOB  STATE                           CHANGED  LABELS",
        "a    watching                        3d 20h   -",
        "b    watching: running 40%           3d 20h   team=maps",
        "c    settled: finished               3d 20h   -",
        "d    delivered: valid_with_warnings  3d 20h   -",
        "e    watching                        3d 20h   -",
    ]


def shown(**members: object) -> dict[str, Any]:
    return {
        "jobRunId": UUID,
        "stage": "delivered",
        "settlement": "finished",
        "settledAt": START.isoformat(),
        "deliveredAt": START.isoformat(),
        "registeredAt": START.isoformat(),
        "attempts": None,
        "outcome": "invalid",
        "labels": {f"name-{number}": "a value of some length" for number in range(9)},
        "expectedInputName": "roads.parquet",
        "timesChecked": 7,
        "checkedAt": START.isoformat(),
        "failures": 0,
        "notFound": 0,
        "lastProblem": LONG,
        "sentTo": {"gem-results": START.isoformat()},
        "lastAnswer": None,
        "contract": None,
        "history": [{"at": START.isoformat(), "status": "running"}],
        "manifestId": "91f4aef0ee1a1ea234aa1c41006641af",
        "reportUrl": f"https://state.blob.core.windows.net/gem-reports/{UUID}/9/report.json",
    } | members


def test_a_shown_job_names_its_failed_checks() -> None:
    manifest = {
        "data": {
            "checks": {
                "notPassed": [
                    {"name": "status_values", "severity": "error", "verdict": "failed"},
                    {"name": "road_count", "severity": "error", "verdict": "not_run"},
                    {"name": "no_extra_columns", "severity": "warning", "verdict": "failed"},
                ]
            }
        }
    }
    failed = failed_checks(manifest)
    lines = job_lines(shown(), failed, NOW, width=80)
    assert "  failed      error status_values, warning no_extra_columns" in lines
    assert failed_checks({"data": {"checks": None}}) == failed_checks({}) == []


def test_every_text_fits_80_columns() -> None:
    """But for a word that is longer: people copy it, so it is not broken."""
    trouble = listed(trouble="not_answered", since=START.isoformat(), problem=LONG)
    poison = {
        "jobRunId": UUID,
        "isBatch": False,
        "stage": "settled",
        "tickets": 12,
        "since": START.isoformat(),
        "expiresAt": (NOW + timedelta(days=4)).isoformat(),
        "queue": "webjobs-blobtrigger-poison",
        "text": "",
        "jobRunIds": [],
    }
    delivered = listed(stage="delivered", outcome="valid_with_warnings", labels={"team": "m" * 99})
    lines = [
        *jobs_table([delivered], NOW, width=80),
        *trouble_table([trouble], NOW, width=80),
        *poison_table([poison], NOW, width=80),
        *job_lines(shown(), ["error status_values"] * 20, NOW, width=80),
    ]
    assert max(map(len, lines)) > 70
    for line in lines:
        assert len(line) <= 80 or len(line.split()) <= 2, line


def commands(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """The parser and those of all its commands."""
    found = [parser]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found += [part for each in action.choices.values() for part in commands(each)]
    return found


def test_every_help_fits_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for parser in commands(command_line()):
        for line in parser.format_help().splitlines():
            assert len(line) <= 80, (parser.prog, line)
