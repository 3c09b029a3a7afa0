"""The checks of the infrastructure. Each returns the faults that it finds in a checkout.

A check is a function of a folder, so that a mistake can be seeded into a copy (seeding.py).
"""

from collections.abc import Callable
from pathlib import Path

from tests.infra import bicep, compiler, contract, hooks, package, policy, queries
from tests.infra.workflows import workflows

type Check = Callable[[Path], list[str]]


def syntax(root: Path) -> list[str]:
    """Every file is Bicep."""
    return [
        f"{file.path.name}:{line}: syntax"
        for file in bicep.files(root / "infra")
        for line in file.errors
    ]


NEED_COMPILER = {"compiled", "snapshots"}
"""They also need bicep on the PATH."""

CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        syntax,
        compiler.compiled,
        compiler.snapshots,
        policy.security,
        policy.roles,
        policy.scopes,
        policy.condition,
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
