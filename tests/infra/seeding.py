"""Seeds mistakes into copies of a checkout; `python -m tests.infra.seeding` prints the results."""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from tests.infra import compiler
from tests.infra.checks import CHECKS, NEED_COMPILER
from tests.infra.contract import ROOT
from tests.infra.mistakes import MISTAKES

CHECKED = (
    "infra",
    "tests/infra/snapshots",
    "docs/operations.md",
    "docs/pipeline-condition.txt",
    "azure.yaml",
    ".github",
    ".funcignore",
    "host.json",
    "pyproject.toml",
    "requirements.txt",
    "requirements-dev.txt",
)
"""The files that the checks read."""


def caught(name: str, folder: Path) -> list[str]:
    """Seed a mistake into a copy in an empty folder; the faults that its check finds there."""
    mistake = MISTAKES[name]
    for path in CHECKED:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / path).is_dir() else shutil.copy
        copy(ROOT / path, target)
    file = folder / mistake.file
    source = file.read_text(encoding="utf-8")
    if mistake.old not in source:
        raise ValueError(f"{name}: {mistake.file} has changed, so the mistake cannot be seeded")
    file.write_text(source.replace(mistake.old, mistake.new), encoding="utf-8")
    return CHECKS[mistake.caught_by](folder)


def main() -> int:
    """Print the table; 1 when a mistake was not caught."""
    table = Table(title=f"{len(MISTAKES)} seeded mistakes, and the checks that catch them")
    for heading in ("mistake", "in", "check", "first fault"):
        table.add_column(heading, overflow="fold")
    missed = 0
    tried = CHECKS.keys() - (set() if compiler.found() else NEED_COMPILER)
    for name, mistake in MISTAKES.items():
        if mistake.caught_by not in tried:
            table.add_row(name, Path(mistake.file).name, mistake.caught_by, "not tried: no bicep")
            continue
        with TemporaryDirectory() as folder:
            faults = caught(name, Path(folder))
        missed += not faults
        first = faults[0] if faults else "NOT CAUGHT"
        table.add_row(name, Path(mistake.file).name, mistake.caught_by, first)
    Console(width=140).print(table)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
