"""Which bytes are fetched: all that are needed, hardly any other, in few requests."""

import itertools
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.audit.plan import (
    BATCH_BYTES,
    BATCH_ROWS,
    PIECE_BYTES,
    WASTE_SHARE,
    Span,
    batch_rows,
    chunks,
    pieces,
)
from tests.audit.build import matched_table

MIB = 1 << 20


def metadata(table: pa.Table, **options: object) -> pq.FileMetaData:
    sink = BytesIO()
    pq.write_table(table, sink, **options)
    return pq.read_metadata(sink)


def test_each_chunk_of_the_named_columns_is_needed() -> None:
    found = metadata(matched_table(), row_group_size=4)
    assert len(list(chunks(found, {"id", "gers_id"}))) == 2 * 3
    assert len(list(chunks(found))) == 6 * 3


@pytest.mark.parametrize("dictionary", [True, False])
def test_chunks_cover_the_file_between_magic_and_footer(*, dictionary: bool) -> None:
    found = metadata(matched_table(), use_dictionary=dictionary)
    spans = sorted(chunks(found))
    assert spans[0].start == 4
    assert all(left.end == right.start for left, right in itertools.pairwise(spans))


@pytest.mark.parametrize(
    ("needed", "expected"),
    [
        pytest.param([], (), id="nothing"),
        pytest.param([Span(4, 10), Span(10, 20)], (Span(4, 20),), id="neighbours-join"),
        pytest.param([Span(50, 60), Span(4, 10)], (Span(4, 10), Span(50, 60)), id="sorted"),
        pytest.param([Span(4, 1004), Span(1010, 2000)], (Span(4, 2000),), id="narrow-gap"),
        pytest.param(
            [Span(4, 1004), Span(1900, 2000)], (Span(4, 1004), Span(1900, 2000)), id="wide-gap"
        ),
        pytest.param(
            [Span(4, 100 * MIB), Span(102 * MIB, 103 * MIB)],
            (
                *(Span(4 + n * 8 * MIB, min(4 + (n + 1) * 8 * MIB, 100 * MIB)) for n in range(13)),
                Span(102 * MIB, 103 * MIB),
            ),
            id="cut-and-never-across-2-MiB",
        ),
        pytest.param([Span(-5, 3), Span(90, 999)], (Span(0, 3), Span(90, 100)), id="broken-footer"),
        pytest.param([Span(100, 200), Span(30, 20)], (), id="outside-or-backwards"),
        pytest.param([Span(4, 50), Span(10, 20)], (Span(4, 50),), id="overlap"),
    ],
)
def test_pieces(needed: list[Span], expected: tuple[Span, ...]) -> None:
    end = 100 if expected in ((), (Span(0, 3), Span(90, 100))) else 200 * MIB
    assert pieces(needed, end=end) == expected


spans = st.builds(
    lambda start, length: Span(start, start + length),
    st.integers(0, 60 * MIB),
    st.integers(1, 20 * MIB),
)


@given(st.lists(spans, max_size=12))
def test_pieces_hold_what_is_needed_and_little_else(needed: list[Span]) -> None:
    end = 70 * MIB
    found = pieces(needed, end=end)
    assert all(piece.length <= PIECE_BYTES for piece in found)
    assert all(left.end <= right.start for left, right in itertools.pairwise(found))
    for span in needed:
        position, stop = span.start, min(span.end, end)
        for piece in found:
            if piece.start <= position < piece.end:
                position = piece.end
        assert position >= stop
    wanted = sum(piece.length for piece in pieces(needed, end=end))
    marks = sorted({0, end, *(edge for span in needed for edge in (span.start, span.end))})
    exact = sum(
        min(right, end) - left
        for left, right in itertools.pairwise(marks)
        if left < end and any(span.start <= left < span.end for span in needed)
    )
    assert exact <= wanted <= exact * (1 + WASTE_SHARE)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        pytest.param(matched_table(), BATCH_ROWS, id="narrow"),
        pytest.param(matched_table(0), BATCH_ROWS, id="no-rows"),
        pytest.param(
            pa.table({"id": [n.to_bytes(2).hex() * 25_000 for n in range(20)]}), 160, id="wide"
        ),
    ],
)
def test_batches_are_bounded_in_bytes(table: pa.Table, expected: int) -> None:
    found = metadata(table, use_dictionary=False)
    assert batch_rows(found, {"id"}) == pytest.approx(expected, rel=0.05)
    assert batch_rows(found, {"id"}) * 100_000 <= max(BATCH_BYTES, BATCH_ROWS * 100_000)
