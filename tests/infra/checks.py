"""The checks of the infrastructure. Each returns the faults that it finds in a checkout.

A check is a function of a folder, so that a mistake can be seeded into a copy (seeding.py).
"""

from collections.abc import Callable
from pathlib import Path

from tests.infra import bicep, contract, hooks, package, policy, queries, resource_types, symbols
from tests.infra.workflows import workflows

type Check = Callable[[Path], list[str]]


def syntax(root: Path) -> list[str]:
    """Every file is Bicep."""
    return [
        f"{file.path.name}:{line}: syntax"
        for file in bicep.files(root / "infra")
        for line in file.errors
    ]


def types(root: Path) -> list[str]:
    """The type of a resource has each of its properties, and no required property is missing."""
    return [fault for file in bicep.files(root / "infra") for fault in resource_types.faults(file)]


def names(root: Path) -> list[str]:
    """Every name is declared, and every parameter and variable is used."""
    return [fault for file in bicep.files(root / "infra") for fault in symbols.faults(file)]


def modules(root: Path) -> list[str]:
    """A module gets its parameters, with the right types; those with a default are optional."""
    found = []
    for file in bicep.files(root / "infra"):
        for name, node in file.declared("module").items():
            target = file.path.parent / bicep.path_of(node)
            if not target.exists():
                found.append(f"{name}: {target.name} does not exist")
                continue
            wanted = bicep.BicepFile(target).declared("parameter")
            required = {key for key, each in wanted.items() if "=" not in bicep.text(each)}
            has = dict(bicep.values(bicep.object_of(node)))
            if has.keys() - {"dependsOn"} != {"name", "scope", "params"}:
                found.append(f"{name}: has {', '.join(sorted(has))}")
                continue
            given = dict(bicep.values(has["params"]))
            found += [f"{name}: unknown parameter {key}" for key in sorted(given.keys() - wanted)]
            found += [f"{name}: missing parameter {key}" for key in sorted(required - given.keys())]
            for key in given.keys() & wanted.keys():
                kind, asked = symbols.kind_of(given[key], file), bicep.type_of(wanted[key])
                if kind not in {None, asked}:
                    found.append(f"{name}: {key} is {kind} instead of {asked}")
    return found


CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        syntax,
        types,
        names,
        modules,
        policy.security,
        policy.roles,
        policy.scopes,
        policy.telemetry,
        contract.parameters,
        contract.settings,
        contract.stores,
        contract.bindings,
        contract.azure_yaml,
        queries.kql,
        queries.words,
        queries.alerts,
        hooks.hooks,
        hooks.powershell,
        workflows,
        package.package,
        package.lock,
        package.runtime,
    )
}
