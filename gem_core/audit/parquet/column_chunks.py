"""From the footer alone: which bytes are needed, how many rows to decode at once. Pure."""

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from gem_core.audit.parquet.footer import DECODED, START, STORED, Footer
from gem_core.audit.reading.byte_range import ByteRange, RowGroup

BATCH_BYTES = 16 << 20
"""Decoded bytes of the needed columns in one batch, about."""

BATCH_ROWS = 131_072
"""More rows than this gain no speed."""


def chunks(
    footer: Footer, columns: Collection[str], groups: Sequence[int] | None = None
) -> Iterator[RowGroup]:
    """Where the footer places the chunks of the named columns, by row group.

    A broken footer may give any numbers; they are not corrected here.
    """
    leaves = footer.leaves(columns)
    for group in range(len(footer.group_rows)) if groups is None else groups:
        places = footer.chunks[group, leaves][:, [START, STORED]].tolist()
        yield [ByteRange(start, start + size) for start, size in places]


def chunks_outside(footer: Footer, end: int) -> int:
    """How many column chunks do not lie between the start of the file and `end`.

    A chunk without bytes has no place.
    """
    if not footer.chunks.size:
        return 0
    start, size = footer.chunks[..., START], footer.chunks[..., STORED]
    # Not start + size, which may be more than an int64 holds.
    outside = (size < 0) | (start <= 0) | (start > end) | (size > end - start)
    return int((outside & (size != 0)).sum())


def runs(
    footer: Footer, columns: Collection[str], groups: Sequence[int]
) -> Iterator[tuple[int, Sequence[int]]]:
    """How many rows to decode at once so that a batch stays near `BATCH_BYTES`, by row group.

    Row groups that follow one another come together when they have batches of the same size.

    Args:
        footer: of the file.
        columns: that are decoded.
        groups: the row groups, in the order of decoding.

    """
    # Floats, since the sum of a broken footer's sizes may be more than an int64 holds.
    sizes = footer.chunks[:, footer.leaves(columns), DECODED].sum(axis=1, dtype=float).tolist()

    def rows(group: int) -> int:
        return _batch_rows(footer.group_rows[group], sizes[group])

    yield from ((size, list(run)) for size, run in groupby(groups, key=rows))


def _batch_rows(rows: int, size: float) -> int:
    """Rows of a batch: `BATCH_ROWS`, or a power of two, so that similar row groups have the same.

    A footer may be broken, so the size may be any number.
    """
    fitting = int(BATCH_BYTES * max(rows, 1) // max(size, 1))
    return BATCH_ROWS if fitting >= BATCH_ROWS else 1 << max(fitting.bit_length() - 1, 0)
