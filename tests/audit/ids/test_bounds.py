"""Ids beyond a bound of memory or disk: counted exactly, or not at all."""

from pathlib import Path

import pyarrow as pa
import pytest

from gem_core.audit.ids import id_audit as ids_module
from gem_core.audit.ids import integer_sort, text_sort
from gem_core.audit.options import IdLimits
from tests.audit.ids.audits import INT64, LATE, ORDERED, SHUFFLED, Ids, compared


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
