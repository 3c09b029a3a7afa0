"""The app, with an entry point that cannot be loaded."""

import shutil
from pathlib import Path

from devkit.stage import ROOT


def broken_app(folder: Path, functions: str) -> Path:
    """The app, with another gem_core/functions.py."""
    for name in ("function_app.py", "host.json"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "gem_core", folder / "gem_core")
    (folder / "gem_core" / "functions.py").write_text(functions, encoding="utf-8")
    return folder
