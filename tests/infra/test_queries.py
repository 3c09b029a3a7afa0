"""Alerts and workbook ask for what the app really logs."""

import ast
import json
import re
from datetime import UTC, datetime

import pytest

from gem_core.logs import Event
from gem_core.watch.heartbeat import Tick
from tests.infra.contract import ROOT


def logged() -> dict[str, set[str]]:
    """Every event that gem_core logs, with the names of its facts, found in its source."""
    found: dict[str, set[str]] = {event: set() for event in Event}
    tick = set(Tick(datetime.now(UTC)).to_json())
    for path in (ROOT / "gem_core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "log"):
                continue
            event = node.args[0]
            if isinstance(event, ast.Attribute):
                facts = {word.arg for word in node.keywords if word.arg}
                starred = any(word.arg is None for word in node.keywords)
                found[Event[event.attr]] |= facts | (tick if starred else set())
    return found


def queries() -> dict[str, str]:
    """Every query of alerts and workbook by name."""
    found = {path.stem: path.read_text() for path in (ROOT / "infra" / "queries").glob("*.kql")}
    workbook = json.loads((ROOT / "infra" / "workbook.json").read_text())
    for item in workbook["items"]:
        if query := item["content"].get("query"):
            found[item["name"]] = query
    return found


@pytest.mark.parametrize("name", queries())
def test_queries_name_what_is_logged(name: str) -> None:
    """An alert on a word that nothing logs would never fire."""
    query = queries()[name]
    known = logged()
    lists = re.findall(r"\bevent (?:in|==|!=) ?(\([^)]*\)|'[^']*')", query)
    events = {word for each in lists for word in re.findall(r"'(\w+)'", each)}
    events -= {"reported", "settled", "watching"}
    assert events <= set(known)
    fields = set(re.findall(r"\bline\.(\w+)", query)) - {"event"}
    assert fields <= {fact for event in events for fact in known[event]}
    assert not fields or events


def test_every_alert_has_its_query() -> None:
    alerts = (ROOT / "infra" / "modules" / "alerts.bicep").read_text()
    files = {path.stem for path in (ROOT / "infra" / "queries").glob("*.kql")}
    assert set(re.findall(r"queries/([\w-]+)\.kql", alerts)) == files
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [name for name in files if f"`{name}`" not in page] == []
