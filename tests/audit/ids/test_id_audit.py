"""Ids are counted and compared exactly, or not at all."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gem_core.audit.ids import id_audit as ids_module
from gem_core.audit.ids import integer_sort, out_of_order, text_sort
from gem_core.audit.ids.bitmap import bitmap_range
from gem_core.audit.ids.facts import IdFacts, InputIds, InputLost, OutputIds
from gem_core.audit.ids.id_audit import IdAudit
from gem_core.audit.ids.in_order import IdCount
from gem_core.audit.ids.integer_sort import IntegerSort
from gem_core.audit.ids.spill import SpillFile, SpillFull, SpillSpace
from gem_core.audit.ids.text_order import ROOM_BYTES
from gem_core.audit.ids.text_sort import TextSort
from gem_core.audit.options import IdLimits
from gem_core.audit.parquet.integer_range import IntegerRange
from gem_core.audit.rows.example import Example

INT64 = pa.int64()

type Ids = Sequence[int | str | None]


def batches(ids: Ids, kind: pa.DataType, size: int) -> list[pa.Array]:
    return [pa.array(ids[n : n + size], kind) for n in range(0, len(ids), size)]


def compared(
    output: Ids,
    input_ids: Ids | None,
    *,
    kind: pa.DataType = INT64,
    input_kind: pa.DataType | None = None,
    matched: Sequence[bool] | None = None,
    size: int = 3,
    limits: IdLimits | None = None,
    span: IntegerRange | None = None,
) -> IdFacts:
    """Audit ids in batches of `size`; both footers say that they lie in `span`."""
    input_kind = input_kind or kind
    matched = matched or [True] * len(output)
    parts = [
        (ids, np.array(matched[start : start + size], np.bool_))
        for start, ids in zip(range(0, len(output), size), batches(output, kind, size), strict=True)
    ]
    found = IdAudit(
        OutputIds(kind, lambda: iter(parts), span, len(output)),
        None
        if input_ids is None
        else InputIds(input_kind, lambda: iter(batches(input_ids, input_kind, size + 1)), span),
        not_compared="no input" if input_ids is None else "",
        limits=limits,
    )
    for part in parts:
        found.add(*part)
    return found.finish()


@pytest.mark.parametrize(
    ("output", "input_ids", "missing", "extra"),
    [
        pytest.param([1, 2, 3, 4], [1, 2, 3, 4], 0, 0, id="same"),
        pytest.param([4, 2, 3, 1], [1, 2, 3, 4], 0, 0, id="other-order"),
        pytest.param([1, 2, 3, 4], [4, 2, 3, 1], 0, 0, id="input-unordered"),
        pytest.param([2, 1, 4, 3], [4, 2, 3, 1], 0, 0, id="both-unordered"),
        pytest.param([1, 1, 2, 2, 2, 2, 3], [1, 2, 3], 0, 0, id="repeated-across-batches"),
        pytest.param([1, 4], [1, 2, 3, 4, 5], 3, 0, id="missing"),
        pytest.param([1, 2, 3, 9, 10], [1, 2, 3], 0, 2, id="extra-after-the-end"),
        pytest.param([0, 5, 10], [1, 6, 11], 3, 3, id="all-else"),
        pytest.param([], [1, 2, 3, 4, 5, 6], 6, 0, id="no-output"),
        pytest.param([1], [], 0, 1, id="no-input-rows"),
        pytest.param([None, 1, None, 2], [1, None, 2], 0, 0, id="nulls-left-out"),
        pytest.param([None, None, None, 1], [None, None, None, None, 1], 0, 0, id="null-batches"),
        pytest.param([5, 1], [1, 2, 3, 4, 5, 6, 7, 2], 5, 0, id="order-breaks-late"),
        pytest.param([3, 9, 1, 7], [3, 9, 1, 7], 0, 0, id="same-order"),
    ],
)
@pytest.mark.parametrize("kind", [pa.int64(), pa.int32(), pa.uint64()], ids=str)
@pytest.mark.parametrize("span", [None, IntegerRange(0, 11), IntegerRange(0, 5)], ids=str)
def test_missing_and_invented(
    output: Ids,
    input_ids: Ids,
    missing: int,
    extra: int,
    kind: pa.DataType,
    span: IntegerRange | None,
) -> None:
    """Whatever the footers say of the range of the ids, which may be wrong."""
    found = compared(output, input_ids, kind=kind, span=span)
    assert found.distinct == len(set(output) - {None})
    assert (found.missing, found.extra, found.not_compared) == (missing, extra, "")


def test_examples_are_the_first_few_ids() -> None:
    found = compared([1, 20, 21, 22, 23, 24, 25], [1, 2, 3])
    assert found.missing_examples == (Example(id="2"), Example(id="3"))
    assert found.extra_examples == tuple(Example(id=str(n)) for n in range(20, 25))
    assert found.extra == 6


@pytest.mark.parametrize(
    ("output", "missing", "extra"),
    [
        pytest.param(["9", "10", "11"], 0, 0, id="same"),
        pytest.param(["11", "9", "10"], 0, 0, id="unordered"),
        pytest.param(["9", "010", "11"], 1, 1, id="leading-zero"),
        pytest.param(["9", "10", "11", "+9", "9.0", "", " 9", "x", "x", "-0"], 0, 6, id="others"),
        pytest.param(["9", None, "11"], 1, 0, id="null"),
        pytest.param(["x", None, "11"], 2, 1, id="null-beside-others"),
        pytest.param(["9", "10", "11", str(-(2**63) - 1)], 0, 1, id="below-int64"),
        pytest.param(["9", "10", "11", str(2**63), "9" * 400, "٣"], 0, 3, id="no-int64"),
    ],
)
def test_an_output_with_text_for_integers(output: Ids, missing: int, extra: int) -> None:
    """17 and "17" are the same id; "017" is another."""
    found = compared(output, [9, 10, 11], kind=pa.string(), input_kind=pa.int64())
    assert (found.missing, found.extra) == (missing, extra)
    known = [text for text in output if text is not None]
    assert (found.rows, found.distinct) == (len(known), len(set(known)))


def test_the_ends_of_int64_are_ids_in_text_too() -> None:
    ends = [-(2**63), 2**63 - 1]
    found = compared(["x", *map(str, ends)], ends, kind=pa.string(), input_kind=pa.int64())
    assert (found.missing, found.extra) == (0, 1)


def test_an_output_with_integers_for_text() -> None:
    found = compared([9, 10, 11], ["9", "10", "012"], kind=pa.int64(), input_kind=pa.string())
    assert (found.missing, found.extra) == (1, 1)


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())],
    ids=str,
)
def test_text_in_any_encoding(kind: pa.DataType) -> None:
    found = compared(["b", "a", "c", "a"], ["a", "b", "d"], kind=kind, input_kind=pa.string())
    assert (found.distinct, found.missing, found.extra) == (3, 1, 1)


def test_an_id_counts_as_matched_when_one_row_is() -> None:
    for ids in ([1, 1, 2, 3, 3], [3, 1, 3, 2, 1]):
        flags = [n == ids.index(id_) and id_ != 2 for n, id_ in enumerate(ids)]
        found = compared(ids, None, matched=flags)
        assert (found.distinct, found.distinct_matched) == (3, 2)


def test_an_id_with_two_matched_rows_counts_once() -> None:
    for size in (2, 3, 4, 9):
        found = compared([1, 1, 2, 2, 3], None, matched=[True, True, True, False, False], size=size)
        assert (found.distinct, found.distinct_matched) == (3, 2)


def test_non_integers_count_as_matched_too() -> None:
    found = compared(
        ["x", "x", "1", "y"],
        [1],
        kind=pa.string(),
        input_kind=pa.int64(),
        matched=[False, True, True, False],
    )
    assert (found.distinct, found.distinct_matched) == (3, 2)


def test_without_an_input_ids_are_counted_only() -> None:
    found = compared([3, 1, 3], None)
    assert (found.rows, found.distinct) == (3, 2)
    assert (found.missing, found.extra, found.not_compared) == (None, None, "no input")


ORDERED = list(range(1000))
SHUFFLED = [n * 7919 % 1000 for n in range(1000)]
LATE = [*range(999), 5]


@pytest.mark.parametrize("kind", [pa.int64(), pa.string()], ids=str)
@pytest.mark.parametrize("output", [ORDERED, SHUFFLED, LATE], ids=["ordered", "shuffled", "late"])
@pytest.mark.parametrize("input_ids", [ORDERED, SHUFFLED, LATE, None])
def test_beyond_the_memory_bound_counts_stay_exact(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: pa.DataType,
    output: list[int],
    input_ids: list[int] | None,
) -> None:
    """Ids that do not fit go to disk."""
    monkeypatch.setattr(ids_module, "_EARLY_BYTES", 500)
    monkeypatch.setattr(text_sort, "CHUNK_BYTES", 200)
    monkeypatch.setattr(integer_sort, "MERGE_IDS", 100)

    def shown(ids: list[int]) -> Ids:
        # Of one length, so that text is in the order of the numbers.
        return ids if kind == INT64 else [str(1000 + n) for n in ids]

    found = compared(
        shown(output[10:]),
        None if input_ids is None else shown(input_ids),
        kind=kind,
        matched=[n % 3 == 0 for n in output[10:]],
        size=100,
        limits=IdLimits(2000, tmp_path),
    )
    output_set = set(output[10:])
    assert (found.rows, found.distinct) == (990, len(output_set))
    assert found.distinct_matched == len([n for n in output_set if n % 3 == 0])
    if input_ids:
        input_set = set(input_ids)
        assert (found.missing, found.extra) == (
            len(input_set - output_set),
            len(output_set - input_set),
        )


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


@pytest.mark.parametrize(("output", "counted"), [(SHUFFLED, False), (ORDERED, True)])
def test_ids_beyond_the_bound_of_the_disk_are_not_estimated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: list[int], *, counted: bool
) -> None:
    monkeypatch.setattr(ids_module, "_EARLY_BYTES", 500)
    found = compared(output, SHUFFLED[::-1], size=100, limits=IdLimits(500, tmp_path, 1000))
    assert found.rows == 1000
    assert (found.distinct, found.distinct_matched) == ((1000, 1000) if counted else (None, None))
    assert (found.missing, found.extra) == (None, None)
    assert "more than 1,000 bytes on disk" in found.over_limit
    assert (found.not_counted, found.not_compared) == (
        "" if counted else found.over_limit,
        found.over_limit,
    )


def test_ids_in_the_order_of_the_input_are_compared_also_when_they_are_too_many_to_count(
    tmp_path: Path,
) -> None:
    found = compared(SHUFFLED, SHUFFLED, size=100, limits=IdLimits(500, tmp_path, 1000))
    assert (found.distinct, found.missing, found.extra) == (None, 0, 0)
    assert found.not_counted == found.over_limit
    assert found.not_compared == ""


def test_dense_ids_are_ticked_off_and_nothing_is_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IntegerSort, "add", None)
    found = compared([*SHUFFLED[:990], SHUFFLED[0]], SHUFFLED, span=IntegerRange(0, 999))
    assert (found.distinct, found.missing, found.extra) == (990, 10, 0)
    assert [example.id for example in found.missing_examples] == [
        str(n) for n in sorted(SHUFFLED[990:])[:5]
    ]


@pytest.mark.parametrize(
    ("output", "input_span", "rows", "limit"),
    [
        pytest.param(IntegerRange(0, 99), None, 100, 1000, id="no-range-of-the-input"),
        pytest.param(None, IntegerRange(0, 99), 100, 1000, id="no-range-of-the-output"),
        pytest.param(IntegerRange(0, 99), IntegerRange(0, 1000), 100, 1000, id="too-sparse"),
        pytest.param(IntegerRange(0, 99), IntegerRange(0, 99), 100, 99, id="too-large"),
    ],
)
def test_without_a_range_that_fits_there_is_no_map(
    output: IntegerRange | None, input_span: IntegerRange | None, rows: int, limit: int
) -> None:
    def nothing() -> tuple[()]:
        return ()

    ids = OutputIds(INT64, nothing, output, rows)
    assert bitmap_range(INT64, ids, InputIds(INT64, nothing, input_span), limit) is None
    whole = OutputIds(INT64, nothing, IntegerRange(0, 99), 100)
    assert bitmap_range(INT64, whole, None, 100) == IntegerRange(0, 99)
    assert bitmap_range(pa.string(), whole, None, 100) is None


@pytest.mark.parametrize("ids", [[5, 1, 3, 1, 9], ["b", "a", "c", "a"]], ids=str)
def test_ids_in_the_input_s_order_are_not_sorted_to_compare(
    ids: Ids, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(out_of_order, "difference", None)
    kind = pa.string() if isinstance(ids[0], str) else INT64
    found = compared(ids, ids, kind=kind, size=2)
    assert (found.missing, found.extra) == (0, 0)


def test_too_many_non_integers_are_not_estimated() -> None:
    found = compared(
        [f"x{n}" for n in range(50)],
        [1, 2],
        kind=pa.string(),
        input_kind=pa.int64(),
        limits=IdLimits(16_000),
    )
    assert (found.rows, found.distinct, found.extra) == (50, None, None)
    assert "4000 bytes" in found.not_compared


@pytest.mark.parametrize("output", [[1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [1]], ids=str)
@pytest.mark.parametrize("input_ids", [[1, 2], [2, 1]], ids=str)
def test_an_input_that_is_lost_is_not_compared(output: list[int], input_ids: list[int]) -> None:
    def losing() -> Iterator[pa.Array]:
        yield pa.array(input_ids)
        raise InputLost("the input was replaced")

    parts = [(pa.array([number]), np.ones(1, np.bool_)) for number in output]
    found = IdAudit(OutputIds(pa.int64(), lambda: parts), InputIds(pa.int64(), losing))
    for part in parts:
        found.add(*part)
    facts = found.finish()
    assert facts.distinct == len(output)
    assert (facts.missing, facts.not_compared) == (None, "the input was replaced")


ids_of_any_order = st.lists(st.none() | st.integers(-8, 8), max_size=40)
ids_mostly_ordered = st.lists(st.integers(0, 60), max_size=40).map(sorted)
some_ids = ids_of_any_order | ids_mostly_ordered


spans = st.none() | st.builds(IntegerRange, st.integers(-9, 0), st.integers(0, 70))


@given(
    some_ids,
    some_ids | st.none(),
    st.integers(1, 7),
    st.sampled_from(["ints", "texts", "text", "int"]),
    spans,
)
@example([0, -1], None, 1, "ints", IntegerRange(0, 0))  # a footer that lies about the least id
def test_sets_agree(
    output: list[int | None],
    input_ids: list[int | None] | None,
    size: int,
    as_: str,
    span: IntegerRange | None,
) -> None:
    """Against Python's sets, for integers and text on either side.

    Without an input of its own, it is the output's sequence.
    """
    input_ids = list(output) if input_ids is None else input_ids

    def text(ids: Ids) -> Ids:
        return [None if number is None else str(number) for number in ids]

    output_set, input_set = set(output) - {None}, set(input_ids) - {None}
    flags = [bool(n and n % 3) for n in range(len(output))]
    matched = {id_ for id_, flag in zip(output, flags, strict=True) if flag} - {None}
    found = compared(
        text(output) if as_ in {"texts", "text"} else output,
        text(input_ids) if as_ in {"texts", "int"} else input_ids,
        kind=pa.string() if as_ in {"texts", "text"} else pa.int64(),
        input_kind=pa.string() if as_ in {"texts", "int"} else pa.int64(),
        matched=flags,
        size=size,
        span=span if as_ == "ints" else None,
    )
    assert found.rows == len(output) - output.count(None)
    assert (found.distinct, found.distinct_matched) == (len(output_set), len(matched))
    assert (found.missing, found.extra) == (
        len(input_set - output_set),
        len(output_set - input_set),
    )
