"""Which form the GERS ids of a release have, and how a job with ids of the other one is judged."""

from pathlib import Path

import pyarrow as pa
import pytest

from gem_core.audit.judging.verdict import Judgement, Verdict
from gem_core.audit.rows.gers import (
    GersFormat,
    ReleaseUnreadable,
    expected_format,
    format_of_release,
)
from tests.audit.build import MATCHED_ROWS, audited, gers, job, matched_table
from tests.audit.lines import line_of

NEW, OLD = "2025-06-25.0", "2025-05-21.0"
UUIDS = [gers(n) for n in range(MATCHED_ROWS)]
DIGITS = [text.replace("-", "") for text in UUIDS]
BOTH = [*UUIDS[:4], *DIGITS[4:]]


@pytest.mark.parametrize(
    ("release", "form"),
    [
        ("2024-04-16-beta.0", GersFormat.DIGITS),
        ("2024-02-15-alpha.0", GersFormat.DIGITS),
        ("2025-05-21.0", GersFormat.DIGITS),
        ("2025-05-31.12", GersFormat.DIGITS),
        ("2025-06-01.0", GersFormat.UUID),
        ("2025-06-25.0", GersFormat.UUID),
        ("2026-01-21.0", GersFormat.UUID),
        ("2026-01-21", GersFormat.UUID),
    ],
)
def test_each_release_has_its_form_of_ids(release: str, form: GersFormat) -> None:
    assert format_of_release(release) is form
    assert expected_format(release) is form


@pytest.mark.parametrize(
    "release",
    [
        None,
        "",
        "latest",
        "<latest-overture-release>",
        "2025-06-31.0",
        "2025-6-25.0",
        " 2025-06-25.0",
        "2025-06-25.0\n",
        "2025-06-25.",
        "2025-06-25.x",
        "2025-06-25-gamma.0",
        "v2025-06-25.0",
        "\u0662025-06-25.0",
        "1" * 5000,
    ],
)
def test_what_names_no_release_is_reported(release: str | None) -> None:
    with pytest.raises(ReleaseUnreadable, match="overtureRelease") as caught:
        format_of_release(release)
    assert len(str(caught.value)) < 150
    assert expected_format(release) is None


def judged(folder: Path, gers_ids: list[str], release: str | None) -> Judgement:
    nothing: list[str | None] = [None] * 3
    table = matched_table(gers_id=pa.array([*gers_ids, *nothing]))
    report = audited(folder, table, of=job(overtureRelease=release))
    assert report.failed() <= {"gers_id_format_of_release"}
    assert report.outcome == ("valid_with_warnings" if report.failed() else "valid")
    line = line_of(report, "gers_id_format_of_release")
    return line.judgement


@pytest.mark.parametrize(
    ("gers_ids", "release", "first", "count"),
    [
        pytest.param(UUIDS, NEW, 0, 0, id="new"),
        pytest.param(DIGITS, OLD, 0, 0, id="old"),
        pytest.param(DIGITS, NEW, 0, MATCHED_ROWS, id="old-in-new"),
        pytest.param(UUIDS, OLD, 0, MATCHED_ROWS, id="new-in-old"),
        pytest.param(BOTH, NEW, 4, MATCHED_ROWS - 4, id="both-in-new"),
        pytest.param(BOTH, OLD, 0, 4, id="both-in-old"),
    ],
)
def test_ids_in_the_form_of_another_release_are_counted(
    tmp_path: Path, gers_ids: list[str], release: str, first: int, count: int
) -> None:
    """Every row is counted, whether one form was seen or both, and the first one is shown."""
    found = judged(tmp_path, gers_ids, release)
    if not count:
        assert found.verdict is Verdict.PASSED
        return
    assert (found.verdict, found.offending) == (Verdict.FAILED, count)
    assert found.examples[0].row == first
    form = "UUIDs" if release == NEW else "32 hexadecimal digits each"
    assert found.detail.endswith(f"ids of release {release} are {form}")


@pytest.mark.parametrize("release", [None, "<latest-overture-release>"])
def test_without_a_release_the_form_is_not_judged(tmp_path: Path, release: str | None) -> None:
    found = judged(tmp_path, BOTH, release)
    assert found.verdict is Verdict.NOT_RUN
    assert "overtureRelease" in found.detail
