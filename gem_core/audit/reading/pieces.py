"""Plans the requests for the needed bytes of a file, in the order of their use. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from gem_core.audit.reading.byte_range import ByteRange, RowGroup

PIECE_BYTES = 8 << 20
"""Target size of a request; at most one and a half times as much. Long enough that latency matters
little (8 MiB in 20 ms is 400 MB/s), short enough that several fit in memory."""

GAP_BYTES = 1 << 20
"""The widest gap between needed bytes that is fetched and not skipped. At 20 ms a request and 60
MB/s, a request costs as much as 1.2 MB."""

WASTE_SHARE = 0.02
"""Bytes of gaps that are fetched, at most, as a share of the needed bytes. Without this bound a
file of small row groups would be fetched whole, with the geometry."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The bytes of one request."""

    span: ByteRange
    needed_bytes: int
    """Less than the length when the piece has a gap."""


def pieces(groups: Sequence[RowGroup], *, start: int, end: int) -> tuple[Piece, ...]:
    """Cut the needed bytes into pieces that do not overlap, in the order of their use.

    The narrowest gaps are fetched first, as long as `GAP_BYTES` and `WASTE_SHARE` allow.

    Args:
        groups: row groups in the order of their decoding.
        start: up to here the bytes are in memory already.
        end: from here on too.

    """
    kept = [
        [chunk for raw in group if (chunk := _clipped(raw, start, end)).length > 0]
        for group in groups
    ]
    needed = _joined(chain.from_iterable(kept))
    spans = [
        piece
        for stretch in _joined([*needed, *_bridged(needed)])
        for piece in _cut(stretch, _borders(kept))
    ]
    order = _order(kept, needed, spans)
    amounts = _amounts(needed, spans)
    return tuple(Piece(spans[place], amounts[place]) for place in order)


def _clipped(span: ByteRange, start: int, end: int) -> ByteRange:
    return ByteRange(max(span.start, start), min(span.end, end))


def _joined(spans: Iterable[ByteRange]) -> list[ByteRange]:
    """Sort the ranges, and join those that touch or overlap."""
    joined: list[ByteRange] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].end:
            joined[-1] = ByteRange(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def _bridged(needed: Sequence[ByteRange]) -> list[ByteRange]:
    """The gaps to fetch."""
    allowed = int(WASTE_SHARE * sum(run.length for run in needed))
    gaps = [ByteRange(left.end, right.start) for left, right in pairwise(needed)]
    bridged = []
    for gap in sorted(gaps, key=lambda gap: gap.length):
        allowed -= gap.length
        if gap.length > GAP_BYTES or allowed < 0:
            break
        bridged.append(gap)
    return bridged


def _borders(groups: Sequence[RowGroup]) -> list[int]:
    """Where two long chunks meet. The end of one and the start of the next are needed at very
    different times. A piece with parts of both would stay in memory all that time.
    """
    long = [chunk for group in groups for chunk in group if chunk.length >= PIECE_BYTES]
    return sorted({chunk.start for chunk in long} & {chunk.end for chunk in long})


def _cut(stretch: ByteRange, borders: Sequence[int]) -> Iterator[ByteRange]:
    """Pieces between the borders. All have the same length, except that the last one is up to half
    a piece longer or shorter. So many short stretches need about as many requests as a long one.
    """
    inner = borders[bisect_right(borders, stretch.start) : bisect_left(borders, stretch.end)]
    for start, end in pairwise([stretch.start, *inner, stretch.end]):
        count = max(1, round((end - start) / PIECE_BYTES))
        marks = [*range(start, end, PIECE_BYTES)[:count], end]
        yield from map(ByteRange, marks, marks[1:])


def _order(
    groups: Sequence[RowGroup], needed: Sequence[ByteRange], spans: Sequence[ByteRange]
) -> list[int]:
    """Numbers of the pieces in the order of their use. They are ordered by row group, then by the
    share of its rows before the piece: the columns of a row group are decoded side by side.
    """
    if sum(chunk.length for group in groups for chunk in group) > sum(run.length for run in needed):
        return [*range(len(spans))]  # a broken footer: chunks overlap
    starts = [span.start for span in spans]
    first = [(len(groups), 0.0)] * len(spans)
    for number, group in enumerate(groups):
        for chunk in group:
            for place in _places(chunk, starts):
                share = max(0, spans[place].start - chunk.start) / chunk.length
                first[place] = min(first[place], (number, share))
    return sorted(range(len(spans)), key=first.__getitem__)


def _amounts(needed: Sequence[ByteRange], spans: Sequence[ByteRange]) -> list[int]:
    """Needed bytes of each piece."""
    starts = [span.start for span in spans]
    amounts = [0] * len(spans)
    for run in needed:
        for place in _places(run, starts):
            span = spans[place]
            amounts[place] += min(run.end, span.end) - max(run.start, span.start)
    return amounts


def _places(span: ByteRange, starts: Sequence[int]) -> range:
    """Numbers of the pieces that overlap the range."""
    return range(bisect_right(starts, span.start) - 1, bisect_left(starts, span.end))
