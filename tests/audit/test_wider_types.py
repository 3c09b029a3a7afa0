"""A wider type is a warning, and its values are compared; a hint makes no other type."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from gem_core.audit.arrow.types import widens
from tests.audit.build import ROWS, audited, changed, input_table, matched_table
from tests.audit.lines import detail
from tests.audit.other_files import INPUT, moments, other


def list_of(kind: pa.DataType) -> pa.Array:
    return pa.array([[1.0, 2.0]] * ROWS, kind)


HINTS: dict[str, tuple[pa.Array, pa.Array]] = {
    "time zone": (moments("us", "Europe/Berlin"), moments("us", "UTC")),
    "duration": (pa.array(range(ROWS), pa.duration("us")), pa.array(range(ROWS), pa.int64())),
    "fixed list": (list_of(pa.list_(pa.float64(), 2)), list_of(pa.list_(pa.float64()))),
    "large list": (list_of(pa.large_list(pa.float64())), list_of(pa.list_(pa.float64()))),
    "list view": (list_of(pa.list_view(pa.float64())), list_of(pa.list_(pa.float64()))),
    **{
        str(kind): (pa.array(["a"] * ROWS).cast(kind), pa.array(["a"] * ROWS))
        for kind in (
            pa.large_string(),
            pa.string_view(),
            pa.dictionary(pa.int8(), pa.string()),
            pa.dictionary(pa.int32(), pa.large_string()),
        )
    },
}


@pytest.mark.parametrize("name", HINTS)
def test_what_only_a_hint_makes_different_is_one_type(tmp_path: Path, name: str) -> None:
    hinted, plain = HINTS[name]
    for ours, theirs in ((hinted, plain), (plain, hinted)):
        output, input_ = matched_table(extra=ours), input_table(extra=theirs)
        report = audited(tmp_path, output, input_=input_, with_values=True)
        assert report.outcome == "valid", report.failed()
        assert detail(report, "input_values_kept") == ""


SIXTEEN = [bytes([n] * 16) for n in range(ROWS - 1)] + [None]
NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, None]
WIDER: dict[str, tuple[pa.Array, pa.Array]] = {
    "moments": (moments("ms"), moments("us")),
    "moments in UTC": (moments("us", "UTC"), moments("ns", "UTC")),
    "times": (pa.array(NUMBERS, pa.time32("ms")), pa.array(NUMBERS, pa.time64("us"))),
    "integers": (pa.array(NUMBERS, pa.int8()), pa.array(NUMBERS, pa.int64())),
    "floats": (pa.array(NUMBERS, pa.float32()), pa.array(NUMBERS, pa.float64())),
    "decimals": (pa.array(NUMBERS, pa.decimal128(5, 2)), pa.array(NUMBERS, pa.decimal128(9, 4))),
    "integers as decimals": (
        pa.array([2**64 - 1, *NUMBERS[1:]], pa.uint64()),
        pa.array([2**64 - 1, *NUMBERS[1:]], pa.decimal128(20, 0)),
    ),
    "bytes": (pa.array(SIXTEEN, pa.binary(16)), pa.array(SIXTEEN, pa.binary())),
}
WIDER["times"] = (WIDER["times"][0], WIDER["times"][0].cast(pa.time64("us")))


@pytest.mark.parametrize("name", WIDER)
def test_a_wider_type_is_a_warning_and_its_values_are_compared(tmp_path: Path, name: str) -> None:
    before, after = WIDER[name]
    input_ = input_table(extra=before)
    report = audited(tmp_path, matched_table(extra=after), input_=input_, with_values=True)
    assert report.failed() == {"input_types_not_widened"}
    assert f"extra: {before.type} -> {after.type}" in detail(report, "input_types_not_widened")
    assert detail(report, "input_values_kept") == ""
    report = audited(tmp_path, matched_table(extra=other(after)), input_=input_, with_values=True)
    assert detail(report, "input_values_kept") == "1 of 12 rows: extra in 1"
    back = audited(tmp_path, matched_table(extra=before), input_=input_table(extra=after))
    assert back.failed() == {"input_types_kept"}


def test_any_type_is_wider_than_that_of_a_column_without_values(tmp_path: Path) -> None:
    """Parquet's UNKNOWN, as pandas writes a column of None; Spark makes int32 of it."""
    input_ = input_table(extra=pa.nulls(ROWS))
    kept = matched_table(extra=pa.nulls(ROWS, pa.int32()))
    report = audited(tmp_path, kept, input_=input_, with_values=True)
    assert report.failed() == {"input_types_not_widened"}
    assert detail(report, "input_values_kept") == ""
    kept = changed(kept, "extra", r3=0)
    report = audited(tmp_path, kept, input_=input_, with_values=True)
    assert detail(report, "input_values_kept") == "1 of 12 rows: extra in 1"
    back = audited(tmp_path, matched_table(extra=pa.nulls(ROWS)), input_=kept.select(INPUT))
    assert back.failed() == {"input_types_kept"}


def test_a_decimal_holds_integers_of_as_many_digits() -> None:
    kinds = [pa.decimal128(*each) for each in ((3, 0), (5, 2), (2, 0), (4, 2))]
    byte = pa.field("x", pa.int8())
    assert [kind for kind in kinds if widens(byte, pa.field("x", kind))] == kinds[:2]


def struct_of(**kinds: pa.DataType) -> pa.Field:
    return pa.field("x", pa.struct([*kinds.items()]))


def test_a_struct_is_wider_if_each_part_is_kept_or_wider() -> None:
    narrow = struct_of(a=pa.int8(), b=pa.string())
    wide = struct_of(a=pa.int64(), b=pa.string())
    others = (
        struct_of(a=pa.int64(), b=pa.binary()),
        struct_of(a=pa.int64(), c=pa.string()),
        struct_of(a=pa.int64()),
        pa.field("x", pa.list_(pa.int64())),
    )
    assert widens(narrow, wide)
    assert not widens(wide, narrow)
    assert not widens(narrow, narrow)
    assert not any(widens(narrow, other) for other in others)


def test_a_deeply_nested_type_is_compared_at_once() -> None:
    """A schema may have 100 levels, so the work must not double with each."""
    narrow, wide = pa.field("x", pa.int8()), pa.field("x", pa.int64())
    for _ in range(80):
        narrow, wide = struct_of(a=narrow.type), struct_of(a=wide.type)
    assert widens(narrow, wide)


def test_a_moment_that_fits_no_finer_unit_is_another_value(tmp_path: Path) -> None:
    """Microseconds reach to the year 294,246, nanoseconds to 2262: there a cast wraps."""
    last = datetime(9999, 12, 31, tzinfo=UTC)
    micros = pa.array([last] * ROWS, pa.timestamp("us", "UTC"))
    wrapped = micros.cast(pa.timestamp("ns", "UTC"), safe=False)
    output, input_ = matched_table(extra=wrapped), input_table(extra=micros)
    report = audited(tmp_path, output, input_=input_, with_values=True)
    assert "input_values_kept" in report.failed()
