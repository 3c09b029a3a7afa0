"""Who may import whom, who may read the clock, and what the app may not load at its start."""

import argparse
import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from gem_core.__main__ import command_line

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "gem_core"
MODULES = sorted(CORE.rglob("*.py"))

ROWS = (
    (
        *("errors", "outcome", "logs", "secret", "moments", "counts", "http_session"),
        *("redaction", "failure", "log_guard", "once"),
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


PURE = [path for path in MODULES if "Pure." in docstring(path)]

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


def test_a_module_imports_only_from_rows_above_it() -> None:
    assert [
        f"{name_of(path)} may not import {imported}"
        for path in MODULES
        for imported in imports(path)
        if not may_import(name_of(path), imported)
    ] == []


def may_import(module: str, imported: str) -> bool:
    if module in EMPTY or imported == "gem_core":  # the module that is meant is imported
        return False
    if not imported.startswith("gem_core.") or imported in EMPTY or is_package(imported):
        return True
    same = part(imported) == part(module) or row(module) == row(imported) == 0
    return same or row(imported) < row(module)


def is_package(module: str) -> bool:
    """`from gem_core.flows import sweep` names the package too; what counts is the module."""
    return (ROOT / Path(*module.split("."))).is_dir()


def importers(packages: Sequence[str], among: Iterable[Path]) -> list[str]:
    """Who imports one of these packages, and what it imports."""
    return [
        f"{name_of(path)} imports {imported}"
        for path in among
        for imported in imports(path)
        if any(is_under(imported, package) for package in packages)
    ]


def test_what_is_deployed_knows_nothing_of_what_is_not() -> None:
    others = ("bench", "devkit", "tests", "examples", "function_app", "pytest")
    assert importers(others, MODULES) == []


def test_a_pure_module_imports_nothing_that_reaches_out() -> None:
    assert importers(UNCLEAN, PURE) == []


def test_the_promised_modules_are_pure() -> None:
    assert {name_of(path).removeprefix("gem_core.") for path in PURE} >= {
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


def test_only_edges_read_the_clock() -> None:
    readers = {name_of(path): clocks(path) for path in MODULES if "Edge:" not in docstring(path)}
    assert {name: calls for name, calls in readers.items() if calls} == {}


def names_with_owner(path: Path) -> set[str]:
    """Such as "os.environ", of a name and one attribute."""
    return {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }


def starts_threads(path: Path) -> bool:
    starting = {"concurrent.futures.ThreadPoolExecutor", "threading.Thread"}
    names = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
    return "Thread" in names or not starting.isdisjoint(imports(path))


def test_what_starts_threads_hands_their_lines_over_or_logs_nothing() -> None:
    """The host drops what such a thread logs itself (decision 105)."""
    assert importers(["gem_core.logs.log"], filter(starts_threads, MODULES)) == []


def test_only_wiring_reads_the_environment() -> None:
    reads = {"os.environ", "os.getenv"}
    readers = [name_of(path) for path in MODULES if not reads.isdisjoint(names_with_owner(path))]
    assert readers == ["gem_core.wiring.environment"]


def test_what_is_built_once_is_built_once_for_all_threads() -> None:
    """`functools.cache` lets two threads that call first build two."""
    found = importers(["functools.cache", "functools.lru_cache"], MODULES)
    assert [
        each for each in found if each.startswith(("gem_core.wiring", "gem_core.storage"))
    ] == []


def test_only_one_module_makes_credentials() -> None:
    makers = [path for path in MODULES if importers(["azure.identity"], [path])]
    assert list(map(name_of, makers)) == ["gem_core.storage.clients"]


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


def test_a_module_says_what_it_owns() -> None:
    assert [name_of(path) for path in MODULES if not docstring(path)] == []


def test_a_module_is_of_one_screenful_of_concern() -> None:
    lines = {name_of(path): path.read_text("utf-8").count("\n") for path in MODULES}
    assert {name: count for name, count in lines.items() if count > 300} == {}


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
