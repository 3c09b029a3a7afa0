"""The demo: some jobs from registration to manifest, shown live. `python -m devkit demo`."""

import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import requests
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from devkit.simulator.life import LIVES, Life
from devkit.stage import QUEUE, ROOT, Stage, stage
from gem_core.outcome import Outcome

TIME_SCALE = 60
"""A simulated minute of GEM takes one second."""
SETTINGS = {
    "GEM_CHECK_SCHEDULE": "* * * * * *",
    "GEM_CHECK_MIN_SECONDS": "0.5",
    "GEM_CHECK_MAX_SECONDS": "2",
    "GEM_LOST_AFTER_MINUTES": "0.05",
    "GEM_OUTPUT_GRACE_MINUTES": "0.1",
    "GEM_REPEAT_TICKET_AFTER_MINUTES": "0.1",
}
"""Settings that are shortened by a similar factor."""
MANIFESTS = ROOT / ".dev" / "demo"
"""Folder for the manifests of the last demo."""
MANIFEST_WIDTH = 110
"""Maximum number of characters in a line, if possible."""
LIMIT_SECONDS = 50
FRAME_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Act:
    """One job of the demo, its expected outcome, and the checks that are to fail."""

    job_run_id: str
    life: Life
    expected: Outcome
    failed: frozenset[str]


_OF_STATISTICS = (
    *("matched_share_close", "matched_share_exact"),
    *("unmatched_share_close", "unmatched_share_exact"),
)
_OF_OVERTURE = ("gers_alive", "gers_type", "gers_in_place")
_LIVES: tuple[tuple[str, Outcome, tuple[str, ...]], ...] = (
    ("clean", Outcome.VALID, ()),
    ("warnings", Outcome.VALID_WITH_WARNINGS, ("name_pattern", "confidence_threshold")),
    ("wrong_statistics", Outcome.INVALID, _OF_STATISTICS),
    ("bad_rows", Outcome.INVALID, ("gers_id_on_matched",)),
    ("output_missing", Outcome.OUTPUT_MISSING, ()),
    ("late_output", Outcome.VALID, ()),
    ("failed", Outcome.FAILED, ()),
    ("cancelled", Outcome.CANCELLED, ()),
    ("vanishing", Outcome.LOST, ()),
    ("flaky", Outcome.VALID, ()),
    ("token_expiring", Outcome.VALID, ()),
    ("wrong_ids", Outcome.VALID_WITH_WARNINGS, _OF_OVERTURE),
)
ACTS = tuple(
    Act(f"job-{number:02}-{life.replace('_', '-')}", LIVES[life], expected, frozenset(failed))
    for number, (life, expected, failed) in enumerate(_LIVES, start=1)
)


def run() -> int:
    """Run the demo. Returns 0 if every job has one manifest, and it is as expected, else 1."""
    console = Console()
    console.print("Starting Azurite, the GEM simulator and the app (the development runner) …")
    with stage(time_scale=TIME_SCALE, overrides=SETTINGS, with_overture=True) as up:
        console.print(f"App {up.runner.url}/api/jobs   GEM (simulated) {up.simulator.url}\n")
        for act in ACTS:
            register(up, act)
        watch(up, console)
        events = listen(up)
        keep_pages(up)
    store(events)
    console.print(f"\nThe queue {QUEUE!r}, read by examples/listeners/python:\n")
    code = judge(events, console)
    kept = MANIFESTS.relative_to(ROOT)
    console.print(f"\nKept in {kept}: a manifest of each job, and two pages for your browser:")
    console.print(f"  {kept}/report.html  one of the reports")
    console.print(f"  {kept}/board.html   the board with all jobs")
    return code


def register(up: Stage, act: Act) -> None:
    """Submit a job to the simulator and register it with the app."""
    up.simulator.add_job(act.job_run_id, act.life)
    answer = requests.put(
        f"{up.runner.url}/api/jobs/{act.job_run_id}",
        headers=up.headers,
        json={"labels": {"life": act.life.name}},
        timeout=60,
    )
    answer.raise_for_status()


def watch(up: Stage, console: Console) -> None:
    """Show all jobs until they are delivered or `LIMIT_SECONDS` have passed."""
    ends = time.monotonic() + LIMIT_SECONDS
    stages: Counter[str] = Counter()
    with Live(console=console, refresh_per_second=4) as live:
        while time.monotonic() < ends:
            records = [show(up, act) for act in ACTS]
            live.update(table(records))
            stages = Counter(record["stage"] for record in records)
            if stages["delivered"] == len(ACTS):
                return
            time.sleep(FRAME_SECONDS)
    console.print(
        f"[red]Not all jobs were delivered within {LIMIT_SECONDS} s: {dict(stages)}[/red]"
    )
    console.print(up.runner.log_path.read_text(encoding="utf-8")[-4000:], markup=False)


