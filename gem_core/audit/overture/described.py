"""What a changelog looks like: for a person who compares it with its documentation. Edge (reads).

Footers are read by our own parser, so this needs no pyarrow.
"""

from collections.abc import Iterator

from gem_core.audit.overture.listing import Storage, find_release, newest
from gem_core.audit.overture.release import NoRelease, Part, Release
from gem_core.audit.parquet.footer import NAME, Footer
from gem_core.audit.parquet.footer_reading import FooterBroken, read_footer
from gem_core.audit.parquet.thrift import BINARY, member
from gem_core.audit.reading.source import Source
from gem_core.errors import OutputError, OutputUnreachable

_TAIL_BYTES = 128 << 10
_ENDING = 8
"""Bytes of the footer's length and the magic bytes."""


def describe(storage: Storage, wanted: str | None) -> list[str]:
    """Lines about a release, the newest if none is wanted.

    Raises:
        OutputError: it cannot be listed or read, or there is none.

    """
    release = find_release(storage, wanted or newest(storage))
    if isinstance(release, NoRelease):
        raise OutputUnreachable(release.reason)
    return [f"changelog {release.name}", *_parts(release)]


def _parts(release: Release) -> Iterator[str]:
    for part in Part:
        files = [source for _, source in release.of(part)]
        size = sum(each.size_bytes for each in files)
        text = f"{part}: {len(files)} files, {size:,} bytes"
        yield f"{text}; {_first(files[0])}" if files else text
    if release.registry_note:
        yield release.registry_note
    if release.unproven:
        yield f"ids that are in no file are open, since these may not be all: {release.unproven}"


def _first(source: Source) -> str:
    """About one file of a part."""
    try:
        footer = _footer(source)
    except (FooterBroken, OutputError) as error:
        return f"{source.name}: {error}"
    groups = len(footer.group_rows)
    columns = ", ".join(column.name for column in footer.columns)
    bounds = "; ".join(_bounds(footer, name) for name in ("id", "bbox") if name in footer.by_name)
    return f"the first has {footer.rows:,} rows in {groups} row groups, columns {columns}; {bounds}"


def _bounds(footer: Footer, name: str) -> str:
    column = footer.by_name[name]
    counts = [sum(found is not None for found in footer.statistics(leaf)) for leaf in column.leaves]
    parts = [member(each, NAME, BINARY, b"").decode(errors="replace") for each in column.elements]
    inner = f" ({', '.join(parts[1:])})" if len(parts) > 1 else ""
    return f"statistics of {name}{inner} in {min(counts, default=0)} row groups"


def _footer(source: Source) -> Footer:
    length = min(source.size_bytes, _TAIL_BYTES)
    tail = source.read(source.size_bytes - length, length)
    size = int.from_bytes(tail[-_ENDING:-4], "little")
    if tail[-4:] != b"PAR1" or size + _ENDING > source.size_bytes:
        raise FooterBroken("not Parquet")
    if size + _ENDING > length:
        tail = source.read(source.size_bytes - size - _ENDING, size + _ENDING)
    return read_footer(tail[-size - _ENDING : -_ENDING])
