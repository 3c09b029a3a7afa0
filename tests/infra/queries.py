"""The queries of alerts and workbook: KQL over tables of Azure, about events that the app logs."""

import ast
import json
import re
import subprocess
from dataclasses import fields
from datetime import timedelta
from functools import cache
from pathlib import Path

from devkit.azurite import node
from gem_core.logs import Event
from gem_core.watch.heartbeat import Tick
from tests.infra import bicep
from tests.infra.contract import ROOT, indexed

TABLES = {
    "AppTraces": "(TimeGenerated: datetime, Message: string, AppRoleName: string)",
    "AppRequests": "(TimeGenerated: datetime, OperationName: string, Success: bool,"
    " AppRoleName: string)",
    "_LogOperation": "(TimeGenerated: datetime, Category: string, Detail: string)",
}
"""The columns that the queries use, from Azure Monitor's reference of its tables."""


DURATIONS = {"PT5M", "PT10M", "PT15M", "PT30M", "PT45M", "PT1H", "PT2H", "PT6H", "P1D", "P2D"}
"""Windows and frequencies that Azure Monitor accepts."""


def all_queries(root: Path, *, waiting: int = 60) -> dict[str, str]:
    """Every query of alerts and workbook by name, as Bicep would deploy it.

    Args:
        root: the checkout.
        waiting: the parameter `waitingMinutes`.

    """
    found = {
        path.stem: path.read_text().replace("{app}", "app").replace("{waiting}", f"{waiting}m")
        for path in sorted((root / "infra" / "queries").glob("*.kql"))
    }
    workbook = json.loads((root / "infra" / "workbook.json").read_text())
    for item in workbook["items"]:
        if query := item["content"].get("query"):
            found[item["name"]] = query
    return found


def kql(root: Path) -> list[str]:
    """Microsoft's parser accepts syntax, tables, columns, functions and types."""
    done = subprocess.run(
        [node(), Path(__file__).with_name("kql.js")],
        input=json.dumps({"tables": TABLES, "queries": all_queries(root)}),
        capture_output=True,
        text=True,
        check=True,
    )
    faults: dict[str, list[str]] = json.loads(done.stdout)
    return [f"{name}: {each}" for name, found in faults.items() for each in found]


@cache
def logged() -> dict[str, set[str]]:
    """Every event that the app logs, with the names of its facts, found in its source."""
    found: dict[str, set[str]] = {event: set() for event in Event} | _logged_when_not_loaded()
    tick = {field.name for field in fields(Tick)}
    for path in (ROOT / "gem_core").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(call, ast.Call) and getattr(call.func, "id", "") == "log"):
                continue
            facts = {word.arg for word in call.keywords if word.arg}
            starred = any(word.arg is None for word in call.keywords)
            for event in ast.walk(call.args[0]):  # one, or one of two by a condition
                if isinstance(event, ast.Attribute) and ast.unparse(event.value) == "Event":
                    found[Event[event.attr]] |= facts | (tick if starred else set())
    return found


def _logged_when_not_loaded() -> dict[str, set[str]]:
    """The same for function_app.py, which uses nothing of gem_core for its one line."""
    found = {}
    for each in ast.walk(ast.parse((ROOT / "function_app.py").read_text(encoding="utf-8"))):
        if isinstance(each, ast.Dict):
            line = dict(zip(map(ast.unparse, filter(None, each.keys)), each.values, strict=True))
            if isinstance(event := line.pop("'event'", None), ast.Constant):
                found[str(event.value)] = {ast.literal_eval(fact) for fact in line}
    return found


def words(root: Path) -> list[str]:
    """The code logs each event and fact that a query uses; otherwise an alert would never fire."""
    found = []
    for name, query in all_queries(root).items():
        lists = re.findall(r"\bevent (?:in|==|!=) ?(\([^)]*\)|'[^']*')", query)
        events = {word for each in lists for word in re.findall(r"'(\w+)'", each)}
        known = {fact for event in events for fact in logged().get(event, ())}
        facts = set(re.findall(r"\bline\.(\w+)", query)) - {"event"}
        found += [f"{name}: nothing logs {event}" for event in sorted(events - set(logged()))]
        found += [f"{name}: no such event has {fact}" for fact in sorted(facts - known)]
    return found


def alerts(root: Path) -> list[str]:
    """Each rule has a query, and each query has a rule and a line in the operator's guide."""
    rules = (root / "infra" / "modules" / "alerts.bicep").read_text()
    page = (root / "docs" / "operations.md").read_text(encoding="utf-8")
    files = {path.stem for path in (root / "infra" / "queries").glob("*.kql")}
    pairs = re.findall(r"name: '([\w-]+)'\s+says: .*?queries/([\w-]+)\.kql", rules, re.DOTALL)
    named = [name for name, _ in pairs]
    metrics = re.findall(r"name: '(events-[\w-]+)'", rules)
    found = [
        f"{name}: a rule without a query, or a query without a rule" for name in files ^ set(named)
    ]
    found += [f"{name}: not in the guide" for name in (*named, *metrics) if f"`{name}`" not in page]
    found += [f"{name}: uses the query {query}" for name, query in pairs if name != query]
    found += [
        f"{duration} is not a time that Azure Monitor accepts"
        for duration in re.findall(
            r"(?:window|every|windowSize|evaluationFrequency): '(\w+)'", rules
        )
        if duration not in DURATIONS
    ]
    failures = all_queries(root)["function-failures"]
    triggers = {"timerTrigger", "blobTrigger", "queueTrigger"}
    for function, bindings in indexed().items():
        if {each["type"] for each in bindings} & triggers and f"'{function}'" not in failures:
            found.append(f"function-failures: {function} is missing")
    return found


def windows(root: Path) -> dict[str, str]:
    """How far back each log alert looks, as an ISO 8601 duration; parameters by their default."""
    file = bicep.BicepFile(root / "infra" / "modules" / "alerts.bicep")
    rules = bicep.text(file.declared("variable")["rules"])
    found = re.findall(r"name: '([\w-]+)'.*?window: (\S+)", rules, re.DOTALL)
    main = bicep.BicepFile(root / "infra" / "main.bicep").declared("parameter")
    return {
        name: (bicep.text(main[value].named_children[-1]) if value in main else value).strip("'")
        for name, value in found
    }


def duration(text: str) -> timedelta:
    """A duration of ISO 8601 in days, hours and minutes."""
    found = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", text)
    if found is None:
        raise ValueError(text)
    days, hours, minutes = (int(each or 0) for each in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)
