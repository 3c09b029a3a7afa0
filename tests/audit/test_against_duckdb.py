"""Counts agree with DuckDB's, which reads the same generated files by itself.

AUDIT_DIFFERENTIAL_FILES sets how many outputs are tried, each beside an input.
"""

import uuid
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from gem_core.audit.audit import audit
from gem_core.audit.ids import id_audit as ids_module
from gem_core.audit.ids import integer_sort, text_sort
from gem_core.audit.judging.report import Report
from gem_core.audit.options import AuditOptions, IdLimits
from gem_core.audit.parquet import column_chunks
from gem_core.audit.reading.source import open_file
from gem_core.audit.rows.gers import format_of_release
from gem_core.audit.rows.row_rules import RowRule
from tests.audit.build import job
from tests.audit.differential import files

UUIDS = [str(uuid.UUID(int=n * 0x9E3779B97F4A7C15)) for n in range(1, 6)]
ODD_GERS = [
    "",
    " ",
    "\t\n",
    "\N{NO-BREAK SPACE}\v\N{IDEOGRAPHIC SPACE}",
    *(UUIDS[0] + end for end in ("\n", " ", "0")),
    UUIDS[0].upper(),
    UUIDS[1].replace("-", ""),
    UUIDS[1][1:],
    "-" * 36,
    "g" * 36,
    "é" * 18,
    "\x10" * 32,
]
BLANK = r"[\s\v\x1c-\x1f\x{85}\p{Z}]*"
ROWS_WHERE = {
    RowRule.STATUS_PRESENT: "match_status is null",
    RowRule.STATUS_VALUES: "match_status not in ('matched', 'unmatched')",
    RowRule.GERS_ID_ON_MATCHED: "match_status = 'matched' and gers_id is null",
    RowRule.NO_GERS_ID_ON_UNMATCHED: "match_status = 'unmatched' and not blank",
    RowRule.UNMATCHED_GERS_ID_NULL: "match_status = 'unmatched' and gers_id = ''",
    RowRule.GERS_ID_NOT_BLANK: (
        "blank and not (match_status is not distinct from 'unmatched' and gers_id = '')"
    ),
    RowRule.GERS_ID_FORMAT: "not blank and not form",
    RowRule.GERS_ID_FORMAT_OF_RELEASE: "form and length(gers_id) <> $length",
    RowRule.GERS_ID_LOWER_CASE: "form and gers_id <> lower(gers_id)",
    RowRule.CONFIDENCE_FINITE: "isnan(match_confidence) or isinf(match_confidence)",
    RowRule.CONFIDENCE_RANGE: "isfinite(match_confidence) and match_confidence not between 0 and 1",
    RowRule.CONFIDENCE_ON_MATCHED: "match_status = 'matched' and match_confidence is null",
    RowRule.CONFIDENCE_THRESHOLD: (
        "match_status = 'matched' and match_confidence >= 0 and match_confidence < 0.6"
    ),
    RowRule.ID_PRESENT: f"id is null or regexp_full_match(id::varchar, '{BLANK}')",
}
"""The rules in SQL, as the docstrings of `RowRule`'s checks say them."""

QUERY = (
    f"with rows as (select *, regexp_full_match(gers_id, '{BLANK}') blank, "  # noqa: S608 - constants
    "regexp_full_match(gers_id, "
    "'[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}') form "
    "from (select id, gers_id, match_status, match_confidence::double match_confidence"
    " from read_parquet($output))) select "
    + ", ".join(f"count(*) filter (where {where})" for where in ROWS_WHERE.values())
    + ", count(*), count(*) filter (where match_status = 'matched')"
    ", count(id), count(distinct id)"
    ", count(distinct id) filter (where match_status = 'matched') from rows"
)
IDS = (
    "select count(*) from (select id::varchar from read_parquet($left) where id is not null"
    " except select id::varchar from read_parquet($right))"
)


