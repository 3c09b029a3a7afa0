"""Batches fit into memory, and however long values are, no row is left out or comes twice."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gem_core.audit.parquet import column_chunks, decoding
from gem_core.audit.parquet.decoding import decoded
from gem_core.audit.reading.range_file import RangeFile
from tests.audit.build import matched_table
from tests.audit.reading.memory_source import MemorySource
from tests.parquet_files import footer_of, parquet_bytes

COLUMNS = ["id", "gers_id", "match_confidence", "match_status"]


def batches(data: bytes, columns: Sequence[str] = COLUMNS, **more: Any) -> list[pa.RecordBatch]:  # noqa: ANN401 - as decoded has them
    return list(decoded(RangeFile(MemorySource(data)), footer_of(data), columns, **more))


def long_ones(at: int) -> pa.Table:
    """Short values, and from a row on some that are long, and repeat."""
    rows = 6_000
    texts = [f"short {n % 50}" if n < at else f"{n % 3}" * 9_000 for n in range(rows)]
    return matched_table(rows, gers_id=pa.array(texts))


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "BATCH_BYTES", 1 << 19)
    monkeypatch.setattr(decoding, "MAX_BATCH_BYTES", 1 << 20)


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("group_rows", [1_000, 6_000])
@pytest.mark.parametrize("at", [0, 2_500, 5_999])
def test_long_values_come_in_smaller_batches(at: int, group_rows: int) -> None:
    """A dictionary hides them from the sizes in the footer."""
    table = long_ones(at)
    found = batches(parquet_bytes(table, row_group_size=group_rows))
    assert pa.Table.from_batches(found).equals(table.select(COLUMNS))
    assert max(batch.nbytes for batch in found) <= 1 << 20


@pytest.mark.usefixtures("_small")
def test_a_single_row_may_be_longer_than_a_batch() -> None:
    table = matched_table(3, gers_id=pa.array(["x" * (2 << 20)] * 3))
    assert [batch.num_rows for batch in batches(parquet_bytes(table))] == [1, 1, 1]


class Short:
    """A reader that has memory for so many rows at a time."""

    def __init__(self, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[int] = []
        real = decoding._batches

        def limited(
            parquet: pq.ParquetFile,
            groups: Sequence[int],
            before: int,
            size: int,
        ) -> Iterator[pa.RecordBatch]:
            self.asked.append(size)
            for number, batch in enumerate(real(parquet, groups, before, size)):
                if size > rows and number:
                    raise OSError("malloc of size 8 failed")
                yield batch

        monkeypatch.setattr(decoding, "_batches", limited)


def test_when_memory_is_short_batches_are_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column_chunks, "BATCH_ROWS", 100)
    short = Short(3, monkeypatch)
    table = matched_table(250)
    found = batches(parquet_bytes(table, row_group_size=90))
    assert pa.Table.from_batches(found).equals(table.select(COLUMNS))
    assert short.asked == [100, 12, 1]


def test_a_lack_of_memory_for_a_single_row_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column_chunks, "BATCH_ROWS", 10)
    Short(0, monkeypatch)
    with pytest.raises(OSError, match="malloc"):
        batches(parquet_bytes(matched_table(50)))


def test_dictionaries_do_not_count_as_long_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer rows would not make them smaller."""
    monkeypatch.setattr(decoding, "MAX_BATCH_BYTES", 1 << 20)
    table = pa.table({"status": ["x" * (2 << 20), "y"] * 50})
    (batch,) = batches(parquet_bytes(table), ["status"], as_dictionary={"status"})
    assert batch.num_rows == 100


class Unsearched(list[str]):
    """Names of columns that may be very many: none is looked for from the first one on."""

    def __contains__(self, name: object) -> bool:
        raise AssertionError(name)


def test_no_column_is_looked_for_among_all_that_are_wanted() -> None:
    (batch,) = batches(parquet_bytes(matched_table()), Unsearched(COLUMNS))
    assert batch.schema.names == COLUMNS
