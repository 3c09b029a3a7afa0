"""Golden files: one stored document or message each, as an earlier version or this one wrote it.

From the first release on, a golden file is never changed. When a document gets another form, a file
with a number is added (decision 139).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.fakes import MemoryDocuments

FOLDER = Path(__file__).resolve().parent / "golden"


@dataclass(frozen=True, slots=True)
class Golden:
    """A document of a container, or a message of a queue."""

    store: str
    """The container or queue."""
    name: str
    """Of the document in its container; empty for a message."""
    metadata: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, documents: MemoryDocuments, name: str) -> Self:
        """A document as it is stored now."""
        held = documents.get(name)
        assert held, f"{name} is not in {documents.url('')}"
        (listed,) = documents.page(prefix=name, size=1).items
        return cls(documents.url("").split("/")[-2], name, listed.metadata, held.body)

    @classmethod
    def read(cls, path: Path) -> Self:
        """A golden file."""
        held = json.loads(path.read_text(encoding="utf-8"))
        body = held["body"]
        text = "" if body is None else json.dumps(body, ensure_ascii=False)
        return cls(held["store"], held["name"], held["metadata"], text.encode())

    def text(self) -> str:
        """The golden file of this document."""
        held = {
            "store": self.store,
            "name": self.name,
            "metadata": dict(self.metadata),
            "body": self.json,
        }
        return json.dumps(held, indent=1, ensure_ascii=False) + "\n"

    @property
    def json(self) -> Any:  # noqa: ANN401 - any JSON value
        """The body, or None when it is empty."""
        return json.loads(self.body) if self.body else None

    def form(self) -> frozenset[tuple[str, str]]:
        """Every member with the type of its value, the metadata too: what readers depend on."""
        metadata = {(f"metadata.{name}", "string") for name in self.metadata}
        return frozenset({*metadata, *members(self.json)})


OPEN = {"labels", "sentTo", "lastAnswer", "answer", "reported", "secondsByKind"}
"""Members whose own members are words of callers or of GEM."""
_TYPES = {bool: "boolean", int: "number", float: "number", str: "string", type(None): "null"}


def members(value: Any, path: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any JSON value
    """Each member of a JSON value by its path, such as "history[].at", with its JSON type."""
    if isinstance(value, dict):
        if path:
            yield path, "object"
        if path.rpartition(".")[2] not in OPEN:
            for name, each in value.items():
                yield from members(each, f"{path}.{name}".removeprefix("."))
    elif isinstance(value, list):
        yield path, "array"
        for each in value:
            yield from members(each, f"{path}[]")
    else:
        yield path, _TYPES[type(value)]


def kept(folder: Path = FOLDER) -> dict[str, list[Golden]]:
    """All golden files by document: each form that it has had."""
    found: dict[str, list[Golden]] = {}
    for path in sorted(folder.glob("*.json")):
        found.setdefault(path.name.partition(".")[0], []).append(Golden.read(path))
    return found


def add(documents: Mapping[str, Golden], folder: Path = FOLDER) -> list[Path]:
    """Write a golden file for each document whose form has none; never over one that is there."""
    known = kept(folder)
    added = []
    for document, now in documents.items():
        if now.form() not in {golden.form() for golden in known.get(document, [])}:
            names = (f"{document}.json", *(f"{document}.{number}.json" for number in range(2, 99)))
            added.append(next(path for name in names if not (path := folder / name).exists()))
            with added[-1].open("x", encoding="utf-8") as file:
                file.write(now.text())
    return added