@st.composite
def networks(draw: st.DrawFn) -> pa.Table:
    """An output; good rows from a seed, some spoilt by hand."""
    rows = draw(st.integers(0, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    matched = rng.random(rows) < draw(st.sampled_from([0.0, 0.5, 0.9, 1.0]))
    columns: dict[str, list[Any]] = {
        "id": _ids(draw, rng, rows),
        "gers_id": [
            UUIDS[n] if m else None for n, m in zip(rng.integers(0, 5, rows), matched, strict=True)
        ],
        "match_confidence": [
            float(c) if m else None for c, m in zip(rng.random(rows), matched, strict=True)
        ],
        "match_status": ["matched" if m else "unmatched" for m in matched],
    }
    spoilers: dict[str, list[Any]] = {
        "id": [None],
        "gers_id": [None, *ODD_GERS],
        "match_confidence": [None, 0.0, 0.6, 1.0, -0.0, 1.5, -1.0, np.nan, np.inf, -np.inf],
        "match_status": [None, "", "Matched", "matched ", "matched", "unmatched"],
    }
    for row in draw(st.lists(st.integers(0, rows - 1), max_size=8)) if rows else []:
        name = draw(st.sampled_from(sorted(columns)))
        columns[name][row] = draw(st.sampled_from(spoilers[name]))
    number = draw(st.sampled_from([pa.float64(), pa.float32()]))
    text = draw(st.sampled_from([pa.string(), pa.large_string(), pa.string_view()]))
    id_kind = pa.int64() if draw(st.booleans()) else text
    return pa.table(
        {
            "id": pa.array(columns["id"], pa.int64()).cast(id_kind),
            "gers_id": pa.array(columns["gers_id"], text),
            "match_confidence": pa.array(columns["match_confidence"], number),
            "match_status": pa.array(columns["match_status"], text),
        }
    )


def _ids(draw: st.DrawFn, rng: np.random.Generator, rows: int) -> list[Any]:
    ids = np.arange(rows) * draw(st.sampled_from([1, 7, 2**40]))
    match draw(st.sampled_from(["sorted", "shuffled", "repeated", "late"])):
        case "shuffled":
            rng.shuffle(ids)
        case "repeated":
            ids = rng.integers(-rows, rows + 1, rows)
        case "late":
            ids[-1:] = 0
    return list(ids.tolist())


any_file = {
    "compression": st.sampled_from(["none", "snappy", "zstd", "gzip", "lz4", "brotli"]),
    "row_group_size": st.sampled_from([1, 7, 1000]),
    "data_page_version": st.sampled_from(["1.0", "2.0"]),
    "data_page_size": st.sampled_from([1, 1 << 20]),
    "write_batch_size": st.sampled_from([1, 1024]),
    "write_statistics": st.booleans(),
    "store_schema": st.booleans(),
}
by_dictionary = st.fixed_dictionaries({**any_file, "use_dictionary": st.booleans()})
by_column = st.fixed_dictionaries(
    {
        **any_file,
        "use_dictionary": st.just(value=False),
        "column_encoding": st.fixed_dictionaries(
            {
                "gers_id": st.sampled_from(["DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"]),
                "match_status": st.sampled_from(["PLAIN", "DELTA_BYTE_ARRAY"]),
                "match_confidence": st.sampled_from(["PLAIN", "BYTE_STREAM_SPLIT"]),
            }
        ),
    }
)
releases = st.sampled_from(["2026-01-21.0", "2025-05-21.0"])
bounds = st.tuples(st.sampled_from([300, 1 << 20]), st.sampled_from([3, 131_072]))
"""Bytes of ids, rows of a batch."""


@pytest.mark.slow
@given(networks(), networks(), by_dictionary | by_column, bounds, releases)
@files
def test_every_count_is_that_of_duckdb(
    tmp_path_factory: pytest.TempPathFactory,
    output: pa.Table,
    input_: pa.Table,
    how: dict[str, Any],
    bound: tuple[int, int],
    release: str,
) -> None:
    folder = tmp_path_factory.getbasetemp()
    paths = folder / "roads_matched.parquet", folder / "roads.parquet"
    pq.write_table(output, paths[0], **how)
    pq.write_table(input_, paths[1])
    id_bytes, batch_rows = bound
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ids_module, "_EARLY_BYTES", 64)
        patch.setattr(text_sort, "CHUNK_BYTES", 48)
        patch.setattr(integer_sort, "MERGE_IDS", 12)
        patch.setattr(column_chunks, "BATCH_ROWS", batch_rows)
        report = audit(
            open_file(paths[0]),
            job(overtureRelease=release),
            input_source=open_file(paths[1]),
            options=AuditOptions(IdLimits(id_bytes, folder)),
        )
    event(
        f"{sum(name in report.failed() for name in ('gers_id_format', 'ids_unique'))} of two failed"
    )
    assert report.facts.data_fault == ""
    length = format_of_release(release).length
    assert counts(report) == counts_of_duckdb(*paths, gers_length=length)


def counts(report: Report) -> dict[str, int | None]:
    profile, ids = report.facts.profile, report.facts.ids
    assert profile
    assert ids
    return {
        **{rule: profile.offenders[rule].count for rule in ROWS_WHERE},
        "rows": profile.rows,
        "matched": profile.matched,
        "ids": ids.rows,
        "distinct": ids.distinct,
        "distinct matched": ids.distinct_matched,
        "missing": ids.missing,
        "extra": ids.extra,
    }


def counts_of_duckdb(output: Path, input_: Path, *, gers_length: int) -> dict[str, int | None]:
    with duckdb.connect(config={"threads": 1}) as database:
        parameters = {"output": str(output), "length": gers_length}
        of_rows = database.execute(QUERY, parameters).fetchone()
        lost = [
            database.execute(IDS, {"left": str(left), "right": str(right)}).fetchone()
            for left, right in ((input_, output), (output, input_))
        ]
    assert of_rows
    names = [*ROWS_WHERE, "rows", "matched", "ids", "distinct", "distinct matched"]
    return {
        **dict(zip(names, of_rows, strict=True)),
        "missing": lost[0][0] if lost[0] else None,
        "extra": lost[1][0] if lost[1] else None,
    }
