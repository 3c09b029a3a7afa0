"""Names in Bicep: each that is used is declared, each parameter and variable is used.

And members: an output of a module is one of its file, a property of a resource is one of its type.
"""

from collections.abc import Iterator

from tree_sitter import Node

from tests.infra.bicep import NAMES, BicepFile, items_of, path_of, text, type_of, values
from tests.infra.resource_types import known

_BUILT_IN = {
    "concat",
    "contains",
    "empty",
    "environment",
    "guid",
    "listKeys",
    "loadTextContent",
    "range",
    "replace",
    "resourceGroup",
    "split",
    "subscription",
    "subscriptionResourceId",
    "toLower",
    "union",
    "uniqueString",
}
"""The functions that infra/ calls, of those that Bicep has."""

_RESULTS = {
    "environment()": {"suffixes", "suffixes.storage", "suffixes.keyvaultDns"},
    "subscription()": {"id", "tenantId"},
    "resourceGroup()": {"id"},
    "listKeys()": {"systemKeys", "systemKeys.blobs_extension"},
}
"""What infra/ takes of what functions return, of what they have."""
_DECORATORS = {
    "allowed",
    "description",
    "maxLength",
    "maxValue",
    "metadata",
    "minLength",
    "minValue",
}


def faults(file: BicepFile) -> Iterator[str]:
    """Every undeclared name of a file."""
    kinds = ("parameter", "variable", "resource", "module")
    declared = {kind: file.declared(kind) for kind in kinds}
    names = {name for each in declared.values() for name in each} | _BUILT_IN
    used = set()
    for node, local in _uses(file.root, frozenset()):
        used.add(text(node))
        if text(node) not in names | local:
            yield f"{file.path.name}:{node.start_point[0] + 1}: {text(node)} is not declared"
    for name in sorted({*declared["parameter"], *declared["variable"]} - used):
        yield f"{file.path.name}: {name} is not used"
    for node in file.nodes:
        if (
            node.type == "decorator"
            and (name := text(node).strip("@").partition("(")[0]) not in _DECORATORS
        ):
            yield f"{file.path.name}:{node.start_point[0] + 1}: no decorator {name}"
    yield from _members(file)


_LITERALS = {
    "string": "string",
    "number": "int",
    "boolean": "bool",
    "array": "array",
    "for_statement": "array",
    "object": "object",
}


def kind_of(value: Node, file: BicepFile) -> str | None:
    """The type of a literal, a parameter or a module's output; None for what needs evaluation."""
    if value.type in NAMES and text(value) in (declared := file.declared("parameter")):
        return type_of(declared[text(value)])
    if value.type == "member_expression":
        root, path = _chain(value)
        module = file.declared("module").get(root)
        if module and path[0] == "outputs":
            output = BicepFile(file.path.parent / path_of(module)).declared("output").get(path[1])
            return type_of(output) if output else None
    return _LITERALS.get(value.type)


def _uses(node: Node, local: frozenset[str]) -> Iterator[tuple[Node, frozenset[str]]]:
    """Every identifier that stands for a value, with the names that loops around it declare."""
    children = node.named_children
    if node.type in {"decorators", "type"}:
        return
    if node.type.endswith("_declaration") or node.type == "object_property":
        children = children[1:] if children[0].type in NAMES else children
    if node.type == "for_statement":
        head = children[0]
        inner = head.named_children if head.type == "for_loop_parameters" else [head]
        local |= {text(each) for each in inner}
        children = children[1:]
    if node.type in NAMES:
        yield node, local
    for child in children:
        yield from _uses(child, local)


def _members(file: BicepFile) -> Iterator[str]:
    resources = {each.name: f"{each.kind}@{each.version}" for each in file.resources()}
    modules = file.declared("module")
    for node in file.nodes:
        if node.type != "member_expression":
            continue
        root, path = _chain(node)
        where = f"{file.path.name}:{node.start_point[0] + 1}: {text(node)}"
        if root in modules:
            target = file.path.parent / path_of(modules[root])
            outputs = BicepFile(target).declared("output")
            if path[0] != "outputs" or (len(path) > 1 and path[1] not in outputs):
                yield f"{where}: {target.name} has no such output"
        elif not (_has(resources[root], path) if root in resources else _gives(root, path)):
            yield f"{where}: no such property"
        elif any(path[0] not in dict(values(item)) for item in items_of(root, node, file)):
            yield f"{where}: not every item has it"


def _chain(node: Node) -> tuple[str, list[str]]:
    """What a member is taken of, and the names on the way; an index leads on to each item."""
    if node.type == "member_expression":
        root, path = _chain(node.named_children[0])
        return root, [*path, text(node.named_children[1])]
    if node.type == "subscript_expression":
        return _chain(node.named_children[0])
    if node.type == "call_expression":
        return text(node.named_children[0]) + "()", []
    return (text(node), []) if node.type in NAMES else ("", [])


def _gives(function: str, path: list[str]) -> bool:
    return function not in _RESULTS or ".".join(path) in _RESULTS[function]


def _has(resource_type: str, path: list[str]) -> bool:
    resources, objects = known()
    kind = resources.get(resource_type, "any")
    if path[0] in {"id", "name", "type", "apiVersion"}:
        return len(path) == 1
    for name in path:
        if not kind.startswith("#") or kind.endswith("[]"):
            return kind == "any"
        members = objects[kind.removeprefix("#")]
        kind = next(
            (members[key] for key in (name, f"{name}!", f"{name}-", "*") if key in members), ""
        )
    return kind != ""
