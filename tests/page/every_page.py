"""Each kind of page that the project makes, from real audits and commands."""

from pathlib import Path

import pytest

from devkit.simulator.roads import match_roads, road_network
from gem_core.__main__ import main
from gem_core.audit.audit import audit, look_up_ids
from gem_core.audit.options import AuditOptions, OvertureLimits
from gem_core.audit.overture.listing import Folder, find_release
from gem_core.outcome import Outcome
from gem_core.page.make import make_page
from tests.audit import bombs
from tests.audit.build import STATISTICS, job, write, write_bytes
from tests.audit.overture.world import RELEASE, Truth, build, output, roads
from tests.page.boards import BOARDS
from tests.page.build import AT, ROWS, bad, good, page_of
from tests.preflight.inputs import CASES

NAMES = (
    "report-valid",
    "report-invalid",
    "report-without-map",
    "report-overture",
    "report-not-audited",
    "board-empty",
    "board-200",
    "board-trouble",
    "preflight",
    "succession",
)

LABELS = {"team": "maps", "region": "nl"}
"""Of the job of each report."""


def make_every_page(folder: Path) -> dict[str, str]:
    """The HTML of each page, by its name."""
    pages = {
        "report-valid": page_of(folder, *good(), labels=LABELS),
        "report-invalid": page_of(folder, *bad(), labels=LABELS),
        "report-without-map": page_of(folder, *good(), with_map=False),
        "report-overture": _overture(folder),
        "report-not-audited": _not_audited(folder),
        **BOARDS,
    }
    for name, path in _pages_of_commands(folder).items():
        pages[name] = path.read_text("utf-8")
    return pages


def _overture(folder: Path) -> str:
    """A report whose GERS ids were looked up: some are dead, some are elsewhere."""
    # A road on the other side of the earth would leave no room for the others on the map.
    truths = set(Truth) - {Truth.ANTIMERIDIAN}
    of = roads(sorted(truths) * 4)
    build(folder, of)
    asked = AuditOptions(overture=OvertureLimits())
    source = write(folder, output(of))
    figures = dict.fromkeys(STATISTICS) | {"num_roads_processed": len(of)}
    ended = job(figures, overtureRelease=RELEASE)
    report = audit(source, ended, input_source=None, options=asked)
    report = look_up_ids(report, source, find_release(Folder(folder), RELEASE), asked)
    assert report.facts.overture
    assert report.facts.overture.marked
    return make_page(report, source, AT, with_map=True, labels=LABELS).html


def _not_audited(folder: Path) -> str:
    """A report about a file with an encoding that pyarrow does not know."""
    source = write_bytes(folder, bombs.newer_encoding())
    report = audit(source, job(), input_source=None)
    assert report.outcome is Outcome.NOT_AUDITED
    return make_page(report, source, AT, with_map=True, labels=LABELS).html


def _pages_of_commands(folder: Path) -> dict[str, Path]:
    pages = {name: folder / f"{name}.html" for name in ("preflight", "succession")}
    input_ = CASES["swapped_axes_in_europe"].write(folder)
    network = road_network(ROWS, seed=1)
    runs = [
        write(folder, match_roads(network, seed=seed)[0], f"run-{seed}_matched.parquet")
        for seed in (2, 3)
    ]
    with pytest.MonkeyPatch.context() as patch:
        # The limit would hold for the tests that follow in this process.
        patch.setattr("resource.setrlimit", lambda *_: None)
        main(["preflight", str(input_), "--html", str(pages["preflight"])])
        paths = [str(run.path) for run in runs]
        main(["succession", *paths, "--html", str(pages["succession"])])
    return pages
