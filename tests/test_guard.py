"""Tests without a marker start neither Azurite nor a browser, and no test leaves this machine."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from devkit.azurite import Azurite

ROOT = Path(__file__).resolve().parent.parent
FAILED = pytest.fail.Exception
BEYOND = "192.0.2.1"
"""An address for documentation (RFC 5737): no machine has it."""


def test_azurite_is_not_started() -> None:
    with pytest.raises(FAILED, match=r"starts azurite: mark it with @pytest\.mark\.azurite"):
        Azurite().start()


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-m", "devkit", "start"],
        [sys.executable, "-m", "devkit", "demo"],
        [sys.executable, "-c", "from devkit.azurite import Azurite; Azurite().start()"],
        "/usr/bin/chromium --headless",
        ("/usr/bin/Chromium-Browser", b"--headless"),
    ],
)
def test_a_command_that_would_start_one_is_not_run(command: str | tuple[str, ...]) -> None:
    with pytest.raises(FAILED, match="mark it with"):
        subprocess.run(command, check=False)


@pytest.mark.azurite
def test_a_marker_permits_what_it_names_alone() -> None:
    assert subprocess.run([sys.executable, "-c", "'azurite'"], check=False).returncode == 0
    with pytest.raises(FAILED, match="mark it with"):
        subprocess.run(["/usr/bin/chromium"], check=False)


def test_nothing_connects_beyond_loopback() -> None:
    with socket.socket() as tcp, pytest.raises(FAILED, match=BEYOND):
        tcp.connect((BEYOND, 443))
    with socket.socket(type=socket.SOCK_DGRAM) as udp, pytest.raises(FAILED, match=BEYOND):
        udp.sendto(b"?", (BEYOND, 53))


@pytest.mark.parametrize("host", ["", "0.0.0.0", BEYOND])  # noqa: S104 - refused
def test_nothing_listens_beyond_loopback(host: str) -> None:
    with socket.socket() as server, pytest.raises(FAILED, match="not on this machine"):
        server.bind((host, 0))


def test_no_name_is_looked_up() -> None:
    with pytest.raises(FAILED, match=r"gem\.example"):
        socket.getaddrinfo("gem.example", 443)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_every_test_may_use_loopback(host: str) -> None:
    with (
        socket.create_server((host, 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        assert client.getpeername() == server.getsockname()


def test_no_application_catches_the_failure() -> None:
    assert not issubclass(FAILED, Exception)


@pytest.fixture
def courier() -> None:
    """Has the name of the fixture that starts the whole app."""


@pytest.fixture
def between(courier: None) -> None:
    """Uses it for a test."""


@pytest.mark.usefixtures("between")
def test_a_fixture_gives_its_marker(request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("azurite")


@pytest.mark.slow
def test_the_summary_counts_what_was_left_out() -> None:
    """When tests run side by side too, where pytest-xdist itself gives no number."""
    words = ["-m", "pytest", "-q", "-n1", "-m", "not slow", __file__]
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert re.search(r"^\d+ passed, 1 deselected in", done.stdout, re.MULTILINE), done.stdout
