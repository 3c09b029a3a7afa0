"""Checks Bicep against the types of Azure's resources, as the compiler does.

The types are two files of `types/`: `from-microsoft.json`, made by `make infra-types`, and
`by-hand.json` for those that its source lacks. An object is a map of property names to kinds: a
name with `!` is required, one with `-` is read-only, `*` is any further name. A kind is `string`,
`int`, `bool`, `any`, a literal in quotes, `#` and the name of an object, each perhaps with `[]`,
or several of them between bars. An object with `?` takes one of its `choices` by that property.

Stricter than the compiler in one thing: where Azure takes named values or any string, only the
names are accepted. What a literal, a parameter, a condition or a loop's item gives is judged; calls
and members of other objects are not.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tree_sitter import Node

from tests.infra.bicep import (
    NAMES,
    BicepFile,
    Resource,
    items_of,
    string,
    text,
    type_of,
    values,
)

FOLDER = Path(__file__).parent / "types"
_CALLED = {"string": "string", "number": "int", "boolean": "bool"}
_OF_BICEP = frozenset({"parent", "scope", "dependsOn"})
"""Properties of a declaration in Bicep; the type of the resource does not have them."""

_EXTENSIONS = {"Microsoft.Authorization/roleAssignments", "Microsoft.Insights/diagnosticSettings"}
"""Types that are about another resource, which their scope names."""

type Type = dict[str, Any]


@cache
def known() -> tuple[dict[str, str], dict[str, Type]]:
    """Resource types (`type@version` to the name of its object), and objects by name."""
    resources: dict[str, str] = {}
    objects: dict[str, Type] = {}
    for name in ("from-microsoft.json", "by-hand.json"):
        source = json.loads((FOLDER / name).read_text(encoding="utf-8"))
        resources |= source["resources"]
        objects |= source["types"]
    return resources, objects


def faults(file: BicepFile) -> Iterator[str]:
    """Every departure of a file's resources from their types."""
    resources, _ = known()
    checker = _Checker(file)
    for resource in file.resources():
        kind = resources.get(f"{resource.kind}@{resource.version}")
        if kind is None:
            yield f"{file.path.name}: {resource.name}: no type {resource.kind}@{resource.version}"
        elif not resource.existing:
            yield from checker.resource(resource, kind)
        yield from (f"{file.path.name}: {resource.name}: {fault}" for fault in _placed(resource))


def _placed(resource: Resource) -> Iterator[str]:
    """What Bicep requires of a declaration: name, parent of a child, scope of an extension."""
    has = {name for name, _ in values(resource.body)}
    if "name" not in has:
        yield "has no name"
    is_child = resource.kind.count("/") > 1
    if is_child != ("parent" in has):
        yield "has no parent" if is_child else "has a parent"
    if resource.kind in _EXTENSIONS and "scope" not in has:
        yield "has no scope"


class _Checker:
    """One file's literals, parameters and conditions."""

    def __init__(self, file: BicepFile) -> None:
        self._file = file
        self._declared = {name: type_of(node) for name, node in file.declared("parameter").items()}

    def resource(self, resource: Resource, kind: str) -> Iterator[str]:
        yield from self._object(resource.body, kind, resource.name, ignored=_OF_BICEP)

    def _object(
        self, node: Node, kind: str, path: str, ignored: frozenset[str] = frozenset()
    ) -> Iterator[str]:
        members = known()[1][kind.removeprefix("#")]
        given = {name: value for name, value in values(node) if name not in ignored}
        if by := members.get("?"):
            chosen = given.get(by)
            if chosen is None:
                yield self._say(node, f"{path}: has no {by}")
                return
            members = members["choices"].get(string(chosen))
            if members is None:
                yield self._say(chosen, f"{path}.{by}: no such choice: {text(chosen)}")
                return
        for name, value in given.items():
            here = f"{path}.{name}"
            found = members.get(name) or members.get(f"{name}!") or members.get("*")
            if f"{name}-" in members:
                yield self._say(value, f"{here}: is read-only")
            elif found is None:
                yield self._say(value, f"{here}: no such property")
            else:
                yield from self._value(value, found, here)
        required = {name[:-1] for name in members if name.endswith("!")}
        for name in sorted(required - set(given)):
            yield self._say(node, f"{path}: has no {name}")

    def _value(self, node: Node, kinds: str, path: str) -> Iterator[str]:
        members = kinds.split(" | ")
        if "any" in members or node.type == "null":
            return
        inner = self._of_items(node) or _within(node)
        if inner is not None:
            for each in inner:
                yield from self._value(each, kinds, path)
        elif node.type == "object" and any(map(_is_object, members)):
            yield from self._object(node, next(filter(_is_object, members)), path)
        elif node.type in {"array", "for_statement"} and any(map(_is_array, members)):
            items = " | ".join(each.removesuffix("[]") for each in filter(_is_array, members))
            each_item = node.named_children if node.type == "array" else node.named_children[-1:]
            for each in each_item:
                yield from self._value(each, items, f"{path}[]")
        elif not self._fits(node, members):
            yield self._say(node, f"{path}: {text(node)[:60]} instead of {kinds}")

    def _of_items(self, node: Node) -> list[Node]:
        """What `item.name` gives in a loop over objects."""
        if node.type != "member_expression" or node.named_children[0].type not in NAMES:
            return []
        loop, name = text(node.named_children[0]), text(node.named_children[1])
        items = items_of(loop, node, self._file)
        return [value for item in items for key, value in values(item) if key == name]

    def _fits(self, node: Node, members: list[str]) -> bool:
        literals = {each for each in members if each.startswith("'") and not each.endswith("[]")}
        match node.type:
            case "string" if literals:
                return text(node) in literals or _is_interpolated(node)
            case "string" | "number" | "boolean":
                return _CALLED[node.type] in members
            case "identifier":
                return _may_be(self._declared.get(text(node), "any"), members)
        return node.type not in {"object", "array", "for_statement"}

    def _say(self, node: Node, what: str) -> str:
        return f"{self._file.path.name}:{node.start_point[0] + 1}: {what}"


def _within(node: Node) -> list[Node] | None:
    """The values that a condition or parentheses can give; None when the node is a value itself."""
    match node.type:
        case "parenthesized_expression":
            return node.named_children
        case "ternary_expression":
            return node.named_children[1:]
    return None


def _is_array(kind: str) -> bool:
    return kind.endswith("[]")


def _is_object(kind: str) -> bool:
    return kind.startswith("#") and not _is_array(kind)


def _is_interpolated(node: Node) -> bool:
    return any(child.type == "interpolation" for child in node.named_children)


def _may_be(declared: str, members: list[str]) -> bool:
    """Whether a parameter of that type can be one of these kinds."""
    match declared:
        case "string":
            return any(each == "string" or each.startswith("'") for each in members)
        case "int" | "bool":
            return declared in members
        case "array":
            return any(map(_is_array, members))
        case "object":
            return any(map(_is_object, members))
    return True
