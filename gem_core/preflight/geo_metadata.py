"""The coordinate reference system that GeoParquet's metadata names. Pure.

Source: GeoParquet 1.1.0: the key `geo` of the file's metadata, with `primary_column` and `columns`.
A column without `crs` is OGC:CRS84; with null the system is not known.
"""

import json
from typing import Any

from gem_core.audit.parquet.footer import Footer
from gem_core.audit.parquet.thrift import BINARY, LIST, Struct, items, member, skip, struct
from gem_core.audit.parquet.thrift import field as next_field

_KEY_VALUES = (5, LIST)
"""Of a FileMetaData: key_value_metadata, a list of structs of 1 key and 2 value."""
_MAX_BYTES = 1 << 20
WGS84 = {"OGC:CRS84", "EPSG:4326"}


def stated_crs(footer: Footer, column: str) -> str | None:
    """The name of the column's system, "unknown" if it is null; None without such metadata."""
    try:
        text = _metadata(footer.data).get(b"geo")
        if text is None or len(text) > _MAX_BYTES:
            return None
        columns = json.loads(text)["columns"]
        found = columns.get(column)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return None  # nobody here depends on it
    return _name(found) if isinstance(found, dict) else None


def _name(column: dict[str, Any]) -> str:
    crs = column.get("crs", {"id": {"authority": "OGC", "code": "CRS84"}})
    if not isinstance(crs, dict):
        return "unknown" if crs is None else str(crs)[:100]
    id_ = crs.get("id")
    if isinstance(id_, dict):
        return f"{id_.get('authority')}:{id_.get('code')}"[:100]
    return str(crs.get("name", "unknown"))[:100]


def _metadata(data: bytes) -> dict[bytes, bytes]:
    at, number = 0, 0
    while True:
        number, kind, at = next_field(data, at, number)
        if not kind:
            return {}
        if (number, kind) == _KEY_VALUES:
            break
        at = skip(data, at, kind)
    _, count, at = items(data, at)
    found = {}
    for _ in range(count):
        pair: Struct
        pair, at = struct(data, at)
        found[member(pair, 1, BINARY, b"")] = member(pair, 2, BINARY, b"")
    return found
