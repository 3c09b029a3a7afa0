"""Takes pictures of every page, to look at: `make pictures`.

They are in `artifacts/`. After a demo, the pictures of the documents are taken again too, from the
pages that it kept.
"""

import sys
import tempfile
from pathlib import Path

from devkit.browser import Scheme, photograph
from devkit.demo import MANIFESTS
from tests.page.every_page import make_every_page

ROOT = Path(__file__).resolve().parents[2]
SCREENS = {
    "light": ("1200,4000", Scheme.LIGHT),
    "dark": ("1200,4000", Scheme.DARK),
    "phone": ("500,6600", Scheme.LIGHT),
}
"""Window sizes in pixels, and colours. Chromium makes no window that is narrower than 500."""
DOCUMENTS = {"board": "1280,880", "report": "1000,860"}
"""The window sizes of docs/pictures."""


def main() -> int:
    """Take the pictures and print their names."""
    (ROOT / "artifacts").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, html in make_every_page(folder).items():
            page = folder / f"{name}.html"
            page.write_text(html, "utf-8")
            for screen, (size, scheme) in SCREENS.items():
                picture = ROOT / "artifacts" / f"{name}-{screen}.png"
                photograph(folder / "profile", page, picture, size, scheme)
                print(picture.relative_to(ROOT))
        for name, size in DOCUMENTS.items():
            if (page := MANIFESTS / f"{name}.html").exists():
                picture = ROOT / "docs" / "pictures" / f"{name}.png"
                photograph(folder / "profile", page, picture, size, Scheme.LIGHT)
                print(picture.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
