"""What is fetched: all that is needed, hardly anything else, in few requests, in good order."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.audit.reading.byte_range import ByteRange
from gem_core.audit.reading.pieces import PIECE_BYTES, WASTE_SHARE, Piece, pieces

MIB = 1 << 20
FAR = 10**12


def spans(found: tuple[Piece, ...]) -> list[ByteRange]:
    return [piece.span for piece in found]


@pytest.mark.parametrize(
    ("needed", "end", "expected"),
    [
        pytest.param([], FAR, [], id="nothing"),
        pytest.param(
            [ByteRange(4, 10), ByteRange(10, 20)], FAR, [ByteRange(4, 20)], id="neighbours-join"
        ),
        pytest.param(
            [ByteRange(4, 1004), ByteRange(1010, 2000)],
            FAR,
            [ByteRange(4, 2000)],
            id="narrow-gap-is-read-through",
        ),
        pytest.param(
            [ByteRange(4, 1004), ByteRange(1900, 2000)],
            FAR,
            [ByteRange(4, 1004), ByteRange(1900, 2000)],
            id="wide-gap-is-not",
        ),
        pytest.param(
            [ByteRange(4, 200 * MIB), ByteRange(202 * MIB, 203 * MIB)],
            FAR,
            [
                *(ByteRange(4 + n * 8 * MIB, 4 + (n + 1) * 8 * MIB) for n in range(24)),
                ByteRange(4 + 192 * MIB, 200 * MIB),
                ByteRange(202 * MIB, 203 * MIB),
            ],
            id="never-across-2-MiB",
        ),
        pytest.param(
            [ByteRange(0, 12 * MIB - 1)], FAR, [ByteRange(0, 12 * MIB - 1)], id="one-and-a-half"
        ),
        pytest.param(
            [ByteRange(0, 13 * MIB)],
            FAR,
            [ByteRange(0, 8 * MIB), ByteRange(8 * MIB, 13 * MIB)],
            id="and-more",
        ),
        pytest.param(
            [ByteRange(0, 9 * MIB), ByteRange(9 * MIB, 18 * MIB)],
            FAR,
            [ByteRange(0, 9 * MIB), ByteRange(9 * MIB, 18 * MIB)],
            id="long-chunks-share-no-piece",
        ),
        pytest.param(
            [ByteRange(0, 1000), ByteRange(1055, 2000), ByteRange(2010, 3000)],
            FAR,
            [ByteRange(0, 1000), ByteRange(1055, 3000)],
            id="the-narrowest-gap-first",
        ),
        pytest.param(
            [ByteRange(0, 500), ByteRange(520, 1020)],
            FAR,
            [ByteRange(0, 1020)],
            id="up-to-the-last-byte-of-waste",
        ),
        pytest.param(
            [ByteRange(-5, 3), ByteRange(90, 999)],
            100,
            [ByteRange(0, 3), ByteRange(90, 100)],
            id="clipped",
        ),
        pytest.param([ByteRange(100, 200), ByteRange(30, 20)], 100, [], id="outside-or-backwards"),
        pytest.param([ByteRange(4, 50), ByteRange(10, 20)], 100, [ByteRange(4, 50)], id="overlap"),
    ],
)
def test_near_ranges_are_one_piece_and_far_ones_are_not(
    needed: list[ByteRange], end: int, expected: list[ByteRange]
) -> None:
    assert sorted(spans(pieces([needed], start=0, end=end))) == expected


some_spans = st.builds(
    lambda start, length: ByteRange(start, start + length),
    st.integers(0, 60 * MIB),
    st.integers(1, 20 * MIB),
)


@given(st.lists(st.lists(some_spans, max_size=4), max_size=4), st.integers(0, 10 * MIB))
def test_pieces_hold_what_is_needed_and_little_else(
    groups: list[list[ByteRange]], begin: int
) -> None:
    end = 70 * MIB
    found = pieces(groups, start=begin, end=end)
    ordered = sorted(spans(found))
    assert all(span.length <= 1.5 * PIECE_BYTES for span in ordered)
    assert all(left.end <= right.start for left, right in itertools.pairwise(ordered))
    needed = [span for group in groups for span in group]
    for span in needed:
        position, stop = max(span.start, begin), min(span.end, end)
        for piece in ordered:
            if piece.start <= position < piece.end:
                position = piece.end
        assert position >= stop
    marks = sorted({begin, end, *(edge for span in needed for edge in (span.start, span.end))})
    exact = sum(
        min(right, end) - left
        for left, right in itertools.pairwise(marks)
        if begin <= left < end and any(span.start <= left < span.end for span in needed)
    )
    assert sum(piece.needed_bytes for piece in found) == exact
    assert exact <= sum(span.length for span in ordered) <= exact * (1 + WASTE_SHARE)


sizes = st.integers(1, 40 * MIB)


@st.composite
def outputs(draw: st.DrawFn) -> list[list[ByteRange]]:
    """The needed chunks of an output as GEM writes it: ids, much geometry, then three columns."""
    groups = []
    position = 4
    for _ in range(draw(st.integers(1, 6))):
        group = []
        for gap, length in ((0, draw(sizes)), (50 * MIB, draw(sizes)), (0, draw(sizes)), (0, 999)):
            start = position + gap
            position = start + length
            group.append(ByteRange(start, position))
        groups.append(group)
    return groups


@given(outputs())
def test_an_output_takes_about_a_request_for_each_8_mib(groups: list[list[ByteRange]]) -> None:
    needed = sum(span.length for group in groups for span in group)
    assert len(pieces(groups, start=0, end=FAR)) <= needed / PIECE_BYTES + len(groups) + 1


@pytest.mark.slow
@given(outputs())
def test_pieces_come_as_columns_side_by_side_need_them(groups: list[list[ByteRange]]) -> None:
    """Decode in a thousand steps a row group, and see which pieces each step touches first."""
    steps = 1000
    found = pieces(groups, start=0, end=FAR)
    first: dict[Piece, int] = {}
    for step in range(len(groups) * steps):
        for chunk in groups[step // steps]:
            at = chunk.start + chunk.length * (step % steps) // steps
            for piece in found:
                if piece.span.start <= at < piece.span.end:
                    first.setdefault(piece, step)
    touched = [first[piece] for piece in found if piece in first]
    latest = list(itertools.accumulate(touched, max))
    assert all(step >= before - 1 for step, before in zip(touched, latest, strict=True))


def test_of_a_broken_footer_the_order_is_that_of_the_file() -> None:
    """Ten thousand row groups that all claim the whole file take no time to plan."""
    groups = [[ByteRange(4, 800 * MIB)]] * 10_000
    found = pieces(groups, start=0, end=FAR)
    assert spans(found) == sorted(spans(found))
    assert len(found) == 100
