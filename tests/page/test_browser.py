"""The pages in a real browser: they render, write nothing to the console, and fit every screen.

`make pictures` takes pictures of them to look at.
"""

from pathlib import Path

import pytest

from devkit.browser import CHROMIUM, HOW_TO_GET_IT, Scheme, browse
from tests.page.build import SCRIPT
from tests.page.frames import in_frames

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason=HOW_TO_GET_IT),
]

PROBE = """<script>
const plots = [...document.querySelectorAll('svg[role=img]')].filter(svg => {
  const box = svg.getBoundingClientRect();
  return box.width > 200 && box.height > 80;
});
const bars = [...document.querySelectorAll('.plot rect.matched')]
  .filter(bar => bar.getBoundingClientRect().height > 1);
tell({
  width: document.documentElement.scrollWidth - innerWidth,
  plots: plots.map(svg => svg.querySelector('title').textContent),
  bars: bars.length,
  ground: getComputedStyle(document.body).backgroundColor,
  title: document.title,
});
</script>"""
"""Measures the rendered page."""
PLOTS = {
    "report-valid": ["Histogram of match_confidence", "Map of sampled roads"],
    "report-invalid": ["Histogram of match_confidence", "Map of sampled roads"],
    "report-overture": ["Histogram of match_confidence", "Map of sampled roads"],
    "report-without-map": ["Histogram of match_confidence"],
    "preflight": ["Map of sampled roads"],
    "succession": ["Map of sampled roads"],
}
GROUNDS = {Scheme.LIGHT: "rgb(255, 255, 255)", Scheme.DARK: "rgb(17, 22, 28)"}
WIDTHS = (390, 700, 1200)
"""Of a phone, a tablet and a screen, in pixels."""


@pytest.mark.parametrize("scheme", Scheme, ids=lambda scheme: scheme.name.lower())
def test_every_page_renders(every_page: dict[str, str], tmp_path: Path, scheme: Scheme) -> None:
    """Plots and bars have a size, nothing is wider than the screen, and no text became code."""
    for name, told in in_frames(tmp_path, every_page, PROBE, widths=WIDTHS, scheme=scheme):
        assert told["width"] == 0, name
        assert told["plots"] == PLOTS.get(name, []), name
        assert bool(told["bars"]) == ("Histogram of match_confidence" in told["plots"]), name
        assert told["ground"] == GROUNDS[scheme], name
        assert told["title"] != "run", name


def test_a_script_would_have_run(tmp_path: Path) -> None:
    """The value that must stay text does run when it is markup: the test above can fail."""
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html><title>page</title><body>{SCRIPT}")
    assert "<title>run</title>" in browse(tmp_path / "p", page, "--dump-dom")


def test_a_word_on_the_console_is_an_error(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<!doctype html><title>page</title><script>console.log('word')</script>")
    with pytest.raises(RuntimeError, match="word"):
        browse(tmp_path / "p", page, "--dump-dom")
