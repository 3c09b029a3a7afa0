"""Bicep files as syntax trees: declarations, properties. Reads files, runs no compiler."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_bicep.language()))
NAMES = {"identifier", "compatible_identifier"}


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource declaration."""

    file: str
    name: str
    kind: str
    """Type without the API version."""
    version: str
    existing: bool
    body: Node


class BicepFile:
    """One parsed file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.nodes = _parsed(path.read_bytes())
        self.root = self.nodes[0]

    @property
    def errors(self) -> list[int]:
        """The lines that are not valid Bicep."""
        return [
            node.start_point[0] + 1
            for node in self.nodes
            if node.type == "ERROR" or node.is_missing
        ]

    def declared(self, kind: str) -> dict[str, Node]:
        """The declarations of a kind ("parameter", "variable", "output", "module") by name."""
        return {
            text(_named(node)): node for node in self.nodes if node.type == f"{kind}_declaration"
        }

    def resources(self) -> Iterator[Resource]:
        """Every resource, those that exist already included."""
        for name, node in self.declared("resource").items():
            kind, _, version = path_of(node).partition("@")
            existing = any(text(child) == "existing" for child in node.children)
            yield Resource(self.path.name, name, kind, version, existing, object_of(node))


def files(infra: Path) -> list[BicepFile]:
    """Every Bicep file under a folder."""
    return [BicepFile(path) for path in sorted(infra.rglob("*.bicep"))]


@cache
def _parsed(source: bytes) -> tuple[Node, ...]:
    """The root and all nodes below it. Copies of a checkout differ in one file at most."""
    return tuple(walk(_PARSER.parse(source).root_node))


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def text(node: Node) -> str:
    """The source of a node."""
    return (node.text or b"").decode()


def string(node: Node) -> str:
    """The text between the quotes; an interpolation is not evaluated."""
    return text(node).strip("'")


def path_of(declaration: Node) -> str:
    """The text of a resource's type or of a module's path."""
    return string(next(child for child in declaration.named_children if child.type == "string"))


def object_of(node: Node) -> Node:
    """The first object in a declaration, be it conditional or in a loop."""
    return next(child for child in walk(node) if child.type == "object")


def values(body: Node) -> Iterator[tuple[str, Node]]:
    """Each property of an object, and its value."""
    for child in body.named_children:
        if child.type == "object_property":
            key, value = child.named_children[0], child.named_children[-1]
            yield (string(key) if key.type == "string" else text(key)), value


def properties(body: Node) -> dict[str, str]:
    """Every property below an object as dotted path and source of its value."""
    found: dict[str, str] = {}
    for name, value in values(body):
        if value.type == "object":
            inner = properties(value)
            found |= {f"{name}.{path}": source for path, source in inner.items()}
        else:
            found[name] = text(value)
    return found


def _named(declaration: Node) -> Node:
    return next(child for child in declaration.named_children if child.type in NAMES)
