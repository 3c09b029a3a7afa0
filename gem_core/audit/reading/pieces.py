"""Cuts the needed bytes of a file into requests, in the order in which they are needed. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from gem_core.audit.reading.byte_range import ByteRange, RowGroup

PIECE_BYTES = 8 << 20
"""What one request fetches, about: at most one and a half of it. Long enough that latency matters
little (8 MiB in 20 ms is 400 MB/s), short enough that a handful of them fits in memory."""

GAP_BYTES = 1 << 20
"""Widest gap that is worth reading through: at 20 ms a request and 60 MB/s, a request costs as much
as 1.2 MB."""

WASTE_SHARE = 0.02
"""Bytes of gaps read through, at most, as a share of the needed bytes. Without this bound, a file
of small row groups would be read whole, geometry and all."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one request fetches."""

    span: ByteRange
    needed_bytes: int
    """Less than its length where a gap is read through."""


def pieces(groups: Sequence[RowGroup], *, end: int) -> tuple[Piece, ...]:
    """Cut the needed bytes before `end` into pieces that lie apart, the first one needed first.

    The narrowest gaps are read through first, as long as `GAP_BYTES` and `WASTE_SHARE` allow.

    Args:
        groups: row groups in the order in which they will be decoded.
        end: where the bytes begin that are held anyway.

    """
    kept = [
        [chunk for raw in group if (chunk := _clipped(raw, end)).length > 0] for group in groups
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


def _clipped(span: ByteRange, end: int) -> ByteRange:
    return ByteRange(max(span.start, 0), min(span.end, end))


def _joined(spans: Iterable[ByteRange]) -> list[ByteRange]:
    """Sort, and join what touches or overlaps."""
    joined: list[ByteRange] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].end:
            joined[-1] = ByteRange(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def _bridged(needed: Sequence[ByteRange]) -> list[ByteRange]:
    """The gaps to read through."""
    budget = int(WASTE_SHARE * sum(run.length for run in needed))
    gaps = [ByteRange(left.end, right.start) for left, right in pairwise(needed)]
    bridged = []
    for gap in sorted(gaps, key=lambda gap: gap.length):
        budget -= gap.length
        if gap.length > GAP_BYTES or budget < 0:
            break
        bridged.append(gap)
    return bridged


def _borders(groups: Sequence[RowGroup]) -> list[int]:
    """Where two long chunks meet. The end of one and the beginning of the next are needed at very
    different times, so a piece with some of both would be held all the while.
    """
    long = [chunk for group in groups for chunk in group if chunk.length >= PIECE_BYTES]
    return sorted({chunk.start for chunk in long} & {chunk.end for chunk in long})


def _cut(stretch: ByteRange, borders: Sequence[int]) -> Iterator[ByteRange]:
    """Pieces between the borders, all of one length but the last, which is half a piece longer or
    shorter: so many stretches take about as many requests as one of their length.
    """
    inner = borders[bisect_right(borders, stretch.start) : bisect_left(borders, stretch.end)]
    for start, end in pairwise([stretch.start, *inner, stretch.end]):
        count = max(1, round((end - start) / PIECE_BYTES))
        marks = [*range(start, end, PIECE_BYTES)[:count], end]
        yield from map(ByteRange, marks, marks[1:])


def _order(
    groups: Sequence[RowGroup], needed: Sequence[ByteRange], spans: Sequence[ByteRange]
) -> list[int]:
    """Places of the pieces as decoding needs them: by row group, then by the share of its rows
    that comes before the piece, since the columns of a row group are decoded side by side.
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
    """Of the pieces that hold the span."""
    return range(bisect_right(starts, span.start) - 1, bisect_left(starts, span.end))
