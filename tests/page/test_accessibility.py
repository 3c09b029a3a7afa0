"""axe finds nothing on any page: in light, in dark, on a wide screen and on a phone.

axe-core checks those rules of WCAG that a program can check: names of controls, contrast, headings,
landmarks, tables, regions that scroll.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from devkit.browser import CHROMIUM, HOW_TO_GET_IT, Scheme
from tests.page.boards import BOARDS
from tests.page.every_page import NAMES
from tests.page.frames import in_frames

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = {Scheme.LIGHT: (1200, 390), Scheme.DARK: (1200,)}
"""Of a screen and of a phone, in pixels. In the dark only colours differ."""
ASK = """<script>
axe.run({resultTypes: ["violations"]}).then(({violations, passes}) => tell({
  findings: violations.flatMap(({id, help, nodes}) =>
    nodes.map(({target, failureSummary}) => `${id}: ${help} [${target}] ${failureSummary}`)),
  passed: passes.length,
}));
</script>"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason=HOW_TO_GET_IT),
]


def findings(folder: Path, pages: Mapping[str, str], scheme: Scheme) -> dict[str, set[str]]:
    """What axe finds on each page, at each width."""
    scripts = f'<script src="{AXE.as_uri()}"></script>{ASK}'
    found: dict[str, set[str]] = {name: set() for name in pages}
    for name, told in in_frames(folder, pages, scripts, widths=WIDTHS[scheme], scheme=scheme):
        assert told["passed"] > 10  # axe has run
        found[name] |= {*told["findings"]}
    return found


@pytest.mark.parametrize("scheme", Scheme, ids=lambda scheme: scheme.name.lower())
def test_axe_finds_nothing(every_page: dict[str, str], tmp_path: Path, scheme: Scheme) -> None:
    assert findings(tmp_path, every_page, scheme) == {name: set() for name in NAMES}


def test_axe_would_find_it(tmp_path: Path) -> None:
    """A field without its label, and words that are too pale."""
    page = BOARDS["board-empty"]
    damaged = {
        "label": re.sub(r"<label>Job or label (<input [^>]*>)</label>", r"\1", page),
        "contrast": page.replace("--soft: #55606e", "--soft: #a5adb6"),
    }
    assert page not in damaged.values()
    found = findings(tmp_path, damaged, Scheme.LIGHT)
    assert {name: {line.partition(":")[0] for line in lines} for name, lines in found.items()} == {
        "label": {"label"},
        "contrast": {"color-contrast"},
    }
