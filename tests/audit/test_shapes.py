"""Unusual shapes: very many columns or row groups, very long pages, no rows, any text type."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from gem_core.audit.child.engine import Engine
from gem_core.audit.child.result import AuditResult
from gem_core.audit.options import AuditOptions
from gem_core.audit.parquet.opened_file import OpenedFile, open_parquet
from gem_core.audit.reading.range_file import RangeFile
from gem_core.audit.reading.source import Source
from gem_core.outcome import Outcome
from tests.audit.build import audited, input_table, job, matched_table, write
from tests.audit.child.children import LIMITS, failed, not_audited

COLUMNS = ["id", "gers_id", "match_confidence", "match_status"]


def opened(source: Source) -> OpenedFile:
    file = open_parquet(RangeFile(source))
    assert isinstance(file, OpenedFile)
    return file


@pytest.mark.slow
def test_ten_thousand_columns_are_compared(tmp_path: Path) -> None:
    columns = {f"c{n}": pa.array(np.zeros(12, np.int8)) for n in range(10_000)}
    input_ = write(tmp_path, input_table(**columns), "roads.parquet")
    report = audited(tmp_path, matched_table(**columns), input_=input_, with_values=True)
    assert report.outcome == "valid"
    assert report.facts.values
    assert report.facts.values.rows == 12


@pytest.mark.parametrize("repeating", [[], ["gers_id", "match_status"]], ids=["plain", "repeating"])
def test_small_row_groups_are_joined(tmp_path: Path, repeating: list[str]) -> None:
    """Each batch has a cost. With dictionaries, pyarrow gives one for each row group."""
    rows = 3_000
    table = matched_table(rows).select(COLUMNS).take(np.random.default_rng(1).permutation(rows))
    file = opened(write(tmp_path, table, row_group_size=7))
    batches = list(file.batches(COLUMNS, as_dictionary=repeating))
    assert len(batches) <= 2
    assert pa.Table.from_batches(batches).cast(table.schema).equals(table.combine_chunks())


def test_joined_batches_stay_small(tmp_path: Path) -> None:
    rows = 300
    texts = pa.array([f"{n}" * 10_000 for n in range(rows)])
    file = opened(write(tmp_path, matched_table(rows, gers_id=texts), row_group_size=1))
    batches = list(file.batches(COLUMNS, as_dictionary=["match_status"]))
    assert pa.Table.from_batches(batches)["gers_id"].combine_chunks().equals(texts)
    assert max(batch.nbytes for batch in batches) < 2 << 20
    assert 5 < len(batches) < 50


@pytest.mark.slow
def test_ten_thousand_row_groups_are_read_in_time(tmp_path: Path) -> None:
    """The time grows with their number, not with its square."""
    rows = 10_000
    output = write(tmp_path, matched_table(rows).select(COLUMNS), row_group_size=1)
    input_ = write(tmp_path, input_table(rows).select(["id"]), "roads.parquet", row_group_size=1)
    of = job({"num_roads_processed": rows})
    with Engine(LIMITS, os.environ) as engine:
        result = engine.audit(output, of, input_source=input_)
    assert (result.outcome, result.not_compared) == (Outcome.VALID, ())


LONG_ROWS = 12_000
LONG = pa.array([f"{n:06}" + "x" * 12_000 for n in range(LONG_ROWS)])
"""144 MB, which fastparquet and parquet-dotnet write as a single page."""


def audited_in_child(
    folder: Path, output: pa.Table, input_: pa.Table, *, with_values: bool
) -> AuditResult:
    one_page: dict[str, Any] = {
        "data_page_size": 1 << 30,
        "use_dictionary": False,
        "compression": "zstd",
        "write_statistics": False,
    }
    with Engine(LIMITS, os.environ) as engine:
        return engine.audit(
            write(folder, output, **one_page),
            job({"num_roads_processed": LONG_ROWS}),
            input_source=write(folder, input_, "roads.parquet", **one_page),
            options=AuditOptions(with_values=with_values),
        )


@pytest.mark.slow
def test_a_page_that_takes_more_memory_than_we_have_is_our_limit(tmp_path: Path) -> None:
    output, input_ = matched_table(LONG_ROWS, id=LONG), input_table(LONG_ROWS, id=LONG)
    result = audited_in_child(tmp_path, output, input_, with_values=False)
    assert not_audited(result) == "it takes more memory than an audit has (400 MiB)"


@pytest.mark.slow
def test_such_a_page_of_another_column_leaves_only_the_values_out(tmp_path: Path) -> None:
    output, input_ = matched_table(LONG_ROWS, name=LONG), input_table(LONG_ROWS, name=LONG)
    result = audited_in_child(tmp_path, output, input_, with_values=True)
    assert (result.outcome, failed(result)) == (Outcome.VALID, {})
    assert "more memory than an audit has" in result.input_left_out


TEXTS = (
    pa.large_string(),
    pa.string_view(),
    pa.dictionary(pa.int32(), pa.string()),
    pa.dictionary(pa.int8(), pa.large_string()),
)


@pytest.mark.parametrize("kind", TEXTS, ids=str)
def test_promised_columns_may_be_of_any_text_type(tmp_path: Path, kind: pa.DataType) -> None:
    table = matched_table()
    columns = {name: table[name].combine_chunks().cast(kind) for name in COLUMNS[1::2]}
    assert {*columns} == {"gers_id", "match_status"}
    ids = table["id"].combine_chunks().cast(pa.string()).cast(kind)
    output = matched_table(**columns, id=ids)
    report = audited(tmp_path, output, input_=input_table(id=ids), with_values=True)
    assert (str(report.outcome), report.failed()) == ("valid", frozenset())


def test_dictionaries_in_another_order_hold_the_same_values(tmp_path: Path) -> None:
    forth = pa.DictionaryArray.from_arrays([0, 1, 2] * 4, ["a", "b", "c"])
    back = pa.DictionaryArray.from_arrays([2, 1, 0] * 4, ["c", "b", "a"])
    output, input_ = matched_table(kind=forth), input_table(kind=back)
    assert audited(tmp_path, output, input_=input_, with_values=True).outcome == "valid"
    changed = input_table(kind=pa.DictionaryArray.from_arrays([2, 1, 1] * 4, ["c", "b", "a"]))
    report = audited(tmp_path, output, input_=changed, with_values=True)
    assert report.failed() == {"input_values_kept"}


def test_a_file_without_rows_is_readable(tmp_path: Path) -> None:
    found = audited(tmp_path, matched_table(0), input_=input_table(0), of=job({}))
    assert "has_rows" in found.failed()
    assert not found.failed() & {"footer_readable", "chunks_in_bounds", "rows_readable"}
