"""From old ids to new ones: each group has its kind, as a slow search finds them."""

import random
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.succession import expected_pairs, plant, write_runs
from gem_core.audit.reading.source import open_file
from gem_core.commands.parquet_file import NewParquetFile
from gem_core.succession import spread
from gem_core.succession.compare import Limits, compare
from gem_core.succession.kind import Kind
from gem_core.succession.matched_file import CannotCompare
from gem_core.succession.road_join import Roads
from tests.audit.build import write
from tests.succession.runs import Rows, compared, expected, ids, matches_table, rows, table

KINDS = [
    ([(1, "a")], [(1, "a")], {"same": 1}),
    ([(1, "a"), (2, "a")], [(1, "b"), (2, "b")], {"replaced": 1}),
    ([(1, "a"), (2, "a")], [(1, "a"), (2, "b")], {"split": 1}),
    ([(1, "a"), (2, "b")], [(1, "b"), (2, "b")], {"merged": 1}),
    ([(1, "a"), (2, "a"), (3, "b")], [(1, "c"), (2, "d"), (3, "d")], {"regrouped": 1}),
    ([(1, "a")], [(1, "")], {"dropped": 1}),
    ([(1, "a")], [(2, "")], {"dropped": 1}),
    ([(1, "")], [(1, "a")], {"gained": 1}),
    # An id that goes on on one road is neither dropped nor gained, whatever its other roads have.
    ([(1, "a"), (2, "a"), (3, "")], [(1, "a"), (2, ""), (3, "a")], {"same": 1}),
    # What a road has in both runs is paired with itself, and only the rest with the rest.
    ([(1, "ab")], [(1, "ba")], {"same": 2}),
    ([(1, "ab")], [(1, "ac")], {"same": 1, "replaced": 1}),
    ([(1, "ab")], [(1, "a")], {"merged": 1}),
    ([(1, "a")], [(1, "ab")], {"split": 1}),
    ([(1, "")], [(1, "")], {}),
]


@pytest.mark.parametrize(("old", "new", "kinds"), KINDS)
def test_each_group_has_its_kind(
    tmp_path: Path, old: list[tuple[int, str]], new: list[tuple[int, str]], kinds: dict[str, int]
) -> None:
    found, _ = compared(tmp_path, table(rows(*old)), table(rows(*new)))
    groups = {kind.value: counts.groups for kind, counts in found.groups.items() if counts.groups}
    assert groups == kinds


def test_each_road_is_counted_once(tmp_path: Path) -> None:
    old = rows((1, "a"), (2, "b"), (3, "c"), (4, ""), (5, ""), (6, "d"), (8, "de"), (9, "de"))
    new = rows((1, "a"), (2, "x"), (3, ""), (4, "y"), (5, ""), (7, "z"), (8, "ed"), (9, "df"))
    found, _ = compared(tmp_path, table(old), table(new))
    assert asdict(found.roads) == asdict(
        Roads(only_old=1, only_new=1, unmatched=1, unchanged=2, changed=2, lost=1, won=1)
    )


_ROADS = st.lists(
    st.tuples(st.integers(-3, 12), st.sampled_from(["", "", "a", "b", "c", "d", "e"])), max_size=25
)


def test_a_dropped_id_that_lives_on_elsewhere_is_counted(tmp_path: Path) -> None:
    old, new = (
        rows((1, "a"), (2, "b"), (3, "c"), (4, "")),
        rows((1, ""), (2, ""), (3, "b"), (4, "a")),
    )
    found, _ = compared(tmp_path, table(old), table(new))
    assert found.groups[Kind.DROPPED].old_ids == 2
    assert found.dropped_elsewhere == 2
    found, _ = compared(tmp_path, table(rows((1, "a"), (2, "b"))), table(rows((1, ""), (2, "b"))))
    assert found.dropped_elsewhere == 0


@given(old=_ROADS, new=_ROADS, as_text=st.booleans())
@settings(max_examples=60, deadline=None)
def test_pairs_kinds_and_groups_are_those_of_a_slow_search(
    tmp_path_factory: pytest.TempPathFactory,
    old: list[tuple[int, str]],
    new: list[tuple[int, str]],
    as_text: bool,  # noqa: FBT001 - hypothesis passes it by name
) -> None:
    before, after = rows(*old), rows(*new)
    folder = tmp_path_factory.mktemp("runs")
    _check(folder, before, after, table(before), matches_table(after) if as_text else table(after))


def _check(folder: Path, old: Rows, new: Rows, old_table: pa.Table, new_table: pa.Table) -> None:
    found, pairs = compared(folder, old_table, new_table)
    wanted = expected(old, new)
    assert {
        (each["old_gers_id"], each["new_gers_id"]): (each["kind"], frozenset(each["road_ids"]))
        for each in pairs
    } == {pair: (kind, roads) for pair, (kind, roads, _) in wanted.items()}
    assert all(each["roads"] == len(each["road_ids"]) for each in pairs)
    groups: dict[object, set[object]] = {}
    for each in pairs:
        _, _, group = wanted[each["old_gers_id"], each["new_gers_id"]]
        groups.setdefault(each["group"], set()).add(group)
    assert all(len(those) == 1 for those in groups.values())
    assert len(groups) == len({group for _, _, group in wanted.values()})
    assert len(groups) == sum(each.groups for each in found.groups.values())
    sides = [
        {end for _, _, group in wanted.values() for end in group if end[0] == side}
        for side in ("old", "new")
    ]
    assert len(sides[0]) == sum(each.old_ids for each in found.groups.values())
    assert len(sides[1]) == sum(each.new_ids for each in found.groups.values())
    of_new = {id_ for _, id_ in new if id_}
    dropped = {one for one, other in wanted if one and not other}
    assert found.dropped_elsewhere == len(dropped & of_new)
    largest = max((len(group) for _, _, group in wanted.values()), default=0)
    assert found.largest == largest


