"""Every generation of GEM by every outcome, on real storage and the runner."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from devkit.simulator import (
    LIVES,
    NEWER,
    PAGE,
    Columns,
    Generation,
    Kind,
    Life,
    OutputFault,
    Trouble,
)
from devkit.stage import stage
from tests.integration.courier import FAST, Courier, failed_checks, wait_for

pytestmark = pytest.mark.azurite

PASSED = {"GEM_JOB_DEADLINE_HOURS": "0.0001"}
"""Of jobs that were registered a third of a second ago, or earlier."""
FOR_EVER = 10_000
"""Requests, or simulated hours."""

CLEAN = LIVES["clean"]
LOW = replace(CLEAN, output_fault=OutputFault.LOW_CONFIDENCE)
BAD = replace(CLEAN, output_fault=OutputFault.GERS_ID_MISSING)
ENDLESS = replace(CLEAN, running_for=FOR_EVER * 3600.0)

TECHNICAL = replace(PAGE, columns=Columns.TECHNICAL)
MIXED = Generation(Kind.PAGE, Kind.NEWER, Kind.NEWER, Kind.NEWER, Columns.NEWER)
GENERATIONS = {"page": PAGE, "newer": NEWER, "technical": TECHNICAL, "mixed": MIXED}
LAYOUTS = {
    "page": "x-version-1",
    "newer": "unversioned",
    "technical": "technical-page",
    "mixed": "unversioned",
}
DRIFTS = {"technical", "mixed"}
OTHER_FILES = {
    "other-newer-of-page": (replace(PAGE, columns=Columns.NEWER), "unversioned"),
    "other-page-of-newer": (replace(NEWER, columns=Columns.PAGE), "x-version-1"),
    "other-technical-of-newer": (replace(NEWER, columns=Columns.TECHNICAL), "technical-page"),
}
"""Answers of one generation with files of another, and the layout. With those above, each answer
meets each file."""


@dataclass(frozen=True)
class Cell:
    """One job, and what its manifest must say."""

    generation: Generation
    life: Life
    outcome: str
    failed: set[str] = field(default_factory=set)
    layout: str | None = None


def read_files(
    name: str, generation: Generation, layout: str, told: set[str]
) -> Iterator[tuple[str, Cell]]:
    """The outcomes of a file that can be read; `told` are the checks of its departures."""
    valid, warned = "valid_with_warnings" if told else "valid", "valid_with_warnings"
    low, bad = {"confidence_threshold"} | told, {"gers_id_on_matched"} | told
    yield f"{name}-valid", Cell(generation, CLEAN, valid, told, layout)
    yield f"{name}-warnings", Cell(generation, LOW, warned, low, layout)
    yield f"{name}-invalid", Cell(generation, BAD, "invalid", bad, layout)


def cells() -> Iterator[tuple[str, Cell]]:
    for name, generation in GENERATIONS.items():
        layout = LAYOUTS[name]
        told = {"layout_of_contract"} if name in DRIFTS else set()
        told |= {"name_pattern"} if name == "mixed" else set()
        yield from read_files(name, generation, layout, told)
        yield (
            f"{name}-lane-level",
            Cell(
                replace(generation, columns=Columns.LANE),
                CLEAN,
                "not_audited",
                {"layout_known"} | (told - {"layout_of_contract"}),
            ),
        )
        yield (
            f"{name}-invented",
            Cell(
                replace(generation, columns=Columns.INVENTED),
                CLEAN,
                "not_audited",
                {"layout_known"} | (told - {"layout_of_contract"}),
            ),
        )
        yield f"{name}-missing", Cell(generation, LIVES["output_missing"], "output_missing")
        yield f"{name}-failed", Cell(generation, LIVES["failed"], "failed")
        yield f"{name}-cancelled", Cell(generation, LIVES["cancelled"], "cancelled")
        yield f"{name}-lost", Cell(generation, ENDLESS, "lost")
        yield f"{name}-expired", Cell(generation, ENDLESS, "expired")
    for name, (generation, layout) in OTHER_FILES.items():
        yield from read_files(name, generation, layout, {"layout_of_contract"})
    words = Generation(words=Kind.INVENTED)
    yield "invented-words", Cell(words, CLEAN, "expired")
    yield "invented-members", Cell(Generation(members=Kind.INVENTED), CLEAN, "expired")
    for trouble in (Trouble.GONE, Trouble.HTML, Trouble.SERVER_ERROR):
        life = replace(CLEAN, troubles=(trouble,) * FOR_EVER)
        yield f"never-{trouble}", Cell(PAGE, life, "expired")


CELLS = dict(cells())
FINISHED = [*GENERATIONS, *OTHER_FILES]


def job_of(name: str) -> str:
    """The newer pages' ids are integers."""
    number = 100_000 + [*CELLS].index(name)
    return str(number) if CELLS[name].generation.members is Kind.NEWER else f"job-{name}"


