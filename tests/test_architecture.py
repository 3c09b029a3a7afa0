"""Who may import whom, who may read the clock, and what the app may not load at its start."""

import argparse
import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from gem_core.__main__ import command_line

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "gem_core"
MODULES = sorted(CORE.rglob("*.py"))

ROWS = (
    (
        *("errors", "outcome", "logs", "secret", "moments", "counts", "http_session"),
        *("redaction", "failure", "log_guard"),
    ),
    ("settings",),
    ("storage",),
    ("gem",),
    ("watch",),
    ("audit.arrow",),
    ("audit.reading",),
    ("audit.contract", "audit.options"),
    ("audit.parquet",),
    ("audit.rows",),
    ("audit.ids",),
    ("audit.against_input",),
    ("audit.overture",),
    ("audit.judging",),
    ("audit.audit",),
    ("page",),
    ("preflight", "succession"),
    ("advice",),
    ("audit.child",),
    ("deliver",),
    ("flows",),
    ("doctor",),
    ("wiring", "web"),
    ("host_http",),
    ("commands", "functions"),
    ("__main__",),
)
"""Data flows down: a module imports from its own package and from rows above it. A package that is
not named as a whole has a row for each of its parts."""

UNCLEAN = ("requests", "azure", "os", "time", "socket", "pyarrow.parquet", "subprocess", "random")
"""What a pure module does not import."""


def part(module: str) -> str:
    """Of a module such as "gem_core.audit.rows.gers": "audit.rows", as a row names it."""
    words = module.split(".")[1:]
    named = {part for parts in ROWS for part in parts}
    (found,) = {".".join(words[:count]) for count in range(1, len(words) + 1)} & named
    return found


def row(module: str) -> int:
    (found,) = [number for number, parts in enumerate(ROWS) if part(module) in parts]
    return found


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def docstring(path: Path) -> str:
    return ast.get_docstring(tree(path)) or ""


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Every module that is imported anywhere in a file; `from a import b` gives a and a.b."""
    found: list[str] = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            assert node.module
            found += (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
    return tuple(found)


def is_under(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


EMPTY = {"gem_core", "gem_core.audit"}
"""Packages that have no row of their own; their `__init__` imports nothing."""


def test_every_part_has_its_row() -> None:
    parts = {part(name_of(path)) for path in MODULES if name_of(path) not in EMPTY}
    assert parts == {part for parts in ROWS for part in parts}


def test_design_names_every_row_and_every_command() -> None:
    design = (ROOT / "DESIGN.md").read_text(encoding="utf-8")
    _, _, table = design.partition("## Packages")
    parts = {part.removeprefix("audit.") for parts in ROWS for part in parts}
    assert {part for part in parts if not re.search(rf"`{part}/?`", table)} == set()
    (commands,) = (
        action.choices
        for action in command_line()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    assert {name for name in commands if f"`{name}`" not in table} == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_only_from_rows_above_it(path: Path) -> None:
    module = name_of(path)
    if module in EMPTY:
        assert not imports(path)
        return
    for imported in imports(path):
        if not imported.startswith("gem_core.") or imported in EMPTY or is_package(imported):
            assert imported != "gem_core", "import the module that is meant"
            continue
        same = part(imported) == part(module) or row(module) == row(imported) == 0
        assert same or row(imported) < row(module), f"{module} may not import {imported}"


def is_package(module: str) -> bool:
    """`from gem_core.flows import sweep` names the package too; what counts is the module."""
    return (ROOT / Path(*module.split("."))).is_dir()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_what_is_deployed_knows_nothing_of_what_is_not(path: Path) -> None:
    for imported in imports(path):
        for package in (
            "bench",
            "devkit",
            "tests",
            "examples",
            "function_app",
            "pytest",
        ):
            assert not is_under(imported, package)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_pure_module_imports_nothing_that_reaches_out(path: Path) -> None:
    if "Pure." not in docstring(path):
        return
    for imported in imports(path):
        for library in UNCLEAN:
            assert not is_under(imported, library), f"{name_of(path)} says it is pure"


def test_the_promised_modules_are_pure() -> None:
    pure = {
        name_of(path).removeprefix("gem_core.") for path in MODULES if "Pure." in docstring(path)
    }
    assert pure >= {
        "errors",
        "outcome",
        "moments",
        "counts",
        "settings.app_settings",
        "storage.documents",
        "web",
        "gem.job",
        "gem.reading",
        "gem.contracts.contract",
        "gem.contracts.known",
        "gem.contracts.x_version_1",
        "watch.record",
        "watch.record_json",
        "watch.registration",
        "watch.schedule",
        "audit.judging.checks",
        "audit.judging.report",
        "deliver.manifest",
        "deliver.cut",
        "deliver.audit_parts",
    }


_CLOCKS = {"now", "utcnow", "today", "time", "monotonic", "time_ns", "perf_counter"}


def clocks(path: Path) -> list[str]:
    """Calls that read the machine's clock, however it was imported."""
    found = []
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in {
                "datetime",
                "date",
                "time",
            }:
                if name in _CLOCKS:
                    found.append(f"{owner}.{name}")
            case ast.Name(id=name) if name in _CLOCKS - {"now", "today"}:
                if any(is_under(imported, f"time.{name}") for imported in imports(path)):
                    found.append(name)
    return found


