"""An input that is absent, unreadable or lost fails nothing, and the report says why."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from gem_core.audit.audit import audit
from gem_core.audit.judging.report_json import report_to_json
from gem_core.audit.judging.verdict import Verdict
from gem_core.errors import OutputError
from tests.audit.build import (
    ROWS,
    audited,
    input_table,
    job,
    large,
    matched_table,
    write,
    write_bytes,
)
from tests.audit.lines import ERRORS, ID_CHECKS, INPUT_CHECKS, line_of, lines
from tests.audit.reading.memory_source import MemorySource


def test_no_input_and_no_reason_has_a_reason(tmp_path: Path) -> None:
    report = audit(write(tmp_path, matched_table()), job(), input_source=None)
    assert set(lines(report, Verdict.NOT_RUN).values()) == {
        "there is no input file to compare with"
    }


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_input_that_cannot_be_opened_fails_nothing(tmp_path: Path, error: OutputError) -> None:
    report = audited(tmp_path, matched_table(), input_=MemorySource(b"x" * 99, error))
    assert report.outcome == "valid"
    unknown = lines(report, Verdict.NOT_RUN)
    assert unknown == dict.fromkeys(INPUT_CHECKS, f"the input could not be read: {error}")


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_input_that_is_lost_on_the_way_fails_nothing(tmp_path: Path, error: OutputError) -> None:
    table = large(input_table(30_000)).append_column("more", large(input_table(30_000)).column(2))
    data = write(tmp_path, table, compression="none", row_group_size=9_000).path.read_bytes()
    report = audited(tmp_path, matched_table(), input_=MemorySource(data, error, 3))
    unknown = lines(report, Verdict.NOT_RUN)
    assert unknown == dict.fromkeys(ID_CHECKS, f"the input could not be read to its end: {error}")
    assert report.failed() == {"input_columns_kept"}


def test_an_input_that_is_no_parquet_fails_nothing(tmp_path: Path) -> None:
    input_ = write_bytes(tmp_path, b"id\n1\n", "roads.parquet")
    report = audited(tmp_path, matched_table(), input_=input_)
    assert report.outcome == "valid"
    unknown = lines(report, Verdict.NOT_RUN)
    assert set(unknown) == INPUT_CHECKS
    assert all(text.startswith("the input is not readable Parquet") for text in unknown.values())


def test_an_input_with_broken_data_fails_nothing(tmp_path: Path) -> None:
    data = bytearray(write(tmp_path, input_table()).path.read_bytes())
    data[4:30] = bytes(26)
    input_ = write_bytes(tmp_path, bytes(data), "roads.parquet")
    report = audited(tmp_path, matched_table(), input_=input_)
    assert report.outcome == "valid"
    unknown = lines(report, Verdict.NOT_RUN)
    assert set(unknown) == ID_CHECKS
    assert all(text.startswith("the input's data is broken") for text in unknown.values())
    found = report_to_json(report)["input"]
    assert found["note"].startswith("the input's data is broken")
    assert (found["idsCompared"], found["valuesCompared"]) == (False, False)
    assert found["requests"] > 0


@pytest.mark.parametrize(
    ("id_", "why"),
    [(None, "there is no column id"), (pa.array([1.5] * ROWS), "id is double")],
)
def test_an_input_without_usable_ids_is_compared_by_columns(
    tmp_path: Path, id_: pa.Array | None, why: str
) -> None:
    report = audited(tmp_path, matched_table(), input_=input_table(id=id_))
    unknown = lines(report, Verdict.NOT_RUN)
    assert set(unknown) == ID_CHECKS
    assert all(why in text for text in unknown.values())
    assert report.failed() == {"no_extra_columns" if id_ is None else "input_types_kept"}


@pytest.mark.parametrize(
    ("expected", "found", "verdict"),
    [
        ("roads.parquet", "roads.parquet", Verdict.PASSED),
        ("streets.parquet", "roads.parquet", Verdict.FAILED),
        ("roads.parquet", None, Verdict.NOT_RUN),
        (None, "roads.parquet", Verdict.NOT_RUN),
    ],
)
def test_the_input_is_held_against_the_registration(
    tmp_path: Path, expected: str | None, found: str | None, verdict: Verdict
) -> None:
    of = replace(job(), input_name=found)
    output = write(tmp_path, matched_table())
    report = audit(output, of, input_source=None, expected_input=expected)
    line = line_of(report, "input_as_registered")
    assert line.verdict is verdict


def test_text_ids_for_an_input_of_integers_are_the_same_ids(tmp_path: Path) -> None:
    texts = pa.array([str(100 + n) for n in range(ROWS)])
    report = audited(tmp_path, matched_table(id=texts))
    assert report.failed() == {"input_types_kept"}
    assert report_to_json(report)["input"]["idsCompared"]
