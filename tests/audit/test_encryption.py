"""Nobody here has the key, which says nothing about a file."""

from pathlib import Path

import pytest

from tests.audit.build import audited, input_table, matched_table
from tests.audit.encrypted import encrypted
from tests.audit.lines import detail
from tests.audit.other_files import FIELDS


@pytest.mark.parametrize("column", sorted(FIELDS))
def test_an_encrypted_column_of_the_checks_is_named(tmp_path: Path, column: str) -> None:
    report = audited(
        tmp_path, encrypted(tmp_path, matched_table(), column, "roads_matched.parquet")
    )
    assert (str(report.outcome), {*report.failed()}) == ("not_audited", {"auditable"})
    assert detail(report, "auditable") == f"{column} is encrypted"


def test_another_encrypted_column_harms_nothing(tmp_path: Path) -> None:
    output = encrypted(tmp_path, matched_table(), "geometry", "roads_matched.parquet")
    report = audited(tmp_path, output, with_values=True)
    assert report.outcome == "valid"
    assert detail(report, "input_values_kept") == "columns that cannot be compared: geometry"


@pytest.mark.parametrize("column", ["id", "geometry"])
def test_an_encrypted_input_fails_nothing(tmp_path: Path, column: str) -> None:
    input_ = encrypted(tmp_path, input_table(), column, "roads.parquet")
    report = audited(tmp_path, matched_table(), input_=input_, with_values=True)
    assert report.outcome == "valid"
    if column == "id":
        assert report.facts.input.note == "the input's ids cannot be compared: id is encrypted"
    else:
        assert detail(report, "input_values_kept") == "columns that cannot be compared: geometry"


def test_an_encrypted_footer_says_nothing_about_the_file(tmp_path: Path) -> None:
    name = "roads_matched.parquet"
    source = encrypted(tmp_path, matched_table(), "geometry", name, open_footer=False)
    report = audited(tmp_path, source)
    assert (str(report.outcome), {*report.failed()}) == ("not_audited", {"footer_not_encrypted"})
    assert not report.is_read
