"""Whatever way a file is written and its columns are typed, faults are found and counted alike."""

import math
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gem_core.audit.audit import audit
from gem_core.audit.judging.report import Report
from gem_core.audit.judging.verdict import Verdict
from gem_core.audit.parquet.column_chunks import BATCH_ROWS
from gem_core.audit.reading.source import open_file
from gem_core.audit.rows.gers import GersFormat
from gem_core.audit.rows.profile import Profile, Profiler
from gem_core.audit.rows.progress import Pass
from gem_core.audit.rows.row_rules import COLUMNS_OF, RowRule, Terms
from gem_core.gem.contracts.layout import Role
from tests.audit.build import (
    MATCHED_ROWS,
    NO_SHARES,
    PROMISES,
    ROWS,
    audited,
    changed,
    gers,
    input_table,
    job,
    matched_table,
    write,
)
from tests.audit.lines import line_of

FAULTS: dict[str, tuple[str, int, Any]] = {
    "id_present": ("id", 10, None),
    "gers_id_on_matched": ("gers_id", 0, None),
    "gers_id_not_blank": ("gers_id", 1, " \t"),
    "gers_id_format": ("gers_id", 2, gers(2)[1:]),
    "gers_id_format_of_release": ("gers_id", 3, gers(3).replace("-", "")),
    "gers_id_lower_case": ("gers_id", 4, gers(4).upper()),
    "unmatched_gers_id_null": ("gers_id", 9, ""),
    "no_gers_id_on_unmatched": ("gers_id", 10, gers(10)),
    "confidence_finite": ("match_confidence", 5, math.nan),
    "confidence_range": ("match_confidence", 6, 1.5),
    "confidence_on_matched": ("match_confidence", 7, None),
    "confidence_threshold": ("match_confidence", 8, 0.25),
    "status_values": ("match_status", 11, "Unmatched"),
}
"""For each check of rows: a column, a row, and what breaks it there."""

ALSO = {"input_ids_kept"}
"""Fails beside them, since a row has lost its id."""


def spoilt() -> pa.Table:
    table = matched_table()
    for column, row, value in FAULTS.values():
        table = changed(table, column, **{f"r{row}": value})
    return table


def offenders(report: Report) -> dict[str, tuple[int | None, int | None]]:
    """Of the checks of rows: how many, and the first one's row."""
    return {
        line.name: (line.judgement.offending, line.judgement.examples[0].row)
        for line in report.checks
        if line.verdict is Verdict.FAILED and line.name in FAULTS
    }


TEXT_ENCODINGS = ("PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY")
WRITTEN: list[dict[str, Any]] = [
    *({"compression": codec} for codec in ("none", "snappy", "gzip", "brotli", "zstd", "lz4")),
    *(
        {"data_page_version": page, "use_dictionary": coded, "compression": codec}
        for page in ("1.0", "2.0")
        for coded in (False, True)
        for codec in ("none", "zstd")
    ),
    *({"version": version} for version in ("1.0", "2.4", "2.6")),
    *(
        {
            "use_dictionary": False,
            "column_encoding": {
                "id": "DELTA_BINARY_PACKED",
                "gers_id": text,
                "match_status": text,
                "match_confidence": "BYTE_STREAM_SPLIT",
            },
        }
        for text in TEXT_ENCODINGS
    ),
    {"row_group_size": 1},
    {"row_group_size": 5, "data_page_size": 1, "write_batch_size": 1},
    {"write_page_checksum": True, "write_page_index": True},
    {"store_schema": False},
    {"write_statistics": False},
    {"sorting_columns": [pq.SortingColumn(0)]},
    {"use_content_defined_chunking": True},
]


@pytest.mark.parametrize(
    "how", WRITTEN, ids=[f"{number}-{'-'.join(how)}" for number, how in enumerate(WRITTEN)]
)
def test_faults_are_found_however_a_file_is_written(tmp_path: Path, how: dict[str, Any]) -> None:
    of = job(NO_SHARES)
    good = audited(tmp_path, write(tmp_path, matched_table(), **how), of=of, with_values=True)
    assert good.failed() == {"statistics_readable"}  # the job has no shares
    bad = audited(tmp_path, write(tmp_path, spoilt(), **how), of=of)
    assert offenders(bad) == {name: (1, row) for name, (_, row, _) in FAULTS.items()}
    assert bad.failed() == set(FAULTS) | ALSO | {"statistics_readable"}


TEXT = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.dictionary(pa.int8(), pa.string()),
    pa.dictionary(pa.int32(), pa.large_string()),
]


@pytest.mark.parametrize("text", TEXT, ids=str)
@pytest.mark.parametrize("number", [pa.float32(), pa.float64()], ids=str)
def test_faults_are_found_however_the_text_is_typed(
    tmp_path: Path, text: pa.DataType, number: pa.DataType
) -> None:
    table = spoilt()
    for name in ("gers_id", "match_status", "match_confidence"):
        kind = number if name == "match_confidence" else text
        index = table.schema.get_field_index(name)
        table = table.set_column(index, name, table.column(name).cast(kind))
    report = audited(tmp_path, table, of=job(NO_SHARES))
    assert offenders(report) == {name: (1, row) for name, (_, row, _) in FAULTS.items()}


