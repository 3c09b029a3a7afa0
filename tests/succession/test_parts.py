"""The parts of a comparison: packed ids, connected ids, partitions on disk."""

import uuid
from contextlib import closing

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.audit.ids.spill import SpillFull, SpillSpace
from gem_core.succession.components import components
from gem_core.succession.gers_bytes import pack, unpack
from gem_core.succession.kind import KINDS
from gem_core.succession.page import RoadSample
from gem_core.succession.spread import PARTITION_ROWS, Spread, partitions_for

UUIDS = st.uuids().map(str)
DIGITS = st.uuids().map(lambda each: each.hex)


@given(st.lists(st.one_of(UUIDS, DIGITS, st.none(), UUIDS.map(str.upper))))
def test_packed_ids_come_back_in_lower_case(texts: list[str | None]) -> None:
    packed = pack(pa.array(texts, pa.string()))
    assert unpack(packed).to_pylist() == [text and text.lower() for text in texts]
    assert unpack(packed[1:]).to_pylist() == [text and text.lower() for text in texts[1:]]


def test_the_two_formats_of_the_same_digits_are_two_ids() -> None:
    id_ = uuid.UUID(int=7)
    packed = pack(pa.array([str(id_), id_.hex]))
    assert packed[0] != packed[1]


@pytest.mark.parametrize(
    "text",
    ["", " ", "R_78212", "g" * 32, "0" * 31, "0" * 33, "0" * 36,
     "00000000_0000-0000-0000-000000000000", "00000000-0000-0000-0000-00000000000g",
     "-0000000-0000-0000-0000-000000000000"],
)  # fmt: skip
def test_what_is_in_no_format_is_null(text: str) -> None:
    good = str(uuid.UUID(int=1))
    assert unpack(pack(pa.array([good, text, None]))).to_pylist() == [good, None, None]


@given(st.integers(1, 40).flatmap(lambda n: st.lists(st.tuples(*2 * [st.integers(0, n - 1)]))))
def test_components_are_those_of_a_search(edges: list[tuple[int, int]]) -> None:
    nodes = max((end for edge in edges for end in edge), default=0) + 1
    one, other = (np.array([edge[side] for edge in edges], np.uint32) for side in (0, 1))
    found = components(nodes, one, other)
    least = list(range(nodes))
    for _ in range(nodes):
        for left, right in edges:
            least[left] = least[right] = min(least[left], least[right])
    assert found.tolist() == least


def test_a_long_chain_takes_few_rounds() -> None:
    order = np.random.default_rng(1).permutation(100_000).astype(np.uint32)
    assert not components(len(order), order[:-1], order[1:]).any()


@pytest.mark.parametrize("kind", [pa.int64(), pa.string()])
def test_equal_values_come_together_and_all_rows_come_back(kind: pa.DataType) -> None:
    numbers = np.random.default_rng(2).integers(-500, 500, 20_000)
    batch = pa.record_batch(
        {"key": pa.array(numbers).cast(kind), "row": pa.array(range(len(numbers)))}
    )
    space = SpillSpace(10 << 20)
    with closing(Spread(space, batch.schema, 16)) as spread:
        spread.add(batch[:7_000])
        spread.add(batch[7_000:])
        parts = [pa.table(part) for part in spread]
        assert space.held_bytes
    assert not space.held_bytes
    keys = [set(part["key"].to_pylist()) for part in parts]
    assert sum(map(len, keys)) == len(set(batch["key"].to_pylist()))
    assert max(part.num_rows for part in parts) < 3 * len(numbers) // 16
    assert pa.concat_tables(parts).sort_by("row").equals(pa.Table.from_batches([batch]))


def test_the_space_on_disk_is_bounded() -> None:
    batch = pa.record_batch({"key": pa.array(range(1000), pa.int64())})
    with closing(Spread(SpillSpace(5_000), batch.schema, 4)) as spread, pytest.raises(SpillFull):
        spread.add(batch)


def test_partitions_grow_with_the_rows() -> None:
    assert [partitions_for(rows) for rows in (0, PARTITION_ROWS - 1, PARTITION_ROWS)] == [1, 1, 2]
    assert PARTITION_ROWS // 2 <= 10_000_000 // partitions_for(10_000_000) <= PARTITION_ROWS


def test_a_sample_of_a_part_of_a_batch_has_its_roads() -> None:
    kinds = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0], pa.int8()), [k.value for k in KINDS])
    batch = pa.record_batch({"kind": kinds, "road_ids": pa.array([[1, 2], [3], [4, 5]])})
    sample = RoadSample()
    sample.add(batch[1:])
    sample.add(batch[:1])
    found = {kind: roads.to_pylist() for kind, roads in sample.by_kind().items()}
    assert found == {"same": [4, 1], "replaced": [3]}
