"""Values are found in an array in order, and a lack of memory is told."""

import os
import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.audit.arrow.searching import positions_in
from gem_core.audit.child.environment import ALLOCATORS

WORDS = st.lists(st.none() | st.text("ab", max_size=2), max_size=20)


@given(WORDS, st.sets(st.text("ab", max_size=2)))
def test_each_value_is_found_where_it_is(values: list[str | None], ordered: set[str]) -> None:
    places = sorted(ordered)
    found = positions_in(pa.array(places, pa.string()), pa.array(values, pa.string()))
    expected = [places.index(each) if each in ordered else None for each in values]
    assert found.to_pylist() == expected


PROGRAM = """
import resource
from pathlib import Path
import pyarrow as pa
from gem_core.audit.arrow.searching import positions_in

ordered = pa.array(range(260_000))
values = ordered[::3]
positions_in(ordered[:9], values[:9])
data = Path("/proc/self/status").read_text().partition("VmData:")[2].split()[0]
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
for kibibytes in (100, 500, 1000, 2000, 4000, 100_000):
    bound = (int(data) + kibibytes) << 10
    resource.setrlimit(resource.RLIMIT_DATA, (bound, resource.RLIM_INFINITY))
    try:
        print(len(positions_in(ordered, values)))
    except MemoryError:
        print("short")
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_a_lack_of_memory_is_told() -> None:
    """With `index_in` the process crashes."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | ALLOCATORS,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout.split()
    assert (told[0], told[-1]) == ("short", "86667")
