"""The version of GEM Courier, as pyproject.toml gives it. Edge: files, installed packages.

This is a separate module because its imports would slow down the start of every command.
"""

import tomllib
from contextlib import suppress
from importlib import metadata
from pathlib import Path

NAME = "gem-courier"
_PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def version() -> str:
    """The version of this checkout, or else of the installed package.

    The checkout comes first because another version may be installed beside it. The project name is
    compared because other packages may install their own pyproject.toml at that place.

    Raises:
        PackageNotFoundError: this is neither a checkout nor installed, as in the deployed app.

    """
    with suppress(OSError):
        project = tomllib.loads(_PROJECT.read_text(encoding="utf-8")).get("project", {})
        if project.get("name") == NAME:
            return str(project["version"])
    return metadata.version(NAME)
