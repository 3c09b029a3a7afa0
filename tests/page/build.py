"""Pages of small generated outputs: valid ones and an invalid one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from devkit.simulator.faults import gers_id_malformed, ids_invented, low_confidence, status_unknown
from devkit.simulator.roads import match_roads, road_network, statistics
from gem_core.audit.audit import audit
from gem_core.audit.options import AuditOptions
from gem_core.gem.job import GemJob
from gem_core.page.draw import NO_LABELS
from gem_core.page.make import make_page
from tests.audit.build import job, write

ROWS = 400
AT = datetime(2026, 1, 20, 12, 30, tzinfo=UTC)
SCRIPT = "<script>document.title='run'</script>"
"""A name and a value that must stay text."""


def roads() -> pa.Table:
    return road_network(ROWS, seed=1)


def good() -> tuple[pa.Table, GemJob]:
    """A valid output and its job."""
    table, figures = match_roads(roads(), seed=2)
    return table, job(statistics(figures, execution_seconds=10))


def bad() -> tuple[pa.Table, GemJob]:
    """An output with many errors, markup in names and values, and unmatched confidences."""
    table, figures = match_roads(roads(), seed=2)
    table = ids_invented(gers_id_malformed(status_unknown(low_confidence(table))))
    values = [SCRIPT, 'a"b&c', "\u202eright to left", None, "", "\x1b[31mred", "long" * 40, "x"]
    confidences = [
        0.3 if status == "unmatched" else value
        for status, value in zip(
            table.column("match_status").to_pylist(),
            table.column("match_confidence").to_pylist(),
            strict=True,
        )
    ]
    table = table.set_column(
        table.schema.get_field_index("match_confidence"), "match_confidence", pa.array(confidences)
    ).append_column(SCRIPT, pa.array((values * ROWS)[:ROWS]))
    return table, job(statistics(figures, execution_seconds=10, points_off=3))


def page_of(
    folder: Path,
    table: pa.Table,
    of: GemJob,
    *,
    with_map: bool = True,
    with_values: bool = False,
    labels: Mapping[str, str] = NO_LABELS,
) -> str:
    """The page of an output that is compared with the input of `roads`."""
    output = write(folder, table, row_group_size=150)
    input_ = write(folder, roads(), "roads.parquet")
    report = audit(output, of, input_source=input_, options=AuditOptions(with_values=with_values))
    return make_page(report, output, AT, with_map=with_map, labels=labels).html