@pytest.mark.parametrize("text", TEXT[:3], ids=str)
def test_status_words_coded_by_delta_are_read(tmp_path: Path, text: pa.DataType) -> None:
    """They are read as a dictionary wherever they can be."""
    status = spoilt().column("match_status").cast(text)
    table = spoilt().set_column(5, "match_status", status)
    coded = {"match_status": "DELTA_LENGTH_BYTE_ARRAY"}
    output = write(tmp_path, table, use_dictionary=False, column_encoding=coded)
    report = audited(tmp_path, output, of=job(NO_SHARES))
    assert offenders(report) == {name: (1, row) for name, (_, row, _) in FAULTS.items()}


@pytest.mark.parametrize(
    "kind",
    [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(),
     pa.uint64(), *TEXT],
    ids=str,
)  # fmt: skip
def test_ids_are_read_in_every_type(tmp_path: Path, kind: pa.DataType) -> None:
    ids = pa.array([str(n) for n in range(100, 100 + ROWS)]).cast(kind)
    good = audited(tmp_path, matched_table(id=ids), input_=input_table(id=ids), with_values=True)
    assert good.outcome == "valid"
    table = changed(matched_table(id=ids), "id", r3=None, r5=ids[4].as_py())
    report = audited(tmp_path, table, input_=input_table(id=ids))
    counts = {line.name: line.judgement.offending for line in report.checks}
    assert (counts["id_present"], counts["input_ids_kept"], counts["ids_unique"]) == (1, 2, 1)


@pytest.mark.parametrize(
    "kind",
    [pa.float16(), pa.decimal128(5, 4), pa.decimal256(5, 4), pa.int8(), pa.string()],
    ids=str,
)
def test_a_confidence_of_another_type_is_not_judged(tmp_path: Path, kind: pa.DataType) -> None:
    one = {pa.float16(): np.float16(1), pa.string(): "1"}.get(kind, 1)
    values = pa.array([one] * ROWS, kind)
    report = audited(tmp_path, matched_table(match_confidence=values))
    assert report.failed() == {"confidence_column"}
    unjudged = {line.name for line in report.checks if line.verdict is Verdict.NOT_RUN}
    assert {"confidence_finite", "confidence_range", "confidence_threshold"} <= unjudged


@pytest.mark.parametrize(
    ("column", "kind", "failed"),
    [
        ("gers_id", pa.string(), {"gers_id_on_matched": MATCHED_ROWS}),
        ("match_confidence", pa.float64(), {"confidence_on_matched": MATCHED_ROWS}),
        ("match_status", pa.string(), {"status_present": ROWS, "some_matched": None}),
        (
            "id",
            pa.int64(),
            {"id_present": ROWS, "input_ids_kept": ROWS},
        ),
        ("gers_id", pa.null(), {"gers_id_on_matched": MATCHED_ROWS}),
        ("match_confidence", pa.null(), {"confidence_on_matched": MATCHED_ROWS}),
        ("match_status", pa.null(), {"status_column": None}),
        ("id", pa.null(), {"id_present": ROWS, "input_ids_kept": ROWS, "input_types_kept": 1}),
    ],
    ids=str,
)
def test_each_null_of_a_column_of_nulls_is_counted(
    tmp_path: Path, column: str, kind: pa.DataType, failed: dict[str, int | None]
) -> None:
    table = matched_table(**{column: pa.nulls(ROWS, kind)})
    report = audited(tmp_path, table, of=job({**NO_SHARES, "num_roads_processed": None}))
    found = {
        line.name: line.judgement.offending
        for line in report.checks
        if line.verdict is Verdict.FAILED
    }
    assert found.pop("statistics_readable") == 5
    assert found == failed


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("kind", [pa.float32(), pa.float64()], ids=str)
def test_no_number_is_no_confidence(tmp_path: Path, value: float, kind: pa.DataType) -> None:
    values = matched_table().column("match_confidence").to_pylist()
    table = matched_table(match_confidence=pa.array([value, *values[1:]], kind))
    assert audited(tmp_path, table).failed() == {"confidence_finite"}


@pytest.mark.parametrize("value", [-0.0, 0.0, 1.0, 5e-324])
def test_the_ends_of_the_range_belong_to_it(tmp_path: Path, value: float) -> None:
    table = changed(matched_table(), "match_confidence", r0=value)
    report = audited(tmp_path, table, of=job({"confidence_threshold": 0}))
    assert report.outcome == "valid"


