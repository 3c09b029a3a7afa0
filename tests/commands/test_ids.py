"""`gem-courier ids`, and `audit --overture`: over a folder, in a child as always."""

import json
from pathlib import Path

import pytest

from gem_core.__main__ import main
from gem_core.audit.overture.release import Part
from tests.audit.build import write
from tests.audit.overture.world import AFTER, GOOD, RELEASE, Truth, build, output, roads


def planted(folder: Path, truths: list[Truth]) -> list[str]:
    of = roads(truths)
    build(folder, of)
    path = write(folder, output(of)).path
    return [str(path), "--release", RELEASE, "--overture", str(folder)]


@pytest.mark.parametrize("truths", [[*GOOD], [*Truth]])
def test_the_three_checks_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], truths: list[Truth]
) -> None:
    code = main(["ids", *planted(tmp_path, truths), "--json"])
    found = json.loads(capsys.readouterr().out)
    verdicts = {line["name"]: line["verdict"] for line in found["checks"]}
    expected = "passed" if truths == [*GOOD] else "failed"
    assert verdicts == dict.fromkeys(("gers_alive", "gers_type", "gers_in_place"), expected)
    assert code == (0 if expected == "passed" else 1)


def test_what_is_not_known_is_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = planted(tmp_path, [Truth.IN_PLACE])
    words[2] = "2024-01-01.0"
    assert main(["ids", *words]) == 2
    printed = capsys.readouterr().out
    assert printed.count("not run") == 3
    assert "there is no changelog of release 2024-01-01.0" in printed


def test_an_audit_says_what_overture_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["audit", *planted(tmp_path, [*Truth])])
    printed = capsys.readouterr().out
    assert code == 0
    assert printed.startswith("valid_with_warnings")
    assert "gers_alive: 5 of 13 rows have ids of no segment of release" in printed
    assert "gers_in_place: 1 of 13 rows" in printed
    assert "gers_type: 1 of 13 rows" in printed


def test_where_there_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = planted(tmp_path, [Truth.IN_PLACE])
    assert main(["ids", *words[:-1], str(tmp_path / "none")]) == 2
    assert "--overture: there is no folder" in capsys.readouterr().err
    assert main(["audit", words[0], "--release", RELEASE]) == 2
    assert "--release needs --overture" in capsys.readouterr().err


def test_the_doctor_reports_what_a_changelog_looks_like(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(tmp_path, roads([*Truth]))
    assert main(["doctor", "--overture", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{tmp_path} is read as a folder"
    assert lines[1] == f"changelog {AFTER}"
    assert lines[-1].endswith(f"these may not be all: there is no changelog after {AFTER}")
    assert main(["doctor", "--overture", str(tmp_path), "--release", RELEASE]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert lines[0] == f"changelog {RELEASE}"
    assert [line.partition(":")[0] for line in lines[1:]] == [*Part]
    assert lines[1].startswith("unchanged: 2 files, ")
    assert lines[1].endswith(
        "the first has 33 rows in 9 row groups, columns id, bbox; statistics of id in 9 row "
        "groups; statistics of bbox (xmin, xmax, ymin, ymax) in 9 row groups"
    )
    assert main(["doctor", "--overture", str(tmp_path), "--release", "2020-01-01.0"]) == 2
    assert "there is no changelog" in capsys.readouterr().err
