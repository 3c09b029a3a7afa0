"""A comparison of two runs as lines for a terminal. Pure."""

from collections.abc import Mapping
from typing import Any

from gem_core.commands.table import plain

_NAME, _NUMBER = 12, 14


def succession_lines(result: Mapping[str, Any]) -> list[str]:
    """The groups by kind, then the roads, then what is to be noticed.

    Args:
        result: the comparison as JSON; see `succession.result`.

    """
    old, new = result["old"], result["new"]
    lines = [f"{old['name']} -> {new['name']}", ""]
    lines.append(_row("", "groups", "old ids", "new ids"))
    lines += [
        _row(kind, *(f"{found[name]:,}" for name in ("groups", "oldIds", "newIds")))
        for kind, found in result["groups"].items()
    ]
    if elsewhere := result["droppedButInNewRun"]:
        lines.append(f"{elsewhere:,} dropped ids are in the new run under other roads")
    lines += ["", *_roads(result["roads"]), "", *_file("old", old), *_file("new", new)]
    return [plain(line) for line in lines]


def _row(name: str, *cells: str) -> str:
    return f"{name:<{_NAME}}" + "".join(f"{cell:>{_NUMBER}}" for cell in cells)


_ROADS = (
    ("unchanged", "have the same ids in both runs"),
    ("changed", "have other ids"),
    ("lost", "have no match any more"),
    ("won", "have a match now"),
    ("unmatched", "have no match in either run"),
    ("onlyOld", "are only in the old file"),
    ("onlyNew", "are only in the new file"),
)


def _roads(roads: Mapping[str, int]) -> list[str]:
    lines = [f"{sum(roads.values()):,} roads, of which"]
    return lines + [f"{roads[name]:>{_NAME},} {words}" for name, words in _ROADS]


def _file(which: str, file: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{which}: {file['rows']:,} rows, {file['matched']:,} matched, layout {file['layout']}"
    ]
    if file["withoutId"]:
        lines.append(f"{which}: {file['withoutId']:,} rows have no id; they were left out")
    if file["idsOfOtherType"]:
        lines.append(
            f"{which}: {file['idsOfOtherType']:,} rows have an id that is no integer, as the "
            "other file has; they were left out"
        )
    if file["withoutGersId"]:
        example = (
            f', such as "{file["withoutGersIdExample"]}"' if file["withoutGersIdExample"] else ""
        )
        lines.append(
            f"{which}: {file['withoutGersId']:,} matched rows have no GERS id of a known "
            f"format{example}; they count as unmatched"
        )
    return lines
