"""A small Overture in a folder: changelogs of releases, and the registry.

Layout and schemas as Overture's documentation has them ("GERS Changelog", "GERS Registry"). What it
does not say (sizes of row groups, order of rows) is chosen so that a reader meets several files and
row groups.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

type Box = tuple[float, float, float, float]
"""Least and largest longitude, least and largest latitude, in degrees."""

SIDES = ("xmin", "xmax", "ymin", "ymax")
NEWER_SCHEMA = "2026-03-18"
"""From this release on boxes are doubles, and changed rows say which columns changed."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of a release."""

    id: str
    box: Box | None
    columns_changed: tuple[str, ...] = ("geometry",)
    """Of a changed one; only newer releases say it."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A row of the registry. Without a path the id is not in the current release."""

    id: str
    first_seen: str | None
    last_seen: str | None
    path: str | None
    box: Box | None = None


def _box_type(*, double: bool) -> pa.DataType:
    return pa.struct([(side, pa.float64() if double else pa.float32()) for side in SIDES])


def changelog_schema(release: str, change: str) -> pa.Schema:
    """The columns of a changelog's file."""
    is_newer = release >= NEWER_SCHEMA
    fields = [("id", pa.string()), ("bbox", _box_type(double=is_newer))]
    if is_newer and change == "data_changed":
        fields.append(("columns_changed", pa.list_(pa.string())))
    return pa.schema(fields)


REGISTRY_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("version", pa.int32()),
        ("first_seen", pa.string()),
        ("last_seen", pa.string()),
        ("last_changed", pa.string()),
        ("path", pa.string()),
        ("bbox", _box_type(double=False)),
    ]
)


def changelog_folder(root: Path, release: str, change: str) -> Path:
    """Where the files of one kind of change lie."""
    theme = root / "changelog" / release / "theme=transportation"
    return theme / "type=segment" / f"change_type={change}"


def file_name(number: int) -> str:
    """As Spark names a file."""
    return f"part-{number:05}-{uuid.UUID(int=number)}-c000.zstd.parquet"


def write_changelog(
    root: Path,
    release: str,
    changes: Mapping[str, Sequence[Segment]],
    *,
    files: int = 2,
    group_rows: int = 4,
    statistics: bool = True,
    first_file: int = 0,
) -> None:
    """Write the parts of a release's changelog: segments by kind of change.

    The names of the files of each part have numbers from `first_file` on.
    """
    for change, found in changes.items():
        schema = changelog_schema(release, change)
        rows = [
            {"id": each.id, "bbox": _as_struct(each.box)}
            | (
                {"columns_changed": list(each.columns_changed)}
                if "columns_changed" in schema.names
                else {}
            )
            for each in found
        ]
        size = max(1, -(-len(rows) // files))
        folder = changelog_folder(root, release, change)
        _write(folder, rows, size, schema, group_rows, statistics=statistics, first=first_file)


def write_registry(root: Path, rows: Iterable[Registered], *, files: int = 2) -> None:
    """Write the registry, sorted by id."""
    plain = [
        {
            "id": row.id,
            "version": 1,
            "first_seen": row.first_seen,
            "last_seen": row.last_seen,
            "last_changed": row.first_seen,
            "path": row.path,
            "bbox": _as_struct(row.box),
        }
        for row in sorted(rows, key=lambda row: row.id)
    ]
    size = max(1, -(-len(plain) // files))
    _write(root / "registry", plain, size, REGISTRY_SCHEMA, 4)


def _write(
    folder: Path,
    rows: Sequence[Mapping[str, object]],
    size: int,
    schema: pa.Schema,
    group_rows: int,
    *,
    statistics: bool = True,
    first: int = 0,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, at in enumerate(range(0, max(len(rows), 1), size), first):
        table = pa.Table.from_pylist(rows[at : at + size], schema)
        pq.write_table(
            table,
            folder / file_name(number),
            compression="zstd",
            use_dictionary=False,
            row_group_size=group_rows,
            write_statistics=statistics,
        )


def _as_struct(box: Box | None) -> dict[str, float] | None:
    return dict(zip(SIDES, box, strict=True)) if box else None
