"""The limit of memory of a command, in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
from gem_core.commands.memory import limit_memory, shortage_explained
from gem_core.errors import RequestError
import gem_core.commands.memory as memory
memory.memory_bytes = lambda: 0
limit_memory()
try:
    with shortage_explained():
        bytearray(1 << 30)
except RequestError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of data")
def test_a_command_that_takes_too_much_says_so() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("there is too little memory")
