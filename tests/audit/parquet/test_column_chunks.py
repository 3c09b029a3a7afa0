"""Which bytes are needed, and how many rows are decoded at once."""

import itertools
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.audit.parquet import column_chunks
from gem_core.audit.parquet.column_chunks import (
    BATCH_BYTES,
    BATCH_ROWS,
    chunks,
    leaves_of,
    runs,
)
from tests.audit.build import matched_table


def metadata(table: pa.Table, **options: object) -> pq.FileMetaData:
    sink = BytesIO()
    pq.write_table(table, sink, **options)
    return pq.read_metadata(sink)


def test_each_chunk_of_the_named_columns_is_needed() -> None:
    found = metadata(matched_table(), row_group_size=4)
    assert [len(group) for group in chunks(found, {"id", "gers_id"})] == [2, 2, 2]
    assert [len(group) for group in chunks(found)] == [6, 6, 6]


def test_row_groups_come_in_the_order_in_which_they_are_named() -> None:
    found = metadata(matched_table(), row_group_size=4)
    first, _, last = chunks(found, {"id"})
    assert list(chunks(found, {"id"}, [2, 0])) == [last, first]


@pytest.mark.parametrize("dictionary", [True, False])
def test_chunks_cover_the_file_between_magic_and_footer(*, dictionary: bool) -> None:
    found = metadata(matched_table(), use_dictionary=dictionary)
    spans = sorted(itertools.chain.from_iterable(chunks(found)))
    assert spans[0].start == 4
    assert all(left.end == right.start for left, right in itertools.pairwise(spans))


def batch_rows(
    found: pq.FileMetaData, columns: set[str], *, apart: bool = False
) -> list[tuple[int, list[int]]]:
    groups = range(found.num_row_groups)
    return [(rows, [*run]) for rows, run in runs(found, columns, groups, apart=apart)]


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
    found = metadata(table, use_dictionary=False)
    assert batch_rows(found, {"id"}) == [(expected, [0])]
    assert expected * 100_000 <= max(BATCH_BYTES, BATCH_ROWS * 100_000)


def test_a_row_may_be_a_batch_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    found = metadata(pa.table({"id": ["x" * 1000]}), use_dictionary=False)
    monkeypatch.setattr(column_chunks, "BATCH_BYTES", 500)
    assert batch_rows(found, {"id"}) == [(1, [0])]


def test_only_a_row_group_of_long_values_has_small_batches() -> None:
    """And those beside it come together."""
    texts = ["x"] * 40 + ["x" * 1_000_000] * 20 + ["x"] * 40
    found = metadata(pa.table({"id": texts}), use_dictionary=False, row_group_size=20)
    assert batch_rows(found, {"id"}) == [(BATCH_ROWS, [0, 1]), (16, [2]), (BATCH_ROWS, [3, 4])]
    assert len(batch_rows(found, {"id"}, apart=True)) == 5


def test_a_row_group_without_rows_has_no_small_batches() -> None:
    assert batch_rows(metadata(matched_table(0)), {"id"}) == [(BATCH_ROWS, [0])]


@pytest.mark.parametrize(
    ("path", "belongs"),
    [
        ("id", True),
        ("id.list.element", True),
        ("idx", False),
        ("idx.list.element", False),
        ("x.id", False),
        ("a.b", True),
        ("a.b.c", True),
        ("a", False),
        ("a.bc", False),
    ],
)
def test_leaves_belong_to_the_column_that_their_path_begins_with(
    path: str, *, belongs: bool
) -> None:
    assert leaves_of({"id", "a.b"})(path) is belongs


names = st.text(".ab-", max_size=6)  # "-" comes before "." in order, letters come after


@given(columns=st.sets(names, max_size=8), path=names)
def test_every_prefix_of_a_path_that_ends_at_a_dot_counts(columns: set[str], path: str) -> None:
    prefixes = {path[:end] for end in range(len(path)) if path[end] == "."}
    assert leaves_of(columns)(path) is not columns.isdisjoint({path, *prefixes})


def test_a_name_of_very_many_dots_is_looked_up_once() -> None:
    """Looked up from dot to dot, it would take minutes."""
    assert not leaves_of({"id", "." * 1_000_000 + "a"})("." * 1_000_000)


def test_each_leaf_is_looked_up_once_among_very_many_columns() -> None:
    """Compared with each column, or with each length of a name, they would take minutes."""
    columns = [f"c{number}" for number in range(100_000)]
    belongs = leaves_of(columns)
    assert all(belongs(f"{name}.list.element") for name in columns)
    assert not any(belongs(f"x{name}") for name in columns)