def show(up: Stage, act: Act) -> dict[str, Any]:
    """The app's record of a job."""
    answer = requests.get(
        f"{up.runner.url}/api/jobs/{act.job_run_id}", headers=up.headers, timeout=60
    )
    answer.raise_for_status()
    record: dict[str, Any] = answer.json()
    return record


def table(records: list[dict[str, Any]]) -> Table:
    """One frame of the live view."""
    view = Table(box=None, header_style="bold", padding=(0, 1, 0, 0))
    for heading in ("job", "GEM says", "progress", "stage", "asked", "outcome"):
        view.add_column(heading, no_wrap=True)
    for record in records:
        history = record["history"]
        answer = record["lastAnswer"] or {}
        progress = 100 if record["settlement"] == "finished" else answer.get("progress", 0)
        outcome = record["outcome"] or ""
        colour = {"valid": "green", "valid_with_warnings": "yellow", "": ""}.get(outcome, "red")
        view.add_row(
            record["jobRunId"],
            history[-1]["status"] if history else "",
            ProgressBar(total=100, completed=progress, width=8),
            record["stage"],
            str(record["timesChecked"]),
            f"[{colour}]{outcome}[/{colour}]" if colour else outcome,
        )
    return view


def listen(up: Stage) -> list[dict[str, Any]]:
    """The events of the queue, read by the example listener in a separate process."""
    listener = subprocess.run(
        [
            sys.executable,
            str(ROOT / "examples" / "listeners" / "python" / "listen.py"),
            *("--connection-string", up.azurite.connection_string),
            *("--queue", QUEUE, "--once", "--json", "--handled", ":memory:"),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return [json.loads(line) for line in listener.stdout.splitlines()]


def keep_pages(up: Stage) -> None:
    """Store the last job's report, as the app serves it, and the board, as the command does."""
    MANIFESTS.mkdir(parents=True, exist_ok=True)
    report = requests.get(
        f"{up.runner.url}/api/jobs/{ACTS[-1].job_run_id}/report.html",
        headers=up.headers,
        timeout=60,
    )
    report.raise_for_status()
    (MANIFESTS / "report.html").write_bytes(report.content)
    with subprocess.Popen(
        [sys.executable, "-m", "gem_core", "board", "--no-browser", "--json"],
        cwd=ROOT,
        env={"GEM_STATE": up.azurite.connection_string},
        stdout=subprocess.PIPE,
        text=True,
    ) as board:
        try:
            address = json.loads(board.stdout.readline() if board.stdout else "")["address"]
            page = requests.get(address, timeout=60)
            page.raise_for_status()
            (MANIFESTS / "board.html").write_bytes(page.content)
        finally:
            board.terminate()


def store(events: list[dict[str, Any]]) -> None:
    """Write each manifest to a file. docs/manifest.md shows one of them."""
    MANIFESTS.mkdir(parents=True, exist_ok=True)
    for event in events:
        path = MANIFESTS / f"{event['data']['jobRunId']}.json"
        path.write_text(f"{as_text(event)}\n", encoding="utf-8")


def as_text(value: object, indent: str = "", label: str = "") -> str:
    """JSON for people: a value in one line if it fits, otherwise one line for each member."""
    text = label + json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(indent + text) < MANIFEST_WIDTH:
        return text
    inner = indent + "  "
    if isinstance(value, dict):
        members = [as_text(part, inner, f"{json.dumps(name)}: ") for name, part in value.items()]
        opening, closing = "{}"
    else:
        members = [as_text(part, inner) for part in value]
        opening, closing = "[]"
    lines = f",\n{inner}".join(members)
    return f"{label}{opening}\n{inner}{lines}\n{indent}{closing}"


def judge(events: list[dict[str, Any]], console: Console) -> int:
    """Print a line for each manifest and compare it. Returns 1 if one is not as expected."""
    expected = {act.job_run_id: (act.expected, act.failed) for act in ACTS}
    got: dict[str, list[tuple[Outcome, frozenset[str]]]] = {job: [] for job in expected}
    for event in sorted(events, key=lambda event: str(event["data"]["jobRunId"])):
        data = event["data"]
        job = data["jobRunId"]
        matched = data["match"]["roads"]["shareMatched"] if data["match"] else None
        share = f"{matched:.2%} matched" if matched is not None else ""
        failed = [
            check["name"] for check in data["checks"]["notPassed"] if check["verdict"] == "failed"
        ]
        found = (Outcome(data["outcome"]), frozenset(failed))
        got[job].append(found)
        mark = "ok" if found == expected[job] else "WRONG"
        console.print(
            f"{mark:<6}{job:<28}{data['outcome']:<21}{event['id'][:8]}  "
            f"{share:<16} {', '.join(failed)}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    if wrong := {job: found for job, found in got.items() if found != [expected[job]]}:
        console.print(f"\n[red]Not as expected: {wrong}[/red]")
        return 1
    console.print(f"\nAll {len(expected)} jobs ended as expected, one manifest each.")
    return 0
