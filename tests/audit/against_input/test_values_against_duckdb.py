"""Values that differ from the input's are as many as DuckDB finds by joining the files on the id.

AUDIT_DIFFERENTIAL_FILES sets how many outputs are tried.
"""

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.audit.audit import audit
from gem_core.audit.options import AuditOptions
from gem_core.audit.reading.source import open_file
from tests.audit.build import job
from tests.audit.differential import files

VALUES: dict[str, tuple[pa.DataType, list[Any]]] = {
    "number": (pa.float64(), [None, 0.0, -0.0, 1.5, np.nan, np.inf]),
    "flag": (pa.bool_(), [None, True, False]),
    "geometry": (pa.string(), [None, "", "POINT (1 2)", "POINT (1 2) ", "é"]),
    "class": (pa.dictionary(pa.int32(), pa.string()), [None, "a", "b"]),
    "tags": (pa.list_(pa.string()), [None, [], ["a"], [None], ["a", "b"]]),
    "lane": (
        pa.struct([("n", pa.int32()), ("x", pa.float32())]),
        [None, {"n": 1, "x": 1.0}, {"n": None, "x": np.nan}, {"n": 1, "x": None}],
    ),
}
COUNTS = ", ".join(
    f'count(*) filter (where o."{name}" is distinct from g."{name}")' for name in VALUES
)
DIFFERENT = f"""
    select {COUNTS} from read_parquet($output) o join read_parquet($input_) g using (id)
"""  # noqa: S608 - constants

type Columns = dict[str, list[Any]]


def table(ids: np.ndarray, columns: Columns, **more: pa.Array) -> pa.Table:
    arrays = {name: pa.array(columns[name], VALUES[name][0]) for name in VALUES}
    return pa.table({"id": pa.array(ids), **arrays, **more})


@st.composite
def carried_on(draw: st.DrawFn) -> tuple[pa.Table, pa.Table]:
    """An output with the input's rows in its order, some more than once; and the input."""
    rows = draw(st.integers(1, 30))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    before: Columns = {
        name: [values[n] for n in rng.integers(0, len(values), rows)]
        for name, (_, values) in VALUES.items()
    }
    times = rng.integers(1, draw(st.sampled_from([2, 4])), rows)
    places = np.repeat(np.arange(rows), times)
    after: Columns = {name: [values[n] for n in places] for name, values in before.items()}
    for row in draw(st.lists(st.integers(0, len(places) - 1), max_size=5)):
        name = draw(st.sampled_from(sorted(VALUES)))
        after[name][row] = draw(st.sampled_from(VALUES[name][1]))
    ids = rng.permutation(rows)
    output = table(
        ids[places],
        after,
        gers_id=pa.nulls(len(places), pa.string()),
        match_confidence=pa.nulls(len(places), pa.float64()),
        match_status=pa.array(["unmatched"] * len(places)),
    )
    return output, table(ids, before)


group_rows = st.sampled_from([1, 3, 1000])


@pytest.mark.slow
@given(carried_on(), group_rows, group_rows)
@files
def test_the_values_that_differ_are_those_that_duckdb_finds(
    tmp_path_factory: pytest.TempPathFactory,
    tables: tuple[pa.Table, pa.Table],
    output_rows: int,
    input_rows: int,
) -> None:
    folder = tmp_path_factory.getbasetemp()
    output, input_ = folder / "roads_matched.parquet", folder / "roads.parquet"
    pq.write_table(tables[0], output, row_group_size=output_rows)
    pq.write_table(tables[1], input_, row_group_size=input_rows)
    options = AuditOptions(with_values=True)
    report = audit(open_file(output), job(), input_source=open_file(input_), options=options)
    found = report.facts.values
    assert found
    assert (found.stopped, found.rows) == ("", len(tables[0]))
    with duckdb.connect(config={"threads": 1}) as database:
        paths = {"output": str(output), "input_": str(input_)}
        expected = database.execute(DIFFERENT, paths).fetchone()
    counts = (found.columns[name].count if name in found.columns else 0 for name in VALUES)
    assert tuple(counts) == expected
