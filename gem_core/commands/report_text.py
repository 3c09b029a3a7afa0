"""An audit report as lines for a terminal. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from gem_core.audit.reading.source import Source
from gem_core.commands.table import plain
from gem_core.page.words import percent

_SEVERITIES = ("error", "warning", "info")
_EXAMPLES = 3
"""Maximum number of examples in the line of a check."""

type _Object = Mapping[str, Any]


def report_lines(report: _Object, output: Source, *, with_input: bool, with_job: bool) -> list[str]:
    """The outcome, a line for each check that did not pass, and the counts.

    Checks that were not requested are only counted. No text of a file can control the terminal.

    Args:
        report: the result of the audit, as `report_json` writes it.
        output: the audited file.
        with_input: whether a comparison with the input was requested.
        with_job: whether GEM's answer about the job was part of the audit.

    """
    checks = report["checks"]
    failed = [line for line in checks["notPassed"] if line["verdict"] == "failed"]
    not_run = [line for line in checks["notPassed"] if line["verdict"] != "failed"]
    failed.sort(key=lambda line: _SEVERITIES.index(line["severity"]))
    found = [_line(line) for line in (*failed, *not_run)]
    lines = [f"{report['outcome']}: {output.name}", *(["", *found] if found else [])]
    lines += ["", _counts(checks["all"], checks["counts"]), *_rows(report)]
    lines.append(f"etag {output.etag}, ruleset {checks['ruleset']}")
    if not with_input:
        lines.append("without --input: columns and ids were not compared with the input")
    if not with_job:
        lines.append("without --job: the job's names and statistics were not compared")
    return [plain(line) for line in lines]


def check_line(line: _Object) -> str:
    """What a check found. No text of a file can control the terminal."""
    return plain(_line(line))


def _line(line: _Object) -> str:
    if line["verdict"] == "failed":
        return _failed(line)
    return f"{line['verdict'].replace('_', ' '):<8} {line['name']}: {line.get('detail', '')}"


def _failed(line: _Object) -> str:
    text = f"{line['severity']:<8} {line['name']}: {line.get('detail', '')}"
    if examples := line.get("examples"):
        more = "; ..." if line.get("offending", 0) > _EXAMPLES else ""
        text += f" ({'; '.join(map(example_text, examples[:_EXAMPLES]))}{more})"
    return f"{text} - {line['title']}"


def example_text(example: _Object) -> str:
    """One row or id that breaks a rule, such as `row 3 id 103 value "2.0"`."""
    row = f"row {example['row']}" if "row" in example else ""
    id_ = f"id {example['id']}" if example.get("id") else ""
    return " ".join(part for part in (row, id_, _value(example)) if part)


def _value(example: _Object) -> str:
    value = f'"{example["value"]}"' if "value" in example else "null"
    if "column" not in example:  # the title of a check says when a row has none
        return f"value {value}" if "value" in example else ""
    was = f'"{example["inputValue"]}"' if "inputValue" in example else "null"
    return f"{example['column']} {value}, input {was}"


def _counts(checks: Sequence[_Object], counts: Mapping[str, int]) -> str:
    by_severity = {name: counts[f"failed{name.title()}"] for name in _SEVERITIES}
    words = ", ".join(f"{count} {name}" for name, count in by_severity.items())
    not_asked = counts["notAsked"]
    return (
        f"{len(checks)} checks: {counts['passed']} passed, {sum(by_severity.values())} failed "
        f"({words}), {counts['notRun']} not run"
        + (f", {not_asked} not requested" if not_asked else "")
    )


def _rows(report: _Object) -> list[str]:
    lines = []
    rows, match, reading = report["output"]["rows"], report["match"], report["reading"]
    if rows and match and match["matches"] is not None and match["rowsWithoutMatch"] is not None:
        matched, unmatched = match["matches"], match["rowsWithoutMatch"]
        lines.append(
            f"{rows:,} rows: {matched:,} matched ({percent(matched / rows)}), "
            f"{unmatched:,} unmatched ({percent(unmatched / rows)})"
        )
    if report["input"]["rows"] is not None:
        lines.append(f"input: {report['input']['rows']:,} rows")
    lines.append(
        f"read {reading['bytesRead']:,} of {report['output']['bytes'] or 0:,} bytes in "
        f"{reading['requests']} requests"
        + (", decoded in two threads" if reading["threads"] > 1 else "")
    )
    return lines
