"""`audit --html`: the page, its map, and what the terminal says of them."""

import os
from pathlib import Path

import pyarrow as pa
import pytest

from gem_core.audit.child import in_process
from gem_core.audit.child.result import AuditResult
from gem_core.audit.rows.progress import Pass
from gem_core.commands.progress import ProgressLine
from tests.audit.build import ROWS, changed, matched_table, write
from tests.commands.audit_command import audit_command


def test_the_page_is_written(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a map, unless nobody wants it; and the terminal says where."""
    page = files / "page.html"
    assert audit_command(files / "bad.parquet", "--html", page) == 1
    assert capsys.readouterr().err == f"the page was written to {page}\n"
    html = page.read_text("utf-8")
    assert html.startswith("<!doctype html>")
    assert 'id="map"' in html
    assert audit_command(files / "bad.parquet", "--html", page, "--no-map") == 1
    assert 'id="map"' not in page.read_text("utf-8")


NO_MAP: dict[str, tuple[pa.Table, str]] = {
    "another type": (
        matched_table(geometry=pa.array([1] * ROWS)),
        "no map: geometry is int64, neither text (WKT) nor binary (WKB)",
    ),
    "no such column": (matched_table(geometry=None), "no map: there is no column geometry"),
    "no roads": (
        matched_table(geometry=pa.array(["POINT (1 2)"] * ROWS)),
        f"no map: {ROWS} of the sampled geometries cannot be drawn: null, or not a valid line",
    ),
    "some roads": (
        changed(matched_table(), "geometry", r0="POINT (1 2)"),
        "the map: 1 of the sampled geometries cannot be drawn: null, or not a valid line",
    ),
    "no rows": (pa.table({"a": [1]}), "no map: the rows of the output were not read"),
    "roads": (matched_table(), ""),
}


@pytest.mark.parametrize("name", NO_MAP)
def test_what_the_map_lacks_is_said(
    files: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    table, said = NO_MAP[name]
    output = write(files, table)
    page = files / "page.html"
    audit_command(output.path, "--html", page)
    assert capsys.readouterr().err == f"the page was written to {page}\n" + (said and f"{said}\n")
    assert ('id="map"' in (files / "page.html").read_text("utf-8")) == (name != "no rows")


@pytest.fixture
def no_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where an audit begins."""

    def begun(*_: object, **__: object) -> AuditResult:
        raise AssertionError("the audit began")

    monkeypatch.setattr(in_process, "audit_in_process", begun)


@pytest.mark.usefixtures("no_audit")
def test_a_page_without_write_permission_is_reported_before_the_audit(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The permission is faked, because root may run these tests and may write anything."""
    monkeypatch.setattr(os, "access", lambda _, mode: mode != os.W_OK)
    page = files / "page.html"
    page.write_text("the former one")
    assert audit_command(files / "bad.parquet", "--html", page) == 2
    assert f"--html: no permission to write {page}" in capsys.readouterr().err
    assert page.read_text() == "the former one"


@pytest.mark.usefixtures("no_audit")
def test_a_page_that_cannot_be_created_is_reported_before_the_audit(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even root can create a file in /proc."""
    assert audit_command(files / "bad.parquet", "--html", "/proc/page.html") == 2
    assert "--html: " in capsys.readouterr().err


def test_an_existing_file_stays_until_the_new_page_is_ready(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, link = files / "page.html", files / "link.html"
    link.symlink_to(page)
    seen = []

    def rows(*_: object) -> None:
        seen.append(page.read_text() if page.exists() else None)

    monkeypatch.setattr(ProgressLine, "rows", rows)
    assert audit_command(files / "bad.parquet", "--html", link) == 1
    page.write_text("the former one")
    assert audit_command(files / "bad.parquet", "--html", page) == 1
    assert seen == [None, "the former one"]
    assert link.is_symlink()
    assert page.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("as_json", [False, True])
def test_the_report_is_printed_even_if_the_page_fails(
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    as_json: bool,
) -> None:
    """The file changes between the audit and the page's pass."""
    path, page = files / "bad.parquet", files / "page.html"
    words = (path, *(["--json"] if as_json else []))
    assert audit_command(*words) == 1
    whole = capsys.readouterr().out

    def rows(_: ProgressLine, doing: Pass, done: int, total: int) -> None:
        assert doing is Pass.CHECKED
        assert 0 < done <= total == 12
        os.utime(path, (1, 1))  # the audit has read it whole

    monkeypatch.setattr(ProgressLine, "rows", rows)
    assert audit_command(*words, "--html", page) == 3
    out, err = capsys.readouterr()
    assert out == whole
    assert err == f"the page was not written: {path} was replaced while it was read\n"
    assert not page.exists()


def test_a_page_that_cannot_be_written_after_the_audit(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = files / "pages"
    folder.mkdir()
    monkeypatch.setattr(ProgressLine, "rows", lambda *_: folder.rename(files / "moved"))
    assert audit_command(files / "bad.parquet", "--html", folder / "page.html") == 3
    out, err = capsys.readouterr()
    assert out.startswith("invalid: bad.parquet\n")
    assert err.startswith("the page was not written: ")
    assert "No such file" in err
