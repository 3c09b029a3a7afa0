"""The external merge sorts: bounded memory and disk, exact keys, nothing left behind."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from gem_core.audit.ids import integer_sort
from gem_core.audit.ids.in_order import IdCount
from gem_core.audit.ids.integer_sort import IntegerSort
from gem_core.audit.ids.spill import SpillFile, SpillFull, SpillSpace
from gem_core.audit.ids.text_order import ROOM_BYTES
from gem_core.audit.ids.text_sort import TextSort
from tests.audit.ids.audits import INT64


@pytest.mark.parametrize(("make", "kind"), [(TextSort, pa.string()), (IntegerSort, INT64)])
def test_ids_that_do_not_fit_are_on_disk(
    tmp_path: Path, make: type[TextSort] | type[IntegerSort], kind: pa.DataType
) -> None:
    rows = np.ones(500, np.bool_)
    space = SpillSpace(1 << 20, tmp_path)
    with closing(make(1000, space)) as runs:
        for start in (500, 0, 500):
            runs.add(pa.array(range(1000 + start, 1500 + start)).cast(kind), rows)
        assert space.held_bytes == runs.spilled_bytes > 4000
        for _ in range(2):
            keys = [int(key) for part in runs.distinct(IdCount()) for key in part.to_pylist()]
            assert keys == list(range(1000, 2000))
    assert not space.held_bytes


def test_text_ids_take_no_more_than_the_bound_with_their_sorting(tmp_path: Path) -> None:
    space = SpillSpace(1 << 20, tmp_path)
    runs = TextSort(20_000, space)
    most = 20_000 // (2 * (4 + 4) + ROOM_BYTES)
    with closing(runs):
        held = 0
        for start in range(1000, 9000, 50):
            before = runs.spilled_bytes
            runs.add(pa.array(range(start, start + 50)).cast(pa.string()), None)
            held = held + 50 if runs.spilled_bytes == before else 0
            assert held <= most
        assert runs.spilled_bytes == space.held_bytes > 0


def test_long_texts_take_no_more_disk_than_is_allowed(tmp_path: Path) -> None:
    """7 KB each: files of 300 MB once took 22 GB of disk."""
    space = SpillSpace(1 << 20, tmp_path)
    most = 0

    def add_all(runs: TextSort) -> None:
        nonlocal most
        for start in range(1000, 2000, 10):
            runs.add(pa.array([f"{number}" * 1750 for number in range(start, start + 10)]), None)
            most = space.held_bytes

    with closing(TextSort(100_000, space)) as runs, pytest.raises(SpillFull, match="1,048,576"):
        add_all(runs)
    assert 900_000 < most <= 1 << 20
    assert not space.held_bytes


@pytest.mark.parametrize("ids", [range(100_000), [n << 32 for n in range(1000)]], ids=["", "wide"])
def test_integer_ids_take_no_more_than_the_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ids: Sequence[int]
) -> None:
    """They are sorted block by block; what is at hand while they are merged is bounded too."""
    runs = IntegerSort(8000, SpillSpace(1 << 20, tmp_path))
    with closing(runs):
        for start in range(0, len(ids), 70):
            runs.add(pa.array(ids[start : start + 70]), None)
            assert runs.held_bytes <= 8000
        monkeypatch.setattr(integer_sort, "MERGE_IDS", 500)
        at_once = [len(keys) for keys in runs.distinct(IdCount())]
        assert (sum(at_once), max(at_once) <= 500) == (len(ids), True)


FAR = [2**63 - 1, 0, -1, -(2**63), 2**62, -(2**62), 2**63 - 2, 7, 2**33, 7]
SPREAD = [n * 2**31 + d for n in range(-100, 156) for d in (0, 2**31 - 1)]
"""As many partitions as there may be."""


@pytest.mark.parametrize("limit", [50, 100_000], ids=["on-disk", "held"])
@pytest.mark.parametrize(
    "ids",
    [
        FAR * 3,
        SPREAD,
        [*SPREAD, 156 * 2**31],
        [*SPREAD, -101 * 2**31, *FAR],
        [*range(20), 255 * 2**31, 5],
        [*range(21), 256 * 2**31, 5],
    ],
    ids=len,
)
def test_every_integer_may_be_an_id(tmp_path: Path, ids: list[int], limit: int) -> None:
    """Negative ones, the extremes, and ids so far apart that they take eight bytes."""
    matched = np.array([n % 2 == 0 for n in range(len(ids))])
    count = IdCount()
    space = SpillSpace(1 << 20, tmp_path)
    with closing(IntegerSort(limit, space)) as runs:
        for start in range(0, len(ids), 8):
            runs.add(pa.array(ids[start : start + 8]), matched[start : start + 8])
        assert (runs.spilled_bytes > 0) == (limit == 50)
        for _ in range(2):
            count = IdCount()
            keys = [key for part in runs.distinct(count) for key in part.to_pylist()]
            assert keys == sorted(set(ids))
    of_matched = {each for each, yes in zip(ids, matched, strict=True) if yes}
    assert count.counts() == (len(set(ids)), len(of_matched))
    assert not space.held_bytes


@pytest.mark.parametrize("make", [TextSort, IntegerSort])
def test_closed_runs_hold_nothing(make: type[TextSort] | type[IntegerSort], tmp_path: Path) -> None:
    keys = pa.array(range(1000, 1500)).cast(INT64 if make is IntegerSort else pa.string())
    space = SpillSpace(1 << 20, tmp_path)
    runs = make(1000, space)
    runs.add(keys, None)
    runs.close()
    assert not list(runs.distinct(IdCount()))
    assert not space.held_bytes


@pytest.mark.parametrize("left", [0, 10])
@pytest.mark.parametrize(("make", "kind"), [(TextSort, pa.string()), (IntegerSort, INT64)])
def test_ids_on_disk_that_cannot_be_read_back_are_an_error(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: type[TextSort] | type[IntegerSort],
    kind: pa.DataType,
    left: int,
) -> None:
    """A disk that loses them must not make a count smaller."""
    files = []

    def kept(space: SpillSpace) -> SpillFile:
        files.append(made(space))
        return files[-1]

    made = SpillSpace.file
    monkeypatch.setattr(SpillSpace, "file", kept)
    with closing(make(1000, SpillSpace(1 << 20, tmp_path))) as runs:
        runs.add(pa.array(range(500)).cast(kind), None)
        files[0].truncate(left)
        with pytest.raises(OSError, match="cannot be read back"):
            list(runs.distinct(IdCount()))
