"""What a Parquet footer says. Pure values.

Some footers make pyarrow end the process. One bad column can make it refuse the whole file. And it
takes types from what a writer left in `ARROW:schema`. So the footer is read here
(`footer_reading`), and pyarrow gets one of the needed columns alone (`footer_writing`); see
docs/decisions/0116-pyarrow-gets-a-footer-of-ours.md. Source: Apache Parquet, parquet.thrift.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from gem_core.audit.parquet.thrift import BINARY, I32, STRUCT, Struct, member, struct

START, STORED, DECODED, AT, END = range(5)
"""What is known of a column chunk: where it starts in the file, its stored and its decoded size in
bytes. And which bytes of the footer are its ColumnMetaData, without what a reader can do without. A
broken footer may give any numbers."""

_CODECS = ("none", "Snappy", "gzip", "LZO", "Brotli", "LZ4", "Zstandard", "LZ4_RAW")
_UNREAD_CODECS = {3: "LZO"}
"""Codecs of the format that pyarrow does not have."""

TYPE, NAME, CHILDREN = 1, 4, 5
"""Of a SchemaElement."""

INT96, BYTE_ARRAY = 3, 6
"""Physical types."""


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A column of the file, with all that is below it."""

    name: str
    elements: tuple[Struct, ...]
    """Of the schema: its own, and those below."""
    leaves: range
    """The numbers of its leaves. Each leaf has a column chunk in every row group."""


@dataclass(slots=True)
class Footer:
    """What a footer says."""

    data: bytes = field(repr=False)
    columns: tuple[FileColumn, ...] = ()
    by_name: dict[str, FileColumn] = field(default_factory=dict, repr=False)
    """The columns whose names occur once, and one of each other name."""
    version: int = 1
    rows: int = 0
    created_by: bytes = b""
    group_rows: Sequence[int] = ()
    chunks: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 5), np.int64), repr=False)
    """By row group, leaf, and START to END."""
    encrypted: set[int] = field(default_factory=set)
    """Leaves of which a chunk is encrypted."""
    codecs: set[tuple[int, int]] = field(default_factory=set)
    """Leaves, and the number of a codec that a chunk has."""
    delta: set[int] = field(default_factory=set)
    """Leaves that have pages of DELTA_LENGTH_BYTE_ARRAY or DELTA_BYTE_ARRAY. pyarrow cannot give
    these as a dictionary."""
    elsewhere: str = ""
    """Another file in which a chunk lies, as in the summary files `_metadata`."""

    def leaves(self, names: Collection[str]) -> list[int]:
        """The leaves of these columns, each the only one of its name."""
        return [leaf for name in names for leaf in self.by_name[name].leaves]

    def unreadable(self) -> dict[str, str]:
        """The columns whose data cannot be decoded by anybody here, and why."""
        codecs = {leaf: codec for leaf, codec in self.codecs if _is_unread(codec)}
        found = {}
        for column in self.columns:
            if not self.encrypted.isdisjoint(column.leaves):
                found[column.name] = f"{column.name} is encrypted"
            elif unread := [codecs[leaf] for leaf in column.leaves if leaf in codecs]:
                name = _UNREAD_CODECS.get(unread[0], f"codec {unread[0]}")
                found[column.name] = f"{column.name} is compressed with {name}, which pyarrow lacks"
        return found

    def statistics(self, leaf: int) -> Iterator[tuple[bytes, bytes] | None]:
        """The least and the largest value of a leaf in each row group that has rows, as bytes.

        None where the footer does not have them.
        """
        for group, rows in enumerate(self.group_rows):
            if rows:
                at, end = self.chunks[group, leaf, [AT, END]].tolist()
                meta, _ = struct(self.data, at) if at < end else ({}, at)
                found: Struct = member(meta, 12, STRUCT, {})
                # Members 1 and 2 are older, and in an order that depends on the writer.
                least, most = (member(found, number, BINARY) for number in (6, 5))
                yield None if least is None or most is None else (least, most)


def _is_unread(codec: int) -> bool:
    return codec in _UNREAD_CODECS or not 0 <= codec < len(_CODECS)


def int96_leaves(column: FileColumn) -> list[bool]:
    """Of each leaf of the column, whether it is stored as INT96."""
    leaves = (part for part in column.elements if not member(part, CHILDREN, I32, 0))
    return [physical_type(leaf) == INT96 for leaf in leaves]


def physical_type(element: Struct) -> int | None:
    """The number of an element's physical type; None of a group."""
    found: int | None = member(element, TYPE, I32)
    return found
