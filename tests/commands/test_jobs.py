"""What all actions of `python -m gem_core jobs` have in common: settings, help, exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from devkit.azurite import Azurite
from gem_core.__main__ import main
from gem_core.storage import names
from tests.commands.command_runner import CommandRunner
from tests.wiring.fresh import forget_edges

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("action", ["register", "check", "redeliver", "forget", "show"])
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_settings_that_are_missing_are_said_once_for_all_jobs(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    action: str,
    options: tuple[str, ...],
) -> None:
    monkeypatch.setattr("os.environ", {})
    forget_edges()
    assert main(["jobs", action, "a", "b", *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("missing or invalid settings:\n") == 1
    assert err.count("* GEM_STATE is missing") == 1
    assert "\\n" not in err


def test_settings_come_from_the_file_and_none_from_the_environment(
    command: CommandRunner, azurite: Azurite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "local.settings.json"
    values = {"GEM_STATE": azurite.connection_string}
    file.write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    monkeypatch.setattr("os.environ", {"GEM_CHECK_SCHEDULE": "wrong", "GEM_STATE": "wrong"})
    assert command("jobs", "list")[0] == 2
    assert command("jobs", "list", "--settings", str(file)) == (0, "no jobs\n", "")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (None, ": No such file"),
        ("{", ", line 1: not JSON"),
        ("[]", " has no object Values"),
        ('{"IsEncrypted": true, "Values": {"GEM_STATE": "x"}}', "func settings decrypt"),
    ],
)
def test_an_invalid_settings_file_is_named(
    command: CommandRunner, tmp_path: Path, body: str | None, said: str
) -> None:
    file = tmp_path / "settings.json"
    if body is not None:
        file.write_text(body)
    code, out, err = command("jobs", "list", "--settings", str(file))
    assert (code, out) == (2, "")
    assert err.startswith("gem-courier jobs list: missing or invalid settings:\n")
    assert f"* {file}" in err
    assert said in err


def test_a_missing_container_is_named(command: CommandRunner) -> None:
    with BlobServiceClient.from_connection_string(command.azurite.connection_string) as blobs:
        blobs.delete_container(names.JOBS)
    code, out, err = command("jobs", "list")
    assert (code, out) == (2, "")
    assert err.startswith("gem-courier jobs list: container 'gem-jobs' does not exist")


@pytest.mark.parametrize(
    "words",
    [
        ("jobs",),
        ("jobs", "list"),
        ("jobs", "show"),
        ("jobs", "register"),
        ("jobs", "check"),
        ("jobs", "redeliver"),
        ("jobs", "forget"),
        ("poison",),
        ("poison", "list"),
        ("poison", "replay"),
    ],
    ids=" ".join,
)
def test_every_command_has_help_without_azure(words: tuple[str, ...]) -> None:
    program = (
        "import sys, gem_core.__main__ as m\n"
        "try: m.main([*sys.argv[1:], '--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('azure', 'requests') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"
    if len(words) == 2:
        for word in ("exit codes", "--settings FILE", "--json", "GEM_STATE"):
            assert word in done.stdout


def test_a_reader_that_closes_the_pipe_causes_no_error(
    azurite: Azurite, command: CommandRunner
) -> None:
    command("jobs", "register", *(f"job-{number}" for number in range(20)))
    program = f"{sys.executable} -m gem_core jobs list --limit 20 | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["/bin/bash", "-c", program],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
        env={"GEM_STATE": azurite.connection_string, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert done.stderr == ""


@pytest.mark.parametrize(
    "words",
    [
        "jobs",
        "jobs show",
        "jobs list --stage done",
        "jobs list --limit 0",
        "jobs list --limit -1",
        "jobs list --limit many",
        "jobs list --all --limit 2",
        "jobs list --trouble --limit 2",
        "jobs list --trouble --all",
        "jobs list --trouble --after x",
        "jobs list --trouble --stage settled",
        "poison",
    ],
)
def test_wrong_arguments_give_2(words: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words.split())
    assert caught.value.code == 2
