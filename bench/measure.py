"""Measures one contestant on one file in this process: `python -m bench.measure NAME FILE`.

Prints JSON: CPU seconds, wall seconds, and the peak memory in MiB without the imports.
"""

import json
import sys
import time
from pathlib import Path

from bench.comparing import COMPARERS
from bench.contestants import CONTESTANTS


def peak_mib() -> float:
    """Peak memory of this process (Linux)."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    """Measure and print."""
    name, path = sys.argv[1], Path(sys.argv[2])
    run = (CONTESTANTS | COMPARERS)[name]()
    before = peak_mib()
    cpu, wall = time.process_time(), time.perf_counter()
    run(path)
    found = {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
        "peak": peak_mib() - before,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