@pytest.fixture
def many_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "PARTITION_ROWS", 1024)


@pytest.mark.usefixtures("many_partitions")
@pytest.mark.parametrize("seed", [1, 2])
def test_what_was_planted_is_found_whole_and_nothing_else(tmp_path: Path, seed: int) -> None:
    planted = plant(10_000, seed=seed)
    old, new = write_runs(tmp_path, planted, seed=seed, rows_to_a_group=1_500)
    file = NewParquetFile(tmp_path / "pairs.parquet", "--pairs")
    found = compare(open_file(old), open_file(new), take_pairs=file.add)
    file.finish()
    columns = ["old_gers_id", "new_gers_id", "kind"]
    pairs = pq.read_table(tmp_path / "pairs.parquet")
    wanted = {tuple(row.values()) for row in expected_pairs(planted).to_pylist()}
    got = [tuple(row.values()) for row in pairs.select(columns).to_pylist()]
    assert len(got) == len(set(got))
    assert set(got) == wanted
    assert all(found.groups[kind].groups for kind in Kind)
    assert found.largest == 1001


def test_integers_and_their_text_are_the_same_road(tmp_path: Path) -> None:
    old, new = rows((17, "a"), (18, "b")), rows(("17", "a"), ("18", "b"), ("x", "c"))
    found, _ = compared(tmp_path, table(old), table(new, pa.string()))
    assert found.roads.unchanged == 2
    assert found.new.counts.foreign_ids == 1


def test_road_ids_may_be_text_of_any_length_or_64_bits_without_a_sign(tmp_path: Path) -> None:
    names = ["", "a", "abcdefg", "abcdefgh", "x" * 40 + "1" + "y" * 40, "x" * 40 + "2" + "y" * 40]
    run = [(name, id_) for name, id_ in zip(names, ids("abcdef"), strict=True)]
    found, pairs = compared(tmp_path, table(run, pa.string()), table(run[::-1], pa.string()))
    assert found.roads.unchanged == len(names)
    assert {road for each in pairs for road in each["road_ids"]} == {*names}
    large = [(2**64 - 1, ids("a")[0]), (2**63, ids("b")[0])]
    found, _ = compared(tmp_path, table(large, pa.uint64()), table(large[::-1], pa.uint64()))
    assert found.roads.unchanged == 2


def test_what_has_no_road_id_or_no_gers_id_is_counted(tmp_path: Path) -> None:
    old = table([(1, ids("a")[0]), (None, ids("b")[0]), (2, "no id"), (3, None), (4, None)])
    status = pa.array(["matched", "matched", "matched", "matched", "unmatched"])
    old = old.set_column(3, "match_status", status)
    new = table([(1, ids("a")[0].upper()), (2, ids("c")[0])])
    found, pairs = compared(tmp_path, old, new)
    counts = found.old.counts
    assert (counts.rows, counts.matched) == (5, 4)
    assert (counts.without_id, counts.no_gers_id, counts.no_gers_id_first) == (1, 2, "no id")
    # Letters of either case are the same id.
    assert found.groups[Kind.SAME].groups == 1
    assert [each["kind"] for each in pairs] == ["same", "gained"]


def test_ids_that_do_not_tell_roads_apart_are_refused(tmp_path: Path) -> None:
    letters = [chr(0x100 + n) for n in range(201)]
    old = rows((7, "".join(letters[:101])))
    new = rows((7, "".join(letters[101:])))
    with pytest.raises(CannotCompare, match=r"road 7 has so many GERS ids .* 10,100 pairs"):
        compared(tmp_path, table(old), table(new))


def test_the_disk_is_bounded(tmp_path: Path) -> None:
    run = [(n, ids("a")[0]) for n in range(2000)]
    with pytest.raises(CannotCompare, match=r"more than 0 MiB on disk, .* --disk"):
        compared(tmp_path, table(run), table(run), Limits(disk_bytes=60_000))
    with pytest.raises(CannotCompare, match=r"temporary directory cannot be used: No such file"):
        compared(tmp_path, table(run), table(run), Limits(folder=tmp_path / "absent"))


def test_a_file_of_no_known_layout_is_refused(tmp_path: Path) -> None:
    good = write(tmp_path, table(rows((1, "a"))))
    for other, words in (
        (pa.table({"id": [1], "name": ["x"]}), "no output of a known layout: it has id, name"),
        (table(rows((1, "a"))).drop_columns("id"), "there is no column id"),
    ):
        bad = write(tmp_path, other, "bad.parquet")
        with pytest.raises(CannotCompare, match=words):
            compare(good, bad)
    (tmp_path / "no.parquet").write_bytes(b"no parquet at all")
    with pytest.raises(CannotCompare, match=r"no\.parquet is not readable Parquet"):
        compare(open_file(tmp_path / "no.parquet"), good)


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    generator = random.Random(5)
    old = rows(*((n, generator.choice("abcdefgh")) for n in range(60)))
    new = rows(*((n, generator.choice("abcdefgh")) for n in range(60)))
    results = []
    for _ in range(3):
        generator.shuffle(old)
        generator.shuffle(new)
        found, pairs = compared(tmp_path, table(old), table(new))
        results.append(
            (
                {kind: asdict(counts) for kind, counts in found.groups.items()},
                {(each["old_gers_id"], each["new_gers_id"], each["kind"]) for each in pairs},
            )
        )
    assert results[0] == results[1] == results[2]
