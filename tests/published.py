"""What is published, as tests read it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from devkit.stage import sample_settings
from gem_core.functions import OPENAPI
from gem_core.settings.app_settings import read_settings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SAMPLE = sample_settings()
"""Every setting of the app: tests/test_docs.py checks that."""
HOSTS_OWN = {"AzureWebJobsStorage", "FUNCTIONS_WORKER_RUNTIME"}
PLATFORMS_OWN = {"IDENTITY_ENDPOINT"}
"""What only the platform sets."""


class Recording(Mapping[str, str]):
    """The sample's settings. Records every name that is read."""

    def __init__(self) -> None:
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return SAMPLE[name]

    def __iter__(self) -> Iterator[str]:
        return iter(SAMPLE)

    def __len__(self) -> int:
        return len(SAMPLE)


def settings_of_the_code() -> set[str]:
    """Every name that `read_settings` reads, and that somebody sets."""
    recording = Recording()
    read_settings(recording)
    return recording.read - PLATFORMS_OWN


DOCUMENT: dict[str, Any] = json.loads(OPENAPI.read_text(encoding="utf-8"))


METHODS = {"get", "put", "post", "patch", "delete", "head"}


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    """Method and path to what the document says."""
    return {
        (method.upper(), path): operation
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }
