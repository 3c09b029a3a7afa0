"""The way of counting is the cheapest that the ids allow."""

import pyarrow as pa
import pytest

from gem_core.audit.ids import out_of_order
from gem_core.audit.ids.bitmap import bitmap_range
from gem_core.audit.ids.facts import InputIds, OutputIds
from gem_core.audit.ids.integer_sort import IntegerSort
from gem_core.audit.parquet.integer_range import IntegerRange
from tests.audit.ids.audits import INT64, SHUFFLED, Ids, compared


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
