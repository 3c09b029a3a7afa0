"""No log record holds a secret, whoever logs it and whatever handles it."""

import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gem_core import log_guard
from gem_core.log_guard import LIBRARIES, guard_logs
from gem_core.redaction import Redactor

ROOT = Path(__file__).resolve().parents[1]
SECRET = "Ab3dEf6gHi9jKl2mNo"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a handler writes that was added after the guard."""
    factory, levels = logging.getLogRecordFactory(), {}
    for name in LIBRARIES:
        levels[name] = logging.getLogger(name).level
    monkeypatch.setattr(log_guard, "redacted", Redactor(SECRET))
    guard_logs()
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)
    logging.setLogRecordFactory(factory)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize("text", [SECRET, SECRET[:12], "".join(f"%{ord(x):x}" for x in SECRET)])
def test_no_line_has_a_secret(written: io.StringIO, text: str) -> None:
    logging.getLogger("any").error(f"in the text: {text}")  # noqa: G004 - some libraries do
    logging.getLogger("any").error("in the arguments: %s, %d", {"a": text}, 5)
    assert written.getvalue() == "in the text: ***\nin the arguments: {'a': '***'}, 5\n"


def test_a_traceback_is_types_files_and_lines(written: io.StringIO) -> None:
    try:
        raise ValueError("text of a library")  # noqa: TRY301 - there must be one to log
    except ValueError:
        logging.getLogger("any").exception("failed")
    assert "failed\nValueError (tests/test_log_guard.py:" in written.getvalue()
    assert "text of a library" not in written.getvalue()


def test_a_line_that_cannot_be_formatted_shows_no_argument(
    written: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("any").error("%d", SECRET)
    assert written.getvalue() == "a log line that cannot be formatted: TypeError\n"
    assert SECRET not in capsys.readouterr().err


MEET_NO_SERVER = {
    *("azure-functions", "certifi", "cffi", "charset-normalizer", "cryptography"),
    *("idna", "isodate"),
    *("jinja2", "markupsafe", "numpy", "pyarrow", "pycparser", "pyjwt", "typing-extensions"),
    "werkzeug",
}
"""Deployed packages whose log lines hold nothing of a server."""


def test_every_deployed_library_that_meets_a_server_is_known() -> None:
    """A new dependency comes into one of the two lists."""
    pinned = (ROOT / "requirements.txt").read_text("utf-8")
    deployed = set(re.findall("^([a-z0-9-]+)==", pinned, re.MULTILINE)) - MEET_NO_SERVER
    azure = {name for name in deployed if name.startswith("azure-")}
    modules = {".".join(name.split("-")[:2]) for name in azure}
    modules |= {name.replace("-", "_") for name in deployed - azure}
    assert modules == set(LIBRARIES)


@pytest.mark.usefixtures("written")
def test_libraries_log_only_errors() -> None:
    for name in LIBRARIES:
        for logger in (name, f"{name}.any.part"):
            assert not logging.getLogger(logger).isEnabledFor(logging.WARNING)
            assert logging.getLogger(logger).isEnabledFor(logging.ERROR)
