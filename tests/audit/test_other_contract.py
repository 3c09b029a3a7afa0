"""The audit knows columns by their role: an output in another contract is judged the same."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from gem_core.audit.judging.report import Report
from gem_core.gem.contracts import known
from gem_core.gem.contracts.figures import Figures
from gem_core.gem.contracts.layout import Column, ColumnType, Layout, Role, Scale
from gem_core.gem.contracts.members import Shares, Statistic
from gem_core.gem.contracts.x_version_1 import X_VERSION_1
from gem_core.gem.job import GemJob
from gem_core.outcome import Outcome
from gem_core.page.survey import survey
from tests.audit.build import (
    STATISTICS,
    audited,
    changed,
    job,
    matched_table,
    promises_for,
    write,
)

NAMES = {"gers_id": "segment", "match_confidence": "score", "match_status": "state"}
WORDS = {"matched": "yes", "unmatched": "no", None: None, "maybe": "maybe"}
OTHER = replace(
    X_VERSION_1,
    name="other",
    layout=Layout(
        name="other",
        marks=("segment", "score", "state"),
        columns={
            Role.ID: Column("id", ColumnType.INTEGER_OR_TEXT),
            Role.GERS_ID: Column("segment", ColumnType.TEXT),
            Role.CONFIDENCE: Column("score", ColumnType.FLOAT),
            Role.STATUS: Column("state", ColumnType.TEXT),
        },
        matched=("yes",),
        unmatched=("no",),
        scale=Scale.UNIT,
        keeps_input=True,
    ),
    figures=Figures(
        "other", {statistic: f"x_{statistic}" for statistic in Statistic}, Shares.PERCENT_TEXT
    ),
)


def in_other(table: pa.Table) -> pa.Table:
    """The same output in the words of the other contract."""
    words = [WORDS[word] for word in table.column("match_status").to_pylist()]
    place = table.schema.get_field_index("match_status")
    return table.set_column(place, "match_status", pa.array(words)).rename_columns(
        [NAMES.get(name, name) for name in table.schema.names]
    )


def in_other_words(of: GemJob) -> GemJob:
    figures = {f"x_{role}": of.statistics[name] for role, name in X_VERSION_1.figures.names.items()}
    return replace(
        of,
        contract="other",
        statistics=figures,
        input_name="roads_matched",
        output_name="roads_matched.out",
        promised_output="roads_matched.out",
    )


def verdicts(report: Report) -> dict[str, str]:
    return {line.name: str(line.verdict) for line in report.checks}


@pytest.mark.parametrize(
    "table",
    [
        matched_table(),
        matched_table(match_confidence=None),
        changed(matched_table(), "match_status", r2="maybe", r4=None),
        changed(matched_table(), "gers_id", r0=None, r10="08f2830d"),
        changed(matched_table(), "match_confidence", r1=0.2, r3=1.5),
        changed(matched_table(), "id", r5=None, r6=100),
    ],
    ids=["right", "no confidence", "status", "gers id", "confidence", "id"],
)
def test_the_verdicts_are_the_same(
    tmp_path: Path, table: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(known.CONTRACTS, "other", OTHER)
    input_ = audited(tmp_path, table, with_values=True)
    output = write(tmp_path, in_other(table), "roads_matched.out")
    other = audited(tmp_path, output, of=in_other_words(job()), with_values=True)
    assert verdicts(other) == verdicts(input_)
    assert (other.outcome, other.share_matched) == (input_.outcome, input_.share_matched)
    again = survey(output, promises_for(other.facts.job, in_other(table)), with_map=True)
    assert again == replace(
        survey(write(tmp_path, table), promises_for(job(), table), with_map=True),
        bytes_read=again.bytes_read,
    )


def test_reasons_have_the_names_of_the_jobs_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(known.CONTRACTS, "other", OTHER)
    of = in_other_words(job(dict.fromkeys(STATISTICS)))
    output = in_other(matched_table(match_confidence=None))
    report = audited(tmp_path, write(tmp_path, output, "roads_matched.out"), of=of)
    details = {line.name: line.judgement.detail for line in report.checks}
    assert report.outcome is Outcome.INVALID
    assert details["confidence_column"] == "there is no column score"
    assert details["confidence_range"] == "there is no column score"
    assert details["road_count"] == "the job's statistics have no x_roads"
