"""A good output passes every check, however its columns are typed."""

from pathlib import Path

import pyarrow as pa
import pytest

from gem_core.audit.judging.checks import CHECKS
from gem_core.audit.judging.verdict import Verdict
from tests.audit.build import audited, changed, matched_table
from tests.audit.lines import NOT_ASKED, not_run


def test_a_good_output_passes_every_check(tmp_path: Path) -> None:
    report = audited(tmp_path, matched_table())
    assert report.outcome == "valid"
    assert {line.name for line in report.checks if line.verdict is Verdict.PASSED} == {
        check.name for check in CHECKS
    } - NOT_ASKED


def text(kind: pa.DataType) -> pa.Table:
    table = matched_table()
    for name in ("gers_id", "match_status", "geometry"):
        index = table.schema.get_field_index(name)
        table = table.set_column(index, name, table.column(name).cast(kind))
    return table


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(text(pa.large_string()), id="large-text"),
        pytest.param(text(pa.dictionary(pa.int32(), pa.string())), id="dictionary"),
        pytest.param(text(pa.string_view()), id="text-view"),
        pytest.param(
            matched_table(
                match_confidence=matched_table().column("match_confidence").cast(pa.float32())
            ),
            id="single-precision",
        ),
        pytest.param(
            changed(matched_table(), "match_confidence", r10=0.0, r11=1.0),
            id="confidence-on-unmatched",
        ),
        pytest.param(
            changed(matched_table(), "match_confidence", r0=0.6, r1=1.0), id="confidence-at-bounds"
        ),
    ],
)
def test_what_the_page_leaves_open_is_accepted(tmp_path: Path, table: pa.Table) -> None:
    report = audited(tmp_path, table)
    assert not report.failed()
    assert not not_run(report)
