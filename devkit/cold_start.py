"""Measures the imports of a new instance: `make cold-start`.

For each row, a new interpreter runs only the statement of the row. The rows take turns, so that
other load on the machine affects all of them, and the table shows medians. The ratio compares CPU
time with `import azure.functions`, which the worker always imports. Files are compiled and in the
page cache. In Azure, the first start also reads them from the package.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.table import Table

from gem_core.settings.local_settings import read_settings_file

ROOT = Path(__file__).resolve().parent.parent
BASE = "azure.functions"
ROWS = {
    BASE: "import azure.functions",
    "function_app (indexed)": "import function_app",
    "… and the edges of check_jobs": (
        "import function_app; from gem_core.wiring.tick import checker; checker()"
    ),
    "… and the edges of deliver_results": (
        "import function_app; from gem_core.wiring.delivery import deliverer; deliverer()"
    ),
    "azure.identity": "import azure.identity",
    "pyarrow.parquet": "import pyarrow.parquet",
    "azure.monitor.opentelemetry": "import azure.monitor.opentelemetry",
}
"""The app imports the last three later or never."""

_PROGRAM = """
import sys, time
before = set(sys.modules)
started, worked = time.perf_counter(), time.process_time()
{statement}
seconds, cpu = time.perf_counter() - started, time.process_time() - worked
import json, pathlib
memory = pathlib.Path("/proc/self/status").read_text()
resident = int(memory.partition("VmRSS:")[2].split()[0]) / 1024
print(json.dumps([cpu, seconds, resident, len(set(sys.modules) - before)]))
"""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m devkit.cold_start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="(%(default)s)")
    rounds = parser.parse_args().rounds
    rows = {name: statement for name, statement in ROWS.items() if _is_there(statement)}
    found: dict[str, list[list[float]]] = {name: [] for name in rows}
    for round_ in range(rounds + 1):
        for name, statement in rows.items():
            measured = _measure(statement)
            if round_:  # the first round compiles the modules
                found[name].append(measured)
    table = Table(title=f"Fresh interpreters, medians of {rounds}")
    for heading in ("import", "CPU ms", f"to {BASE}", "wall ms", "MiB", "modules"):
        table.add_column(heading, justify="left" if heading == "import" else "right")
    base = statistics.median(each[0] for each in found[BASE])
    for name, measured_all in found.items():
        cpu, wall, resident, modules = map(statistics.median, zip(*measured_all, strict=True))
        table.add_row(
            name,
            f"{cpu * 1000:.0f}",
            f"{cpu / base:.2f}",
            f"{wall * 1000:.0f}",
            f"{resident:.0f}",
            f"{modules:.0f}",
        )
    Console(width=100).print(table)
    for name in sorted(set(ROWS) - set(rows)):
        print(f"{name} is not installed and was not measured")
    return 0


def _is_there(statement: str) -> bool:
    name = statement.partition(";")[0].removeprefix("import ")
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _measure(statement: str) -> list[float]:
    """CPU seconds, wall seconds, resident MiB, number of imported modules."""
    sample = read_settings_file(ROOT / "local.settings.sample.json")
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(statement=statement)],
        cwd=ROOT,
        env=os.environ | sample | _AS_IN_AZURE | _COMPILED,
        capture_output=True,
        text=True,
        check=True,
    )
    measured: list[float] = json.loads(done.stdout)
    return measured


_AS_IN_AZURE = {
    "GEM_BEARER_TOKEN": "",
    "GEM_STATE": "",
    "GEM_STATE__blobServiceUri": "https://state.blob.core.windows.net",
    "GEM_STATE__queueServiceUri": "https://state.queue.core.windows.net",
    "GEM_STATE__credential": "managedidentity",
    "GEM_STATE__clientId": "00000000-0000-0000-0000-000000000000",
    "GEM_OUTPUT": "",
    "GEM_OUTPUT__blobServiceUri": "https://output.blob.core.windows.net",
    "GEM_OUTPUT__credential": "managedidentity",
    "GEM_OUTPUT__clientId": "00000000-0000-0000-0000-000000000000",
}
"""Identities instead of connection strings. Creating a client sends no request."""

_COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
"""Allows Python to write compiled files. Otherwise each run might compile the app again."""


if __name__ == "__main__":
    sys.exit(main())
