"""Surveys of small outputs."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from gem_core.page.survey import Survey, survey
from tests.audit.build import PROMISES, write

ROWS = 120


def surveyed(
    folder: Path,
    table: pa.Table,
    *,
    with_map: bool = False,
    groups: int = 50,
    marked: Sequence[int] = (),
) -> Survey:
    source = write(folder, table, row_group_size=groups)
    return survey(source, PROMISES, with_map=with_map, marked=marked)


def parts(found: Survey, column: str) -> dict[str | None, tuple[int, int]] | None:
    for breakdown in found.breakdowns:
        if breakdown.column == column:
            return {part.value: (part.rows, part.matched) for part in breakdown.parts}
    return None
