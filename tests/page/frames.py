"""Many pages in one browser, each in a frame with scripts that look at it and tell."""

import html
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from devkit.browser import Scheme, browse

COLLECT = """<script>
const found = [];
onmessage = ({data}) => {
  found.push(data);
  document.documentElement.dataset.found = JSON.stringify(found);
};
</script>"""


def in_frames(
    folder: Path,
    pages: Mapping[str, str],
    scripts: str,
    *,
    widths: Sequence[int],
    scheme: Scheme = Scheme.LIGHT,
) -> list[tuple[str, Any]]:
    """Show each page at each width in pixels.

    Args:
        folder: for the files.
        pages: HTML by name.
        scripts: `<script>` elements, which call `tell(answer)` once.
        widths: of the frames; the media queries of a phone hold in a narrow one.
        scheme: the colours.

    Returns:
        The name of a page and what its scripts told, for each page and width.

    """
    frames = ""
    for name, page in pages.items():
        # The pages allow no scripts.
        open_page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
        tell = f"<script>const tell = (it) => parent.postMessage(['{name}', it], '*')</script>"
        text = open_page.replace("</body>", f"{tell}{scripts}</body>")
        (folder / f"{name}.html").write_text(text, "utf-8")
        for width in widths:
            frames += (
                f"<iframe src='{name}.html' width={width} height=900 style='border:0'></iframe>"
            )
    around = folder / "all.html"
    around.write_text(f"<!doctype html><title>all</title>{COLLECT}{frames}", "utf-8")
    # Virtual time passes as fast as the scripts let it.
    dom = browse(folder / "profile", around, scheme, "--dump-dom", "--virtual-time-budget=600000")
    told = html.unescape(dom.partition('data-found="')[2].partition('"')[0])
    answers = [(name, answer) for name, answer in json.loads(told)]
    assert len(answers) == len(pages) * len(widths)
    return answers
