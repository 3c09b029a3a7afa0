"""Files that end a reader, or ask for more memory or time than there is: always a result.

None ends this process, and none harms the audit after it. `python -m tests.audit.bomb_table` shows
what each takes.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gem_core.audit.child.engine import Engine
from tests.audit.bomb_list import BOMBS, Bomb
from tests.audit.build import input_table, matched_table, write, write_bytes
from tests.audit.child.children import LIMITS
from tests.audit.watched import Case, watched

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits are Linux's")

QUICK = {
    "an encoding of a later format",
    "an index beyond the dictionary of gers_id",
    "2^62 rows claimed",
}
"""A sample for which one child is enough."""
ENDLESS = {
    "200,000 rows of a GERS id of 1 MiB",
    "200,000 prefixes of 1 MiB",
    "200,000 rows of an id of 1 MiB, as input",
}
"""Each takes all the CPU that an audit has, twice. So the audit has little."""
HASTY = replace(LIMITS, cpu_seconds=10, page_cpu_seconds=10)


@pytest.fixture(scope="module")
def hasty() -> Iterator[Engine]:
    """One for all bombs that end, so that each is audited after the others."""
    with Engine(HASTY, os.environ) as engine:
        yield engine


@pytest.fixture(scope="module")
def hastier() -> Iterator[Engine]:
    """One for those that do not."""
    with Engine(replace(HASTY, cpu_seconds=2), os.environ) as engine:
        yield engine


def case(folder: Path, bomb: Bomb) -> Case:
    path = write_bytes(folder, bomb.make()).path
    given = write(folder, input_table(), "roads.parquet").path
    if bomb.input_:
        given.write_bytes(bomb.input_())
    if bomb.as_input:
        return Case("input", write(folder, matched_table(), "good_matched.parquet").path, path)
    return Case("output", path, given, bomb.with_values)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in BOMBS],
)
def test_a_bomb_is_a_result_and_harms_nobody(
    name: str, hasty: Engine, hastier: Engine, tmp_path: Path
) -> None:
    bomb = BOMBS[name]
    engine = hastier if name in ENDLESS else hasty
    found = watched(engine, case(tmp_path, bomb))
    assert ("CPU time" in found.reason) is (name in ENDLESS)
    assert found.outcome.startswith(bomb.outcome), found.reason
    assert ("without a page" in found.reason) is bomb.costs_its_page
    assert ("without the input" in found.reason) is bomb.costs_its_input
    assert found.child.data <= HASTY.data_bytes
    good = Case(
        "good",
        write(tmp_path, matched_table(), "good_matched.parquet").path,
        write(tmp_path, input_table(), "good.parquet").path,
    )
    after = watched(engine, good)
    assert (after.outcome, after.reason) == ("valid_with_warnings", "")  # the job has no statistics
