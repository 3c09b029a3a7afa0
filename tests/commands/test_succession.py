"""The command `succession`: what it prints and writes, and its exit codes."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gem_core.__main__ import main
from gem_core.commands import run_succession
from tests.audit.build import write
from tests.succession.runs import rows, table

OLD = rows((1, "a"), (2, "b"), (3, "c"), (4, "c"), (5, "d"), (6, ""))
NEW = rows((1, "a"), (2, "x"), (3, "c"), (4, "y"), (5, ""), (6, "z"))
LINE = "LINESTRING (4.{0} 52.1, 4.{0} 52.2)"


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # The limit would hold for the tests that follow in this process.
    monkeypatch.setattr(run_succession, "limit_memory", lambda: None)
    write(tmp_path, table(OLD), "old.parquet")
    geometry = pa.array([LINE.format(road) for road, _ in NEW])
    write(tmp_path, table(NEW).append_column("geometry", geometry), "new.parquet")


def test_the_result_is_printed_in_at_most_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["succession", "old.parquet", "new.parquet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    words = [line.split() for line in lines]
    for kind, counts in {
        "same": "111", "replaced": "111", "split": "112", "merged": "000", "regrouped": "000",
        "dropped": "110", "gained": "101",
    }.items():  # fmt: skip
        assert [kind, *counts] in words
    assert "6 roads, of which" in lines
    assert "old: 6 rows, 5 matched, layout x-version-1" in lines


def test_json_has_the_same_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["succession", "old.parquet", "new.parquet", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["groups"]["split"] == {"groups": 1, "oldIds": 1, "newIds": 2}
    assert found["roads"] == {
        "onlyOld": 0, "onlyNew": 0, "unmatched": 0, "unchanged": 2, "changed": 2, "lost": 1,
        "won": 1,
    }  # fmt: skip
    assert found["pairs"] == 5
    assert found["largestGroup"] == 3
    assert found["old"]["etag"]


def test_the_pairs_name_their_roads(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["succession", "old.parquet", "new.parquet", "--pairs", "pairs.parquet"]) == 0
    assert capsys.readouterr().err == "the file for --pairs was written to pairs.parquet\n"
    pairs = pq.read_table("pairs.parquet")
    assert pairs.schema.names == [
        "old_gers_id", "new_gers_id", "kind", "group", "roads", "road_ids",
    ]  # fmt: skip
    roads = {(row["kind"], tuple(row["road_ids"])) for row in pairs.to_pylist()}
    assert roads == {
        ("same", (1,)), ("replaced", (2,)), ("split", (3,)), ("split", (4,)), ("dropped", (5,)),
        ("gained", (6,)),
    }  # fmt: skip
    assert not list(Path().glob("*.unfinished"))


def test_the_page_has_the_counts_and_a_map() -> None:
    assert main(["succession", "old.parquet", "new.parquet", "--html", "page.html"]) == 0
    page = Path("page.html").read_text(encoding="utf-8")
    assert page.count("<path d=") == 6
    for kind in ("same", "replaced", "split", "dropped", "gained"):
        assert f'<g class="road {kind}">' in page
    assert "<script" not in page


def test_without_geometry_the_page_says_that_there_is_no_map() -> None:
    assert main(["succession", "old.parquet", "old.parquet", "--html", "page.html"]) == 0
    page = Path("page.html").read_text(encoding="utf-8")
    assert "No map: <bdi>neither file has the geometry of the roads</bdi>." in page


def test_names_in_files_cannot_write_markup(tmp_path: Path) -> None:
    write(tmp_path, table(OLD), "<b>.parquet")
    assert main(["succession", "<b>.parquet", "new.parquet", "--html", "page.html"]) == 0
    assert "<b>" not in Path("page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("absent.parquet", "new.parquet"), "absent.parquet is not there"),
        (("old.parquet", "new.parquet", "--pairs", "old.parquet"), "--pairs: this would overwrite"),
        (("old.parquet", "new.parquet", "--html", "no/page.html"), "--html: there is no folder no"),
        (("old.parquet", "new.parquet", "--folder", "no"), "--folder: there is no folder no"),
    ],
)
def test_what_cannot_be_done_is_said_and_ends_with_2(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["succession", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_page_that_cannot_be_written_does_not_cost_the_result(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    assert main(["succession", "old.parquet", "new.parquet", "--html", "page.html"]) == 3
    out, err = capsys.readouterr()
    assert "6 roads, of which" in out
    assert "the page was not written: --html: page.html: No space left on device" in err


def test_an_earlier_pairs_file_stays_when_a_comparison_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("pairs.parquet").write_bytes(b"earlier")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_batch", fail)
    assert main(["succession", "old.parquet", "new.parquet", "--pairs", "pairs.parquet"]) == 2
    assert "--pairs: pairs.parquet: No space left on device" in capsys.readouterr().err
    assert Path("pairs.parquet").read_bytes() == b"earlier"
    assert not list(Path().glob("*.unfinished"))


def test_a_lack_of_memory_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError("malloc of size 64 failed")

    monkeypatch.setattr(run_succession, "compare", fail)
    assert main(["succession", "old.parquet", "new.parquet"]) == 2
    assert "there is too little memory: malloc of size 64 failed" in capsys.readouterr().err
