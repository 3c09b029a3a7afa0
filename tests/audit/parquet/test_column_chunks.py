"""Which bytes are needed, and how many rows are decoded at once."""

import itertools

import pyarrow as pa
import pytest

from gem_core.audit.parquet import column_chunks
from gem_core.audit.parquet.column_chunks import BATCH_BYTES, BATCH_ROWS, chunks, runs
from gem_core.audit.parquet.footer import Footer
from tests.audit.build import matched_table
from tests.parquet_files import footer_of, parquet_bytes

ALL = matched_table().schema.names


def footer(table: pa.Table, **options: object) -> Footer:
    return footer_of(parquet_bytes(table, **options))


def test_each_chunk_of_the_named_columns_is_needed() -> None:
    found = footer(matched_table(), row_group_size=4)
    assert [len(group) for group in chunks(found, {"id", "gers_id"})] == [2, 2, 2]
    assert [len(group) for group in chunks(found, ALL)] == [6, 6, 6]


def test_row_groups_come_in_the_order_in_which_they_are_named() -> None:
    found = footer(matched_table(), row_group_size=4)
    first, _, last = chunks(found, {"id"})
    assert list(chunks(found, {"id"}, [2, 0])) == [last, first]


@pytest.mark.parametrize("dictionary", [True, False])
def test_chunks_cover_the_file_between_magic_and_footer(*, dictionary: bool) -> None:
    found = footer(matched_table(), use_dictionary=dictionary)
    spans = sorted(itertools.chain.from_iterable(chunks(found, ALL)))
    assert spans[0].start == 4
    assert all(left.end == right.start for left, right in itertools.pairwise(spans))


def batch_rows(found: Footer, columns: set[str]) -> list[tuple[int, list[int]]]:
    groups = range(len(found.group_rows))
    return [(rows, [*run]) for rows, run in runs(found, columns, groups)]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        pytest.param(matched_table(), BATCH_ROWS, id="narrow"),
        pytest.param(
            pa.table({"id": [n.to_bytes(2).hex() * 25_000 for n in range(20)]}), 128, id="wide"
        ),
    ],
)
def test_batches_are_bounded_in_bytes(table: pa.Table, expected: int) -> None:
    found = footer(table, use_dictionary=False)
    assert batch_rows(found, {"id"}) == [(expected, [0])]
    assert expected * 100_000 <= max(BATCH_BYTES, BATCH_ROWS * 100_000)


def test_a_row_may_be_a_batch_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    found = footer(pa.table({"id": ["x" * 1000]}), use_dictionary=False)
    monkeypatch.setattr(column_chunks, "BATCH_BYTES", 500)
    assert batch_rows(found, {"id"}) == [(1, [0])]


def test_only_a_row_group_of_long_values_has_small_batches() -> None:
    """And those beside it come together."""
    texts = ["x"] * 40 + ["x" * 1_000_000] * 20 + ["x"] * 40
    found = footer(pa.table({"id": texts}), use_dictionary=False, row_group_size=20)
    assert batch_rows(found, {"id"}) == [(BATCH_ROWS, [0, 1]), (16, [2]), (BATCH_ROWS, [3, 4])]


def test_a_row_group_without_rows_has_no_small_batches() -> None:
    assert batch_rows(footer(matched_table(0)), {"id"}) == [(BATCH_ROWS, [0])]
