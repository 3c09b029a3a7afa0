"""A preflight as lines for a terminal. Pure."""

import textwrap
from collections.abc import Mapping
from typing import Any

from gem_core.commands.report_text import counts_line, not_passed
from gem_core.commands.table import plain
from gem_core.preflight.duration import Hours

_WIDTH = 80
_INDENT = " " * 9

SAME_NAME = (
    "A job on another input of this name has the same output name, so it would overwrite the "
    "output."
)

type _Object = Mapping[str, Any]


def preflight_lines(report: _Object) -> list[str]:
    """The outcome, a line for each check that did not pass, and what to expect of the job.

    Args:
        report: the preflight as JSON; see `preflight.road_report`.

    """
    checks, input_ = report["checks"], report["input"]
    lines = [f"{report['outcome']}: {input_['name']}"]
    if found := not_passed(checks):
        lines += ["", *found]
    lines += ["", counts_line(checks["all"], checks["counts"])]
    lines += _roads(input_)
    lines += _expected(report)
    return [wrapped for line in lines for wrapped in _wrapped(plain(line))]


def _roads(input_: _Object) -> list[str]:
    if input_["rows"] is None:
        return []
    text = f"{input_['rows']:,} roads"
    if input_["navigable"] is not None:
        text += f", {input_['navigable']:,} navigable"
    if input_["points"]:
        text += f", {input_['points']:,} points"
    lines = [text]
    if found := input_["extent"]:
        lines.append(
            f"longitude {found['west']:.10g} to {found['east']:.10g}, "
            f"latitude {found['south']:.10g} to {found['north']:.10g}"
        )
    return lines


def _expected(report: _Object) -> list[str]:
    own = report["outputs"][report["contract"]]
    others = [f"{name} ({contract})" for contract, name in report["outputs"].items() if name != own]
    named = f"output: {own} ({report['contract']}); or {', '.join(others)}."
    lines = [f"{named} {SAME_NAME}"]
    if hours := report["hours"]:
        paces = "; ".join(
            f"{pace['roadsAnHour']:,} an hour ({pace['source']})" for pace in hours["sources"]
        )
        span = Hours(hours["least"], hours["most"])
        lines.append(f"GEM may take {span}, by these figures: {paces}")
    return lines


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, _WIDTH, subsequent_indent=_INDENT, break_on_hyphens=False) or [""]
