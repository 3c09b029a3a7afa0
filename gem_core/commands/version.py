"""Which version this is: pyproject.toml is the one place. Edge: files, the packages installed here.

A module of its own: what it imports, no command needs at its start.
"""

import tomllib
from contextlib import suppress
from importlib import metadata
from pathlib import Path

NAME = "gem-courier"
_PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def version() -> str:
    """Of the checkout that this runs from, else as it was installed.

    In this order: beside a checkout, another version may be installed. By name: some packages leave
    a pyproject.toml of theirs among those that are installed.

    Raises:
        PackageNotFoundError: neither, as in the deployed app.

    """
    with suppress(OSError):
        project = tomllib.loads(_PROJECT.read_text(encoding="utf-8")).get("project", {})
        if project.get("name") == NAME:
            return str(project["version"])
    return metadata.version(NAME)
