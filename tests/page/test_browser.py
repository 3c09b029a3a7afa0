"""The page in a real browser: it renders, writes nothing to the console, and fits every screen.

Screenshots are kept in `artifacts/`.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gem_core.__main__ import main
from tests.audit.build import matched_table, write
from tests.page.build import SCRIPT, bad, good, page_of
from tests.preflight.inputs import CASES

ROOT = Path(__file__).resolve().parent.parent.parent
ARTIFACTS = ROOT / "artifacts"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--v=0",
)
LIGHT, DARK = "--blink-settings=preferredColorScheme=1", "--blink-settings=preferredColorScheme=0"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None, reason="needs Chromium: apt-get install chromium (or brew, choco)"
    ),
]

PROBE = """<script>
const overflow = document.documentElement.scrollWidth - innerWidth;
const plots = [...document.querySelectorAll('svg[role=img]')].map(svg => {
  const box = svg.getBoundingClientRect();
  return svg.querySelector('title').textContent + '=' + (box.width > 200 && box.height > 100);
});
const ground = getComputedStyle(document.body).backgroundColor;
const bars = [...document.querySelectorAll('.plot rect.matched')]
  .filter(bar => bar.getBoundingClientRect().height > 1).length;
document.documentElement.dataset.probe = JSON.stringify({overflow, plots, ground, bars,
  title: document.title, scripts: document.scripts.length});
</script>"""
"""Measures the rendered page; put into a copy of it without the policy against scripts."""


def browse(folder: Path, page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Open a page. Fails when the browser writes anything to the console."""
    assert CHROMIUM
    # Chromium's sandbox does not start as root.
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    done = subprocess.run(
        [CHROMIUM, *FLAGS, *root, f"--user-data-dir={folder}", *options, page.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert ":CONSOLE" not in done.stderr
    return done


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    found = {}
    for name, made in {"good": good(), "bad": bad()}.items():
        folder = tmp_path_factory.mktemp(name)
        found[name] = folder / "report.html"
        found[name].write_text(page_of(folder, *made), "utf-8")
    folder = tmp_path_factory.mktemp("commands")
    found["preflight"] = folder / "preflight.html"
    roads = CASES["swapped_axes_in_europe"].write(folder)
    found["succession"] = folder / "succession.html"
    runs = [write(folder, matched_table(9, of), f"{of}_matched.parquet") for of in (7, 4)]
    with pytest.MonkeyPatch.context() as patch:
        # The limit would hold for the tests that follow in this process.
        patch.setattr("resource.setrlimit", lambda *_: None)
        main(["preflight", str(roads), "--html", str(found["preflight"])])
        paths = [str(run.path) for run in runs]
        main(["succession", *paths, "--html", str(found["succession"])])
    return found


@pytest.mark.parametrize("name", ["good", "bad"])
@pytest.mark.parametrize(
    ("screen", "size", "scheme"),
    [
        ("light", "1100,4000", LIGHT),
        ("dark", "1100,4000", DARK),
        ("phone", "390,6600", LIGHT),
    ],
)
def test_screenshots(
    pages: dict[str, Path], tmp_path: Path, name: str, screen: str, size: str, scheme: str
) -> None:
    """A picture to look at, and a console without a word."""
    ARTIFACTS.mkdir(exist_ok=True)
    picture = ARTIFACTS / f"report-{name}-{screen}.png"
    picture.unlink(missing_ok=True)
    browse(tmp_path, pages[name], f"--window-size={size}", scheme, f"--screenshot={picture}")
    assert picture.read_bytes().startswith(b"\x89PNG")
    # An empty picture of this size has some 6 kB.
    assert picture.stat().st_size > 100_000


@pytest.mark.parametrize("name", ["good", "bad"])
@pytest.mark.parametrize(
    ("width", "scheme", "ground"),
    [(1100, LIGHT, "rgb(255, 255, 255)"), (1100, DARK, "rgb(17, 22, 28)"), (500, LIGHT, "rgb(255")],
)
def test_it_renders(
    pages: dict[str, Path], tmp_path: Path, name: str, width: int, scheme: str, ground: str
) -> None:
    """Both plots have a size, the bars too, nothing is wider than the screen, no text became code.

    500 is the narrowest window that headless Chromium gives without a screenshot; the phone's width
    is that of an iframe.
    """
    page = tmp_path / "probe.html"
    html = (
        pages[name].read_text("utf-8").replace("default-src 'none'", "script-src 'unsafe-inline'")
    )
    page.write_text(html.replace("</body>", PROBE + "</body>"), "utf-8")
    done = browse(tmp_path / "p", page, f"--window-size={width},900", scheme, "--dump-dom")
    probe = done.stdout.partition('data-probe="')[2].partition('"')[0].replace("&quot;", '"')
    assert '"overflow":0' in probe
    assert "Histogram of match_confidence=true" in probe
    assert "Map of sampled roads=true" in probe
    assert f'"ground":"{ground}' in probe
    assert '"scripts":1' in probe
    assert '"title":"run"' not in probe
    assert '"bars":0' not in probe


@pytest.mark.parametrize("name", ["good", "bad", "preflight", "succession"])
def test_nothing_is_wider_than_a_phone(pages: dict[str, Path], tmp_path: Path, name: str) -> None:
    """In a frame of 390 pixels, where the media queries of a phone hold."""
    html = (
        pages[name].read_text("utf-8").replace("default-src 'none'", "script-src 'unsafe-inline'")
    )
    inner = tmp_path / "inner.html"
    tell = "<script>parent.postMessage(document.documentElement.scrollWidth, '*')</script>"
    inner.write_text(html.replace("</body>", tell + "</body>"), "utf-8")
    outer = tmp_path / "outer.html"
    outer.write_text(
        "<!doctype html><body><iframe src='inner.html' width=390 height=900 style='border:0'>"
        "</iframe><script>onmessage = e => document.body.dataset.width = e.data</script>",
        "utf-8",
    )
    done = browse(tmp_path / "p", outer, "--dump-dom", "--virtual-time-budget=3000")
    assert 'data-width="390"' in done.stdout


def test_a_script_would_have_run(tmp_path: Path) -> None:
    """The value that must stay text does run when it is markup: the test above can fail."""
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html><title>page</title><body>{SCRIPT}")
    assert "<title>run</title>" in browse(tmp_path / "p", page, "--dump-dom").stdout
