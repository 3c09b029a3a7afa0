"""`python -m gem_core audit` as a process: its exit code and its streams."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_program_has_the_exit_codes_and_the_help(files: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gem_core", *words],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    asked = run("audit", str(files / "bad.parquet"))
    assert (asked.returncode, asked.stderr) == (1, "")
    shown = run("audit", "--help")
    assert shown.returncode == 0
    for word in ("FILE|URL", "--input", "--job", "--json", "--html", "--map", "exit codes"):
        assert word in shown.stdout
    assert run("audit").returncode == 2
    assert run().returncode == 2


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("{file} >/dev/full", 2, "standard output: No space left on device"),
        ("{file} --json >/dev/full", 2, "standard output: No space left on device"),
        ("{file} >&-", 2, "standard output is closed"),
        ("{file} --html {page} >/dev/full", 2, "standard output: No space left on device"),
        ("absent >/dev/full", 2, "absent is not there"),
    ],
)
def test_a_report_that_cannot_be_printed_is_an_error(
    files: Path, words: str, code: int, said: str
) -> None:
    done = in_shell(words.format(file=files / "bad.parquet", page=files / "page.html"))
    assert (done.returncode, done.stderr) == (code, f"gem-courier audit: {said}\n")


def test_a_closed_pipe_gives_2_without_a_message(files: Path) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run(
        [sys.executable, "-m", "gem_core", "audit", files / "bad.parquet"],
        cwd=ROOT, stdout=writes, stderr=subprocess.PIPE, check=False, timeout=60,
    )  # fmt: skip
    os.close(writes)
    assert (done.returncode, done.stderr) == (2, b"")


@pytest.mark.parametrize(
    ("words", "code"),
    [("{file} 2>&-", 0), ("absent 2>&-", 2), ("absent 2>/dev/full", 2), ("{file} >&- 2>&-", 2)],
)
def test_without_standard_error_the_code_is_the_same(files: Path, words: str, code: int) -> None:
    """Python's own would be 1 or 120."""
    done = in_shell(words.format(file=files / "roads_matched.parquet"))
    assert (done.returncode, done.stderr) == (code, "")


def in_shell(words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m gem_core audit {words}"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_help_does_not_wait_for_pyarrow() -> None:
    program = (
        "import sys, gem_core.__main__ as m\n"
        "try: m.main(['audit', '--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('pyarrow', 'jinja2', 'azure') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"
