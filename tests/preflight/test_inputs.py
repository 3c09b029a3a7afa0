"""The command `preflight` on inputs as people make them."""

import json
from pathlib import Path

import pytest

from gem_core.__main__ import main
from gem_core.audit.judging.verdict import Verdict
from gem_core.audit.options import IdLimits
from gem_core.commands import run_preflight
from gem_core.gem.contracts.x_version_1 import X_VERSION_1
from gem_core.preflight.duration import hours_for
from gem_core.preflight.preflight import preflight
from tests.audit.encrypted import encrypted
from tests.preflight.inputs import CASES, NEWER, OLDER, Case, roads


@pytest.fixture(autouse=True)
def no_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # The limit would hold for the tests that follow in this process.
    monkeypatch.setattr(run_preflight, "limit_memory", lambda: None)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_is_said_of_an_input(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = case.write(tmp_path)
    code = main(["preflight", path.name, "--json", "--html", "page.html"])
    report = json.loads(capsys.readouterr().out)
    found = report["checks"]["notPassed"]
    failed = {line["name"]: line["detail"] for line in found if line["verdict"] == "failed"}
    assert (code, sorted(failed)) == (case.code, sorted(case.failed))
    assert case.says in " | ".join(failed.values())
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert all(f"<code>{name}</code>" in page for name in failed)
    assert "<script" not in page


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_terminal_says_it_in_at_most_80_columns(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = case.write(tmp_path)
    assert main(["preflight", path.name]) == case.code
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert " ".join(case.says.split()) in " ".join(" ".join(lines).split())


def test_the_terminal_says_once_why_checks_were_not_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "roads.parquet").write_bytes(b"no Parquet")
    assert main(["preflight", "roads.parquet", "--html", "page.html"]) == 1
    out, err = capsys.readouterr()
    assert "24 checks: the file is not readable Parquet" in out
    assert out.count("not run  ") == 1
    assert err == "the page was written to page.html\n"


@pytest.mark.parametrize(
    ("name", "code"),
    [(name, case.newer_code) for name, case in CASES.items() if case.newer_code is not None],
)
def test_the_newer_contract_allows_more(name: str, code: int, tmp_path: Path) -> None:
    path = CASES[name].write(tmp_path)
    assert main(["preflight", path.name, "--contract", NEWER]) == code
    assert main(["preflight", path.name, "--contract", OLDER]) == 1


def test_there_are_more_than_25() -> None:
    assert len(CASES) >= 25


def test_the_report_says_what_to_expect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Case(lambda: roads(["LINESTRING (4.88 52.37, 4.89 52.38)"] * 36_000), 0).write(tmp_path)
    main(["preflight", "roads.parquet", "--json"])
    report = json.loads(capsys.readouterr().out)
    assert report["outputs"] == {OLDER: "roads_matched.parquet", NEWER: "roads.results.parquet"}
    # 12,000 and 147,000 roads an hour, as the pages' examples have it.
    assert report["hours"]["most"] == pytest.approx(36_000 / 11_982, rel=1e-3)
    assert report["hours"]["least"] == pytest.approx(36_000 / 146_796, rel=1e-2)
    assert report["input"]["points"] == 72_000
    assert report["input"]["extent"] == {
        "west": 4.88, "south": 52.37, "east": 4.89, "north": 52.38,
    }  # fmt: skip
    main(["preflight", "roads.parquet"])
    out = " ".join(capsys.readouterr().out.split())
    assert "output: roads_matched.parquet (x-version-1); or roads.results.parquet" in out
    assert "it would overwrite the output" in out
    assert "GEM may take 0.2 to 3.0 hours, by these figures: 11,982 an hour" in out


def test_examples_name_row_id_and_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    CASES["double_parentheses"].write(tmp_path)
    main(["preflight", "roads.parquet", "--json"])
    report = json.loads(capsys.readouterr().out)
    (line,) = (each for each in report["checks"]["notPassed"] if each["verdict"] == "failed")
    assert line["examples"] == [{"row": 1, "id": "2", "value": "LINESTRING ((4 52, 5 53))"}]


def test_the_map_has_fit_and_unfit_roads(tmp_path: Path) -> None:
    lines = ["LINESTRING (4.88 52.37, 4.89 52.38)"] * 3 + [
        "LINESTRING Z (4.9 52.37 1, 4.91 52.38 2)"
    ]
    Case(lambda: roads(lines), 0).write(tmp_path)
    main(["preflight", "roads.parquet", "--html", "page.html"])
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<path d=") == 4
    assert "3 fit" in page
    assert "1 unfit" in page


@pytest.mark.parametrize("open_footer", [True, False])
@pytest.mark.parametrize("column", ["id", "geometry", "is_navigable"])
def test_what_is_encrypted_is_not_judged(column: str, open_footer: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter of pytest
    source = encrypted(tmp_path, roads(), column, "roads.parquet", open_footer=open_footer)
    found = preflight(source, X_VERSION_1, limits=IdLimits())
    failed = {line.name for line in found.checks if line.verdict is Verdict.FAILED}
    assert (str(found.outcome), failed) == ("not_audited", {"readable_here"})


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("absent.parquet",), "absent.parquet is not there"),
        (("roads.parquet", "--html", "roads.parquet"), "--html: this would overwrite"),
        (("roads.parquet", "--folder", "no"), "--folder: there is no folder no"),
    ],
)
def test_what_cannot_be_done_ends_with_2(
    words: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    CASES["good"].write(tmp_path)
    assert main(["preflight", *words]) == 2
    assert said in capsys.readouterr().err


def test_ids_that_take_too_much_disk_are_not_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_preflight, "IdLimits", lambda **_: run_preflight_limits())
    ids = [f"{n * 7919 % 10_007:07}" for n in range(5_000)]
    Case(lambda: roads([roads().column("geometry")[0].as_py()] * 5_000, id=ids), 0).write(tmp_path)
    main(["preflight", "roads.parquet", "--contract", NEWER, "--json"])
    report = json.loads(capsys.readouterr().out)
    (line,) = report["checks"]["notPassed"]
    assert (line["name"], line["verdict"]) == ("id_unique", "not_run")
    assert not report["checks"]["complete"]


def run_preflight_limits() -> object:
    from gem_core.audit.options import IdLimits  # noqa: PLC0415 - the name in the module is replaced

    return IdLimits(memory_bytes=1 << 14, disk_bytes=100)


@pytest.mark.parametrize(
    ("roads", "text"),
    [(2, "about a minute"), (9_000, "4 to 45 minutes"), (100_000, "0.7 to 8.3 hours")],
)
def test_the_time_in_gem_is_a_range_in_one_unit(roads: int, text: str) -> None:
    assert str(hours_for(roads)) == text
