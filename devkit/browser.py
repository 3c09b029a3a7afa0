"""Chromium without a window: opens a page, and takes pictures of it."""

import os
import shutil
import subprocess
from enum import StrEnum
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HOW_TO_GET_IT = "needs Chromium: apt-get install chromium (or brew, choco)"
_FLAGS = (
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


class Scheme(StrEnum):
    """The colours that the reader prefers."""

    LIGHT = "--blink-settings=preferredColorScheme=1"
    DARK = "--blink-settings=preferredColorScheme=0"


def browse(profile: Path, page: Path, *options: str) -> str:
    """Open a page and return what Chromium prints, such as the page as HTML for `--dump-dom`.

    Args:
        profile: a folder for the browser's profile.
        page: an HTML file.
        options: of Chromium.

    Raises:
        RuntimeError: there is no Chromium, or the page wrote something to the console.

    """
    if not CHROMIUM:
        raise RuntimeError(HOW_TO_GET_IT)
    # Chromium's sandbox does not start as root.
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    done = subprocess.run(
        [CHROMIUM, *_FLAGS, *root, f"--user-data-dir={profile}", *options, page.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    if ":CONSOLE" in done.stderr:
        raise RuntimeError(f"the console has words: {done.stderr}")
    return done.stdout


def photograph(profile: Path, page: Path, picture: Path, size: str, scheme: Scheme) -> None:
    """Take a picture of a page in a window of a size, such as "1200,800" pixels."""
    picture.unlink(missing_ok=True)
    browse(profile, page, f"--window-size={size}", scheme, f"--screenshot={picture}")
