"""Files that ask for more memory or time than there is: always a report, never past the bound."""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.audit import bombs
from tests.audit.audited_alone import BOUND_BYTES, Alone


@pytest.fixture(scope="module")
def alone() -> Iterator[Alone]:
    """One process for all files: what one of them takes, it cannot give back unseen."""
    with Alone() as process:
        yield process


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "page of a gibibyte": (bombs.huge_page, "auditable"),
    "page that claims 2^31": (bombs.claimed_page, "auditable"),
    "page of just less than the limit": (partial(bombs.huge_page, 127 * bombs.MIB), ""),
    "dictionary of one long GERS id": (partial(bombs.long_dictionary, rows=500), "gers_id_format"),
    "dictionary of one long id": (
        partial(bombs.long_dictionary, rows=500, column="id"),
        "road_count",
    ),
    "dictionary of 32 million empty texts": (bombs.long_dictionary_of_nothing, "auditable"),
    "values that repeat their prefix": (partial(bombs.repeated_prefix, rows=500), "gers_id_format"),
    "2^30 rows claimed": (partial(bombs.claimed_rows, 2**30), "rows_readable"),
    "2^31 rows claimed": (partial(bombs.claimed_rows, 2**31), "auditable"),
    "2^40 rows claimed": (partial(bombs.claimed_rows, 2**40), "auditable"),
    "2^62 rows claimed": (partial(bombs.claimed_rows, 2**62), "auditable"),
    "one row group 3,000 times": (bombs.same_group_again, "auditable"),
    "30,000 row groups of nothing": (bombs.empty_groups, "rows_readable"),
    "100,000 columns": (bombs.many_columns, ""),
    "50 MB of key-value metadata": (
        partial(bombs.key_values, {b"key": b"v" * 50_000_000}),
        "footer_readable",
    ),
    "15 MB of key-value metadata": (partial(bombs.key_values, {b"key": b"v" * 15_000_000}), ""),
    "90 groups deep": (partial(bombs.deep_schema, 90), ""),
    "10,000 groups deep": (partial(bombs.deep_schema, 10_000), "footer_readable"),
    "a path that is no text": (bombs.path_that_is_no_text, "rows_readable"),
    "a column beyond the end": (bombs.footer_beyond_file, "chunks_in_bounds"),
    "a column longer than the file": (bombs.chunk_beyond_file, "chunks_in_bounds"),
    **{
        f"an index beyond the dictionary of {name}": (
            partial(bombs.index_beyond_dictionary, name),
            "rows_readable",
        )
        for name in ("id", "gers_id", "match_status")
    },
    "2,000,000 rows of one run": (bombs.runs, "ids_unique"),
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_a_report_within_bounds(name: str, alone: Alone, tmp_path: Path) -> None:
    make, failed = BOMBS[name]
    path = tmp_path / "roads_matched.parquet"
    path.write_bytes(make())
    found = alone.audit(path)
    assert found.peak_bytes <= BOUND_BYTES, name
    if failed:
        assert failed in found.failed
