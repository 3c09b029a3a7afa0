"""An audit that is not made: exit code 2, one line that says why, and no secret in it."""

from contextlib import suppress
from pathlib import Path

import pytest

from gem_core.commands import run_audit
from gem_core.commands.progress import ProgressLine
from gem_core.commands.run_audit import AuditRequest
from gem_core.errors import OutputUnreachable
from tests.commands.audit_command import audit_command

LONG = "n" * 5_000
"""Longer than a name may be."""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("absent.parquet",), "absent.parquet is not there"),
        (("bad.parquet", "--input", "absent.parquet"), "absent.parquet is not there"),
        (("bad.parquet", "--job", "absent.json"), "--job: "),
        (("bad.parquet", "--job", "bad.parquet"), "is not JSON"),
        (("bad.parquet", "--job", "list.json"), "expected a JSON object, got list"),
        (("bad.parquet", "--job", "empty.json"), "has no jobRunId"),
        (("bad.parquet", "--job", "deep.json"), "deep.json is nested too deeply"),
        (("bad.parquet", "--job", "digits.json"), "digits.json has a number with too many digits"),
        (("bad.parquet", "--job", "latin.json"), "latin.json is not JSON"),
        (("bad.parquet", "--compare", "columns"), "--compare columns needs --input"),
        (("bad.parquet", "--ids-folder", "absent"), "--ids-folder: there is no folder absent"),
        (("bad.parquet", "--html", "no/page.html"), "there is no folder"),
        (("bad.parquet", "--html", "."), "is a folder"),
        (("bad.parquet", "--html", LONG), "--html: nnn"),
        (("bad.parquet", "--html", f"{LONG}/page.html"), "--html: nnn"),
        (("bad.parquet", "--ids-folder", LONG), "--ids-folder: nnn"),
        (("bad.parquet", "--html", "bad.parquet"), "would overwrite bad.parquet"),
        (
            ("bad.parquet", "--input", "odd.parquet", "--html", "odd.parquet"),
            "would overwrite odd.parquet",
        ),
        (("https://a.example/c",), "names no blob"),
        (("http://a.example/c/n",), "not an https address"),
    ],
)
def test_a_failed_audit_gives_its_reason(
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    said: str,
) -> None:
    """Exit code 2, one line, no traceback; and no file is overwritten."""
    monkeypatch.chdir(files)
    (files / "list.json").write_text("[]")
    (files / "empty.json").write_text("{}")
    (files / "deep.json").write_text("[" * 200_000 + "]" * 200_000)
    (files / "digits.json").write_text('{"jobRunId": "x", "n": ' + "1" * 5_000 + "}")
    (files / "latin.json").write_bytes(b'{"jobRunId": "\xe9"}')
    before = {path.name: path.read_bytes() for path in files.iterdir()}
    assert audit_command(*words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.startswith("gem-courier audit: ")
    assert len(err.splitlines()) == 1
    assert {path.name: path.read_bytes() for path in files.iterdir()} == before


@pytest.mark.parametrize("memory", ["0", "65537", "1.5", "some", ""])
def test_memory_is_a_whole_number_within_its_bounds(
    files: Path, capsys: pytest.CaptureFixture[str], memory: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        audit_command(files / "bad.parquet", "--ids-memory", memory)
    assert ended.value.code == 2
    said = "--ids-memory: it is not a whole number of 1 to 65536\n"
    assert capsys.readouterr().err.endswith(said)


@pytest.mark.parametrize("option", ["FILE|URL", "--input", "--job", "--html", "--ids-folder"])
def test_an_empty_argument_is_refused(
    files: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    """A shell variable that is not set gives one. It is not the same as an absent argument."""
    words = ("",) if option == "FILE|URL" else (files / "bad.parquet", option, "")
    with pytest.raises(SystemExit) as ended:
        audit_command(*words)
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith(f"audit: error: argument {option}: it is empty\n")


def test_an_empty_input_is_not_none(files: Path) -> None:
    with pytest.raises(OutputUnreachable, match="is not a file"):
        run_audit.run(AuditRequest(str(files / "bad.parquet"), input=""))


def test_a_file_that_changes_during_the_audit_gets_no_verdict(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = files / "bad.parquet"

    def enter(progress: ProgressLine) -> ProgressLine:
        path.write_bytes(b"another")  # it is opened, and not read
        return progress

    monkeypatch.setattr(ProgressLine, "__enter__", enter)
    assert audit_command(path, "--html", files / "page.html") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "was replaced while it was read" in err
    assert not (files / "page.html").exists()


def test_a_crash_gives_no_verdict(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Python's own code for a crash is 1, which here means an invalid file."""

    def crash(*_: object) -> None:
        raise ValueError("https://a.example/c/n?sv=1&sig=c2VjcmV0&sp=r")

    monkeypatch.setattr(ProgressLine, "rows", crash)
    assert audit_command(files / "bad.parquet") == 2
    err = capsys.readouterr().err
    assert "ValueError (" in err
    assert "a.example" not in err
    assert "c2VjcmV0" not in err


@pytest.mark.parametrize(
    "words",
    [
        (" https://a.example/c/n?sp=r&sig=c2VjcmV0",),
        ("https:/a.example/c/n?sp=r&sig=c2VjcmV0",),
        ("bad.parquet", "--input", "htps:a.example/c/n?sig=c2VjcmV0&sp=r"),
        ("bad.parquet", "--job", "https://a.example/c/n?sp=r&sig=c2VjcmV0"),
        ("bad.parquet", "--html", "https://a.example/c?sp=r&sig=c2VjcmV0/n"),
        ("bad.parquet", "--ids-folder", "https://a.example/c?sp=r&sig=c2VjcmV0"),
        ("bad.parquet", "https://a.example/c/n?sp=r&sig=c2VjcmV0"),
    ],
)
def test_a_mistyped_address_shows_no_signature(
    files: Path,
    words: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(files)
    with suppress(SystemExit):  # by argparse, of an argument too many
        assert audit_command(*words) == 2
    out, err = capfd.readouterr()
    assert "sig=***" in err
    assert "c2VjcmV0" not in out + err


def test_a_file_that_is_named_after_its_address_shows_no_signature(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wget names downloads in this way."""
    path = (files / "bad.parquet").rename(files / "n.parquet?sp=r&sig=c2VjcmV0%3D")
    page = files / "page.html"
    assert audit_command(path, "--input", path, "--html", page) == 1
    assert audit_command(path, "--input", path, "--json") == 1
    out, err = capsys.readouterr()
    assert "n.parquet?sp=r&sig=***" in out
    assert "c2VjcmV0" not in out + err + page.read_text("utf-8")


def test_ctrl_c_gives_130(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ProgressLine, "rows", stop)
    assert audit_command(files / "bad.parquet") == 130