def test_a_clock_would_be_seen() -> None:
    assert clocks(CORE / "wiring" / "environment.py")
    assert clocks(CORE / "http_session.py")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_edges_read_the_clock(path: Path) -> None:
    if "Edge:" not in docstring(path):
        assert clocks(path) == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_what_starts_threads_hands_their_lines_over_or_logs_nothing(path: Path) -> None:
    """The host drops what such a thread logs itself (decision 105)."""
    starts = {"concurrent.futures.ThreadPoolExecutor", "threading.Thread"} & set(imports(path))
    names = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
    if starts or "Thread" in names:
        assert "gem_core.logs.log" not in imports(path)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_wiring_reads_the_environment(path: Path) -> None:
    if name_of(path) == "gem_core.wiring.environment":
        return
    reads = {"os.environ", "os.getenv"}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert f"{node.value.id}.{node.attr}" not in reads


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_one_module_makes_credentials(path: Path) -> None:
    makes = any(is_under(imported, "azure.identity") for imported in imports(path))
    assert makes == (name_of(path) == "gem_core.storage.clients")


def test_the_errors_of_the_sdk_are_translated_in_one_place() -> None:
    """Storage's in `storage.errors`, and those of signing in in `storage.identity`."""
    knowing = {
        name_of(path).removeprefix("gem_core.")
        for path in MODULES
        if any(is_under(imported, "azure.core.exceptions") for imported in imports(path))
    }
    assert knowing == {"storage.errors", "storage.identity"}


def test_moments_are_read_in_one_place() -> None:
    """But for what GEM sends: GEM decides how it writes a moment."""
    readers = {
        name_of(path).removeprefix("gem_core.")
        for path in MODULES
        if not is_under(name_of(path), "gem_core.gem")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "datetime.fromisoformat"
    }
    assert readers == {"moments"}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_is_of_one_screenful_of_concern(path: Path) -> None:
    assert docstring(path), "the docstring says what the module owns"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_the_app_starts_without_what_is_slow_to_import() -> None:
    program = (
        "import sys, function_app\n"
        "slow = ('pyarrow', 'numpy', 'pandas', 'azure.identity', 'msal', 'cryptography.x509', "
        "'fractions')\n"
        "print(sorted(name for name in slow if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_the_process_that_reads_files_for_its_child_does_not_import_what_the_child_needs() -> None:
    """Memory is for the child."""
    program = (
        "import sys, gem_core.flows.deliver_results\n"
        "from gem_core.audit.child import engine, machine\n"
        "from gem_core.audit.reading import output_files\n"
        "print([name for name in ('pyarrow', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
