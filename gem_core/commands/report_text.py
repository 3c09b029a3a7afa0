"""An audit report as lines for a terminal. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gem_core.audit.reading.source import Source
from gem_core.commands.table import plain, wrapped
from gem_core.page.words import number_of, percent

_SEVERITIES = ("error", "warning", "info")
_EXAMPLES = 3
"""Maximum number of examples in the line of a check."""
_INDENT = 9
"""Where the text of a check begins."""

type _Object = Mapping[str, Any]


def report_lines(report: _Object, output: Source, *, show_all: bool, width: int) -> list[str]:
    """The verdict, the rows, the failed checks, and the counts. No text of a file can control the
    terminal.

    Args:
        report: the result of the audit, as `report_json` writes it.
        output: the audited file.
        show_all: list the checks that were not run, and those that were not requested; otherwise
            one line says how many there are, and why.
        width: width of the terminal in characters.

    """
    checks = report["checks"]
    failed = [line for line in checks["notPassed"] if line["verdict"] == "failed"]
    failed.sort(key=lambda line: _SEVERITIES.index(line["severity"]))
    skipped = [line for line in checks["all"] if line["verdict"] == "not_run"]
    lines = [f"{report['outcome']}: {output.name}", *_rows(report)]
    lines += ["", *map(_failed, failed)] if failed else []
    lines += ["", counts_line(checks["all"], checks["counts"])]
    lines += map(_verdict, skipped) if show_all else _folded(skipped)
    lines += [_reading(report), f"etag {output.etag}, ruleset {checks['ruleset']}"]
    return [part for line in lines for part in wrapped(plain(line), width, indent=_INDENT)]


def check_line(line: _Object) -> str:
    """What a check found. No text of a file can control the terminal."""
    return plain(_failed(line) if line["verdict"] == "failed" else _verdict(line))


def not_passed(checks: _Object) -> list[str]:
    """A line for each failed check, errors first, then for each reason why checks were not run."""
    failed = [line for line in checks["notPassed"] if line["verdict"] == "failed"]
    others = [line for line in checks["notPassed"] if line["verdict"] != "failed"]
    failed.sort(key=lambda line: _SEVERITIES.index(line["severity"]))
    reasons = Counter(line["detail"] for line in others)
    return [
        *map(_failed, failed),
        *(f"not run  {number_of(count, 'check')}: {why}" for why, count in reasons.items()),
    ]


def _failed(line: _Object) -> str:
    text = f"{line['severity']:<8} {line['name']}: {line.get('detail', '')}"
    if examples := line.get("examples"):
        more = "; ..." if line.get("offending", 0) > _EXAMPLES else ""
        text += f" ({'; '.join(map(example_text, examples[:_EXAMPLES]))}{more})"
    return f"{text}. Expected: {line['title']}"


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


def _verdict(line: _Object) -> str:
    verdict = line["verdict"].replace("_", " ") if line.get("asked", True) else "not requested"
    return f"{verdict:<8} {line['name']}: {line.get('detail', '')}"


def _folded(skipped: Sequence[_Object]) -> Iterator[str]:
    """Each reason why checks were not run, once: one of them may be a limit of this machine."""
    because = dict.fromkeys(line["detail"] for line in skipped if line.get("asked", True))
    if because:
        yield f"not run  {'; '.join(because)}"
    if skipped:
        yield "--all lists the checks that were not run or not requested"


def counts_line(checks: Sequence[_Object], counts: Mapping[str, int]) -> str:
    """How many checks passed, failed and were not run."""
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
    rows, match = report["output"]["rows"], report["match"]
    if rows and match and match["matches"] is not None and match["rowsWithoutMatch"] is not None:
        matched, unmatched = match["matches"], match["rowsWithoutMatch"]
        lines.append(
            f"{rows:,} rows: {matched:,} matched ({percent(matched / rows)}), "
            f"{unmatched:,} unmatched ({percent(unmatched / rows)})"
        )
    if report["input"]["rows"] is not None:
        lines.append(f"input: {report['input']['rows']:,} rows")
    return lines


def _reading(report: _Object) -> str:
    reading = report["reading"]
    return (
        f"read {reading['bytesRead']:,} of {report['output']['bytes'] or 0:,} bytes in "
        f"{number_of(reading['requests'], 'request')}"
        + (", decoded in two threads" if reading["threads"] > 1 else "")
    )
