"""`audit --failures`: failing rows as a Parquet file, in a child and in this process."""

from pathlib import Path
from unittest.mock import Mock

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gem_core.__main__ import main
from gem_core.audit.child import failures, in_process
from gem_core.audit.judging.report import Report
from gem_core.audit.rows.example import EXAMPLES
from tests.audit.build import audited, input_table, job, matched_table, write

ROWS = 1_200


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """An output of which each second confidence is out of range, and its input."""
    table = matched_table(ROWS, matched=ROWS)
    index = table.schema.get_field_index("match_confidence")
    values = [2.0, 0.9] * (ROWS // 2)
    table = table.set_column(index, "match_confidence", pa.array(values))
    navigable = table.schema.get_field_index("is_navigable")
    table = table.set_column(navigable, "is_navigable", pa.array([None] * ROWS, pa.bool_()))
    write(tmp_path, table, "bad.parquet")
    write(tmp_path, matched_table(), "good.parquet")
    write(tmp_path, input_table(ROWS), "roads.parquet")
    return tmp_path


@pytest.mark.parametrize("how", [(), ("--in-process",)])
def test_failing_rows_are_written(
    files: Path, capsys: pytest.CaptureFixture[str], how: tuple[str, ...]
) -> None:
    """The first thousand of each check, more than the report shows."""
    found = files / "failures.parquet"
    compare = ("--input", str(files / "roads.parquet"), "--compare", "columns")
    words = ["audit", str(files / "bad.parquet"), *compare, *how]
    assert main([*words, "--failures", str(found)]) == 1
    out, err = capsys.readouterr()
    assert err == f"1,600 failing rows written to {found}: at most 1,000 of each check\n"
    rows = pq.read_table(found).to_pylist()
    by_check = {name: [row for row in rows if row["check"] == name] for name in CHECKS}
    assert [len(each) for each in by_check.values()] == [600, 1000]
    assert by_check["confidence_range"][-1] == {
        "check": "confidence_range",
        "row": 1198,
        "id": "1298",
        "column": None,
        "value": "2.0",
        "input_value": None,
    }
    assert by_check["input_values_kept"][7] | {"id": None} == {
        "check": "input_values_kept",
        "row": 7,
        "id": None,
        "column": "is_navigable",
        "value": None,
        "input_value": str(input_table(8)["is_navigable"][7].as_py()),
    }
    assert main(words) == 1
    assert capsys.readouterr() == (out, "")


CHECKS = ("confidence_range", "input_values_kept")


def test_without_failing_rows_the_file_has_no_rows(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = files / "failures.parquet"
    words = ["audit", "--in-process", str(files / "good.parquet"), "--failures", str(found)]
    assert main(words) == 0
    assert pq.read_table(found).num_rows == 0
    assert capsys.readouterr().err.startswith("0 failing rows written to ")


def test_a_file_that_cannot_be_written(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = str(files / "bad.parquet")
    for path, said in ((bad, "would overwrite"), (files / "no" / "x", "there is no folder")):
        assert main(["audit", "--in-process", bad, "--failures", str(path)]) == 2
        assert f"--failures: {said}" in capsys.readouterr().err.replace("this would", "would")


def test_all_rows_together_fit_in_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = audited(tmp_path, matched_table(12, match_status=pa.array(["x"] * 12)), of=job())
    every = rows_of(report)
    assert len(every) == EXAMPLES
    monkeypatch.setattr(failures, "MAX_ROWS_BYTES", 130)
    some = rows_of(report)
    assert some == every[: len(some)]
    assert 0 < len(some) < EXAMPLES


def rows_of(report: Report) -> list[dict[str, object]]:
    found = in_process.result_of(report, with_rows=True)
    assert found.failures
    rows: list[dict[str, object]] = pq.read_table(pa.BufferReader(found.failures)).to_pylist()
    assert len(rows) == found.failing_rows
    return rows


def test_a_file_that_cannot_be_made_costs_no_verdict(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_process, "failures_file", Mock(side_effect=ValueError("no room")))
    found = files / "failures.parquet"
    words = ["audit", "--in-process", str(files / "good.parquet"), "--failures", str(found)]
    assert main(words) == 3
    out, err = capsys.readouterr()
    assert out.startswith("valid: ")
    assert err == "the failing rows were not written: ValueError: no room\n"
    assert not found.exists()
