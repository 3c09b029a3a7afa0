"""Decoding in two threads: which columns, how far ahead, and how the halves are joined."""

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pyarrow as pa

from gem_core.audit.parquet.footer import DECODED, Footer

LARGE_ROWS = 1 << 18
"""Fewer rows than this are decoded before a second thread would have begun."""

_AHEAD = 2
"""Batches that the other thread may have ready."""


def costliest(footer: Footer, columns: Sequence[str]) -> str | None:
    """Choose the column to decode in a thread of its own: the largest, in a large file.

    The cost of decoding follows the decoded bytes, and nearly all of these are GERS ids. So this
    saves less than half of the time. But it also helps with a single row group, keeps the order of
    the rows, and holds only a few batches.
    """
    if not columns[1:] or footer.rows < LARGE_ROWS:
        return None
    sizes = footer.chunks[:, :, DECODED].sum(axis=0, dtype=float)
    return max(columns, key=lambda name: sizes[footer.by_name[name].leaves].sum())


@contextmanager
def ahead(items: Iterator[pa.RecordBatch]) -> Generator[Iterator[pa.RecordBatch]]:
    """Make items in a thread of its own, a few before they are asked for."""
    with ThreadPoolExecutor(1, thread_name_prefix="decode") as pool:
        ready = deque(pool.submit(next, items, None) for _ in range(_AHEAD))

        def taken() -> Iterator[pa.RecordBatch]:
            while (item := ready.popleft().result()) is not None:
                ready.append(pool.submit(next, items, None))
                yield item

        try:
            yield taken()
        finally:
            for future in ready:
                future.cancel()


def side_by_side(
    left: Iterator[pa.RecordBatch], right: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Join the columns of the same rows, however each side cuts its batches.

    Raises:
        ValueError: one side has more rows than the other.

    """
    one, other = next(left, None), next(right, None)
    while True:
        one, other = _with_rows(one, left), _with_rows(other, right)
        if one is None or other is None:
            break
        count = min(one.num_rows, other.num_rows)
        yield _joined(_first(one, count), _first(other, count))
        one, other = one[count:], other[count:]
    if one is not other:
        raise ValueError("the columns have different numbers of rows")


def _with_rows(
    batch: pa.RecordBatch | None, following: Iterator[pa.RecordBatch]
) -> pa.RecordBatch | None:
    while batch is not None and not batch.num_rows:
        batch = next(following, None)
    return batch


def _first(batch: pa.RecordBatch, count: int) -> pa.RecordBatch:
    return batch if batch.num_rows == count else batch[:count]


def _joined(one: pa.RecordBatch, other: pa.RecordBatch) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [*one.columns, *other.columns], names=[*one.schema.names, *other.schema.names]
    )