def lose(courier: Courier, job_run_id: str) -> None:
    """GEM knows a job no more, once the app has had an answer about it."""
    wait_for(lambda: courier.record(job_run_id)["contract"], what=f"an answer about {job_run_id}")
    job = courier.up.simulator.job(job_run_id)
    job.life = replace(job.life, vanishes_after=0.0)


def pass_deadline(courier: Courier) -> None:
    """Start the app again with a deadline that has passed."""
    runner = courier.up.runner
    runner.stop()
    runner.settings = {**runner.settings, **PASSED}
    runner.start()


def events_of(courier: Courier, names: set[str]) -> dict[str, dict[str, Any]]:
    """The first event of each of these cells, once all have one."""

    def look() -> dict[str, dict[str, Any]] | None:
        courier.receive()
        found: dict[str, dict[str, Any]] = {}
        for event in courier.events:
            found.setdefault(event["data"]["labels"]["cell"], event)
        return found if found.keys() >= names else None

    return wait_for(look, what=f"manifests of {len(names)} jobs")


@pytest.fixture(scope="module")
def manifests() -> Iterator[dict[str, dict[str, Any]]]:
    """All jobs at once; the first event of each. The deadline passes when all others have ended."""
    with stage(time_scale=600, overrides=FAST, hold_seconds=1) as up:
        courier = Courier(up)
        for name, cell in CELLS.items():
            up.simulator.add_job(job_of(name), cell.life, generation=cell.generation)
            courier.register(job_of(name), labels={"cell": name})
        for name, cell in CELLS.items():
            if cell.outcome == "lost":
                lose(courier, job_of(name))

        events_of(courier, {name for name, cell in CELLS.items() if cell.outcome != "expired"})
        pass_deadline(courier)
        yield events_of(courier, set(CELLS))


@pytest.mark.parametrize("name", CELLS)
def test_every_cell_ends_in_its_manifest(manifests: dict[str, dict[str, Any]], name: str) -> None:
    cell, event = CELLS[name], manifests[name]
    data = event["data"]
    assert (data["outcome"], failed_checks(event)) == (cell.outcome, cell.failed)
    assert (data["output"] or {}).get("layout") == cell.layout
    assert data["jobRunId"] == job_of(name)


@pytest.mark.parametrize("name", [name for name in CELLS if not name.startswith("never")])
def test_the_manifest_names_the_contract_and_tells_drift(
    manifests: dict[str, dict[str, Any]], name: str
) -> None:
    data, generation = manifests[name]["data"], CELLS[name].generation
    if generation.members is Kind.INVENTED:
        assert data["contract"] is None
        assert "asked about job" in data["settlement"]["lastHeard"]
        return
    newer = generation.members is Kind.NEWER
    assert data["contract"] == ("unversioned" if newer else "x-version-1")
    if name.startswith(("page", "newer")):
        assert data["drift"] == []
    elif name.startswith("other"):
        assert any(f"the layout {OTHER_FILES[name.rpartition('-')[0]][1]}" in line
                   for line in data["drift"])  # fmt: skip
    elif name.startswith("mixed"):
        assert any("is a word of the contract unversioned" in line for line in data["drift"])


def test_a_finished_job_has_the_same_figures_in_every_generation(
    manifests: dict[str, dict[str, Any]],
) -> None:
    """The same roads, matched the same."""
    matches = [manifests[f"{name}-valid"]["data"]["match"]["roads"] for name in FINISHED]
    assert matches.count(matches[0]) == len(matches)
    compared = [
        manifests[f"{name}-valid"]["data"]["statistics"]["compared"]["matchedShare"]["verdict"]
        for name in FINISHED
    ]
    assert set(compared) == {"passed"}
