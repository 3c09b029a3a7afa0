"""Ids are compared without pyarrow's hash tables, which crash or spin when memory is short."""

import os
import subprocess
import sys

import pytest

from gem_core.audit.child.environment import ALLOCATORS

PROGRAM = """
import resource, sys
from pathlib import Path
import pyarrow as pa
from gem_core.audit.ids.comparison import Merge

def keys(step):
    made = pa.array(range(0, 1_000_000, step))
    return made.cast(pa.string()).sort() if sys.argv[1] == "text" else made

output, given = keys(2), keys(1)
data = Path("/proc/self/status").read_text().partition("VmData:")[2].split()[0]
bound = (int(data) << 10) + (int(sys.argv[2]) << 20)
resource.setrlimit(resource.RLIMIT_DATA, (bound, bound))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
merge = Merge(iter([given]))
try:
    merge.add(output)
    found = merge.finish()
except MemoryError:
    print("short of memory")
else:
    print(found.missing, found.extra)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
@pytest.mark.parametrize("kind", ["integer", "text"])
@pytest.mark.parametrize(
    ("mebibytes", "said"), [(1, "short of memory"), (3, "short of memory"), (1000, "500000 0")]
)
def test_a_lack_of_memory_is_told(kind: str, mebibytes: int, said: str) -> None:
    program = [sys.executable, "-c", PROGRAM, kind, str(mebibytes)]
    done = subprocess.run(
        program,
        env=os.environ | ALLOCATORS,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout.strip()) == (0, said), done.stderr
