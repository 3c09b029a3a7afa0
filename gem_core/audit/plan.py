"""Which bytes of a Parquet file to fetch, from its metadata alone; nothing is fetched here."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise

import pyarrow.parquet as pq

PIECE_BYTES = 8 << 20
"""Longest single request. Long enough that latency matters little (8 MiB in 20 ms is 400 MB/s),
short enough that a handful of them fits in memory."""

GAP_BYTES = 1 << 20
"""Widest gap that is worth reading through: at 20 ms a request and 60 MB/s, a request costs as much
as 1.2 MB."""

WASTE_SHARE = 0.03
"""Bytes of gaps read through, at most, as a share of the needed bytes. Without this bound, a file
of small row groups would be read whole, geometry and all."""

BATCH_BYTES = 16 << 20
"""Decoded bytes of the needed columns in one batch, about."""

BATCH_ROWS = 131_072
"""More rows than this gain no speed."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Bytes from `start` up to, not including, `end`."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """In bytes."""
        return self.end - self.start


def chunks(metadata: pq.FileMetaData, columns: Collection[str] | None = None) -> Iterator[Span]:
    """Each column chunk's bytes as the footer gives them, of the named columns or of all.

    A broken footer may give any numbers; they are not corrected here.
    """
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for index in range(row_group.num_columns):
            chunk = row_group.column(index)
            if columns is None or is_of(chunk.path_in_schema, columns):
                yield chunk_span(chunk)


def chunk_span(chunk: pq.ColumnChunkMetaData) -> Span:
    """Where a column chunk lies as the footer gives it, dictionary included."""
    # 0 and None both say that there is no such page.
    pages = (chunk.dictionary_page_offset, chunk.data_page_offset)
    start = min((page for page in pages if page), default=0)
    return Span(start, start + chunk.total_compressed_size)


def is_of(path: str, columns: Collection[str]) -> bool:
    """Whether a leaf belongs to one of the columns, as pyarrow tells it: by prefix.

    A column may have dots in its name, so every prefix is tried.
    """
    return path in columns or any(
        path[:end] in columns for end, letter in enumerate(path) if letter == "."
    )


def coded_by_delta(metadata: pq.FileMetaData, column: str) -> bool:
    """Whether a flat column has pages of text that pyarrow cannot give as a dictionary.

    Source: Apache Parquet, Encodings: DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY.
    """
    return any(
        encoding.startswith("DELTA")
        for group in range(metadata.num_row_groups)
        for chunk in _chunks_of(metadata, group)
        if chunk.path_in_schema == column
        for encoding in chunk.encodings
    )


def _chunks_of(metadata: pq.FileMetaData, group: int) -> Iterator[pq.ColumnChunkMetaData]:
    row_group = metadata.row_group(group)
    return (row_group.column(index) for index in range(row_group.num_columns))


def pieces(needed: Collection[Span], *, end: int) -> tuple[Span, ...]:
    """Cut the needed bytes before `end` into requests: sorted, apart, each at most `PIECE_BYTES`.

    The narrowest gaps are read through first, as long as `GAP_BYTES` and `WASTE_SHARE` allow.
    """
    runs = _joined(needed, end)
    budget = int(WASTE_SHARE * sum(run.length for run in runs))
    bridged = set()
    for gap in sorted(
        (Span(left.end, right.start) for left, right in pairwise(runs)),
        key=lambda gap: gap.length,
    ):
        budget -= gap.length
        if gap.length > GAP_BYTES or budget < 0:
            break
        bridged.add(gap)
    return tuple(
        Span(start, min(start + PIECE_BYTES, run.end))
        for run in _joined([*runs, *bridged], end)
        for start in range(run.start, run.end, PIECE_BYTES)
    )


def _joined(spans: Collection[Span], end: int) -> list[Span]:
    """Sort, clip to 0..end, and join what touches or overlaps."""
    joined: list[Span] = []
    for span in sorted(spans):
        start, stop = max(span.start, 0), min(span.end, end)
        if start >= stop:
            continue
        if joined and start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, stop))
        else:
            joined.append(Span(start, stop))
    return joined


def batch_rows(metadata: pq.FileMetaData, columns: Collection[str]) -> int:
    """How many rows to decode at once so that a batch stays near `BATCH_BYTES`."""
    widest = 1.0
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        taken = sum(
            chunk.total_uncompressed_size
            for chunk in (row_group.column(index) for index in range(row_group.num_columns))
            if is_of(chunk.path_in_schema, columns)
        )
        widest = max(widest, taken / max(row_group.num_rows, 1))
    return max(1, min(BATCH_ROWS, int(BATCH_BYTES / widest)))