@pytest.mark.parametrize("value", [-5e-324, math.nextafter(1, 2)])
def test_just_beyond_the_range_does_not(tmp_path: Path, value: float) -> None:
    table = changed(matched_table(), "match_confidence", r0=value)
    report = audited(tmp_path, table, of=job({"confidence_threshold": None}))
    assert report.failed() == {"confidence_range", "statistics_readable"}


def test_the_promised_columns_may_come_first(tmp_path: Path) -> None:
    table = matched_table()
    names = [*reversed(table.column_names[3:]), *table.column_names[:3]]
    assert audited(tmp_path, table.select(names)).outcome == "valid"


def extension(kind: pa.DataType, stored: pa.Array) -> pa.Array:
    return pa.ExtensionArray.from_storage(kind, stored)


UUID = pa.array([uuid.UUID(int=n).bytes for n in range(ROWS)], pa.binary(16))
JSON = pa.array(["{}"] * ROWS)


@pytest.mark.parametrize(
    ("kind", "stored"), [(pa.uuid(), UUID), (pa.json_(), JSON)], ids=["uuid", "json"]
)
def test_an_extension_type_is_the_type_that_it_stores(
    tmp_path: Path, kind: pa.DataType, stored: pa.Array
) -> None:
    """One writer keeps the name of the type, another one what it stores: it is the same."""
    wrapped = extension(kind, stored)
    output, input_ = matched_table(more=stored), input_table(more=wrapped)
    for table, its_input in ((output, input_), (matched_table(more=wrapped), input_)):
        assert audited(tmp_path, table, input_=its_input, with_values=True).outcome == "valid"


def test_a_uuid_of_bytes_is_no_text(tmp_path: Path) -> None:
    wrapped = extension(pa.uuid(), UUID)
    assert audited(tmp_path, matched_table(gers_id=wrapped)).failed() == {"gers_id_column"}


def test_nested_types_are_carried_on(tmp_path: Path) -> None:
    more = {
        "tags": pa.array([[("a", "b")]] * ROWS, pa.map_(pa.string(), pa.string())),
        "lanes": pa.array([{"n": [1, None], "of": {"x": None}}] * ROWS),
    }
    report = audited(tmp_path, matched_table(**more), input_=input_table(**more), with_values=True)
    assert report.outcome == "valid"


@pytest.mark.parametrize("step", [1, 2, 5])
def test_slices_of_a_batch_are_judged_as_the_whole(step: int) -> None:
    """What a reader hands over may begin anywhere in its buffers."""
    table = spoilt()
    batch = pa.concat_tables([table, table]).combine_chunks().to_batches()[0].slice(ROWS)
    usable = PROMISES.usable(table.schema)

    def profile(batches: list[pa.RecordBatch]) -> Profile:
        profiler = Profiler(usable, Terms(0.6, GersFormat.UUID))
        for batch in batches:
            profiler.add(batch)
        return profiler.profile()

    whole = profile(table.combine_chunks().to_batches())
    parts = profile([batch.slice(start, step) for start in range(0, ROWS, step)])
    assert (parts.offenders, parts.matched) == (whole.offenders, whole.matched)
    assert parts.confidence
    assert whole.confidence
    assert parts.confidence.histogram == whole.confidence.histogram
    assert {rule for rule, found in whole.offenders.items() if found.count} == set(RowRule) - {
        RowRule.STATUS_PRESENT
    } - {rule for rule, roles in COLUMNS_OF.items() if Role.LINEAR_START in roles}


def test_a_row_group_of_five_million_rows_is_read_in_small_batches(tmp_path: Path) -> None:
    """It is read in small batches, and its last row counts as its first one does."""
    rows, few = 5_000_000, 1000
    codes = pa.array(np.arange(rows, dtype=np.int32) % few)
    words = [gers(n) for n in range(few)]
    faulty = np.full(rows, 0.9)
    faulty[[0, rows - 1]] = 1.5
    table = pa.table(
        {
            "id": pa.array(np.arange(rows)),
            "gers_id": pa.DictionaryArray.from_arrays(codes, pa.array(words)),
            "match_confidence": pa.array(faulty),
            "match_status": pa.DictionaryArray.from_arrays(
                pa.array(np.zeros(rows, np.int8)), pa.array(["matched"])
            ),
        }
    )
    path = tmp_path / "roads_matched.parquet"
    pq.write_table(table, path, row_group_size=rows, compression="none", write_statistics=False)
    assert pq.read_metadata(path).num_row_groups == 1
    steps: list[int] = []

    def on_rows(_: Pass, done: int, __: int) -> None:
        steps.append(done)

    report = audit(open_file(path), job(NO_SHARES), input_source=None, on_rows=on_rows)
    line = line_of(report, "confidence_range")
    assert line.judgement.offending == 2
    assert [example.row for example in line.judgement.examples] == [0, rows - 1]
    assert report.facts.ids
    assert report.facts.ids.distinct == rows
    assert max(np.diff([0, *steps])) <= BATCH_ROWS
