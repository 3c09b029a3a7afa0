"""Decoding in two threads: the same rows, the same report, and no thread left behind."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.audit.audit import audit
from gem_core.audit.options import AuditOptions, two_at_once
from gem_core.audit.parquet import column_chunks, threads
from gem_core.audit.parquet.column_chunks import chunks
from gem_core.audit.parquet.opened_file import OpenedFile, open_parquet
from gem_core.audit.parquet.reader_errors import DataFault
from gem_core.audit.parquet.threads import ahead, side_by_side
from gem_core.audit.reading.range_file import RangeFile
from gem_core.audit.reading.source import FileSource, open_file
from tests.audit.build import changed, gers, job, matched_table, write

COLUMNS = ["id", "gers_id", "match_confidence", "match_status"]

type Batches = Iterator[pa.RecordBatch]


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "LARGE_ROWS", 1)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


def cut(name: str, rows: int, sizes: list[int]) -> Batches:
    """Yield 0 to rows - 1 in batches of these sizes, then the rest."""
    start = 0
    for size in [*sizes, rows]:
        part = list(range(start, min(start + size, rows)))
        yield pa.record_batch({name: pa.array(part, pa.int64())})
        start += len(part)


sizes = st.lists(st.integers(0, 7), max_size=8)


@given(st.integers(0, 20), sizes, sizes)
def test_rows_meet_however_their_columns_are_cut(
    rows: int, left: list[int], right: list[int]
) -> None:
    joined = list(side_by_side(cut("a", rows, left), cut("b", rows, right)))
    for name in ("a", "b"):
        assert [n for batch in joined for n in batch[name].to_pylist()] == list(range(rows))


@pytest.mark.parametrize(("left", "right"), [(4, 3), (3, 4), (0, 1)])
def test_columns_of_different_lengths_are_a_fault(left: int, right: int) -> None:
    with pytest.raises(ValueError, match="different numbers of rows"):
        list(side_by_side(cut("a", left, [1]), cut("b", right, [2])))


def opened(source: FileSource) -> OpenedFile:
    found = open_parquet(RangeFile(source))
    assert isinstance(found, OpenedFile)
    return found


@pytest.mark.parametrize(("rows", "group_rows"), [(302, 1), (3000, 700), (3000, 10_000)])
def test_the_report_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, group_rows: int
) -> None:
    monkeypatch.setattr(column_chunks, "BATCH_ROWS", 256)
    spoilt = {"r1": "x", "r300": None, f"r{rows - 1}": gers(1).upper()}
    table = changed(matched_table(rows), "gers_id", **spoilt)
    source = write(tmp_path, table, row_group_size=group_rows)
    one, two = (
        audit(source, job(), input_source=None, options=AuditOptions(two_threads=two))
        for two in (False, True)
    )
    assert (one.facts.decoded_apart, two.facts.decoded_apart) == (None, "gers_id")
    assert (one.threads, two.threads) == (1, 2)
    assert one.checks == two.checks
    assert one.facts.profile == two.facts.profile
    assert one.facts.ids == two.facts.ids
    assert one.bytes_read == two.bytes_read


def test_a_small_file_gets_no_second_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "LARGE_ROWS", 13)
    assert opened(write(tmp_path, matched_table(12))).costliest(COLUMNS) is None
    assert opened(write(tmp_path, matched_table(13))).costliest(COLUMNS) == "gers_id"


def test_one_column_gets_no_second_thread(tmp_path: Path) -> None:
    assert opened(write(tmp_path, matched_table())).costliest(["gers_id"]) is None


@pytest.mark.parametrize("column", ["gers_id", "match_confidence"])
def test_broken_data_on_either_side_is_a_fault(tmp_path: Path, column: str) -> None:
    source = write(tmp_path, matched_table(5000), write_page_checksum=True, compression="none")
    found = opened(source)
    ((chunk,),) = chunks(found.footer, [column])
    data = bytearray(source.path.read_bytes())
    data[chunk.start + chunk.length // 2] ^= 0xFF
    source.path.write_bytes(data)
    with pytest.raises(DataFault):
        list(opened(open_file(source.path)).batches(COLUMNS, apart="gers_id"))


def test_who_stops_early_stops_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column_chunks, "BATCH_ROWS", 10)
    batches = opened(write(tmp_path, matched_table(1000))).batches(COLUMNS, apart="gers_id")
    assert next(batches).num_rows == 10
    batches.close()


def test_only_a_few_are_made_ahead() -> None:
    made = []

    def numbers() -> Batches:
        for batch in cut("a", 100, [1] * 100):
            made.append(batch)
            yield batch

    with ahead(numbers()) as items:
        for taken, _ in enumerate(items, 1):
            assert len(made) <= taken + 3
    assert sum(batch.num_rows for batch in made) == 100


@pytest.mark.parametrize(("processors", "two"), [(None, False), (1, False), (2, True), (8, True)])
def test_a_second_thread_takes_a_second_processor(
    processors: int | None, monkeypatch: pytest.MonkeyPatch, *, two: bool
) -> None:
    monkeypatch.setattr(os, "process_cpu_count", lambda: processors)
    assert two_at_once() is two
