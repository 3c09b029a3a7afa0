"""What a test may start and reach, held by an audit hook of Python.

Only a test with the marker `azurite` or `browser` may start Azurite or Chromium, so the tests
without these markers (`make quick`) start neither. No test connects or listens beyond loopback.

The hook sees what this process does, whichever library asks, and stops it before it happens. It
does not see what the programs do that a test starts; so it searches their commands.
"""

import sys
from collections.abc import Iterable
from ipaddress import ip_address

import pytest

_MARKER_OF_FIXTURE = {"azurite": "azurite", "courier": "azurite", "wheel": "slow"}

_MARKER_OF_PROGRAM = {
    "azurite": "azurite",
    "devkit start": "azurite",
    "devkit demo": "azurite",
    "chromium": "browser",
}
"""What a command contains, and the marker that a test needs to run it."""

_USES_ADDRESS = frozenset({"socket.connect", "socket.bind", "socket.sendto"})

_allowed: set[str] = set()
"""The markers of the running test. Empty while tests are collected."""


def markers_of(fixtures: Iterable[str]) -> set[str]:
    """The markers that a test with these fixtures needs."""
    return {_MARKER_OF_FIXTURE[name] for name in fixtures if name in _MARKER_OF_FIXTURE}


def allow(markers: Iterable[str]) -> None:
    """From now on a test with these markers runs."""
    _allowed.clear()
    _allowed.update(markers)


def install() -> None:
    """Guard this process until it ends: an audit hook cannot be removed."""
    sys.addaudithook(_check)


def _check(
    event: str, arguments: tuple[object, ...], uses_address: frozenset[str] = _USES_ADDRESS
) -> None:
    """Fail the running test, by an exception that `except Exception` does not catch.

    The default is still there when Python ends and has emptied this module.
    """
    if event == "subprocess.Popen":
        _check_command(arguments[1])
    elif event in uses_address:
        _check_address(arguments[1])
    elif event == "socket.getaddrinfo":
        _check_host(arguments[0])


def _check_command(command: object) -> None:
    words = map(str, command) if isinstance(command, list | tuple) else [str(command)]
    line = " ".join(words).lower()
    for program, marker in _MARKER_OF_PROGRAM.items():
        if program in line and marker not in _allowed:
            pytest.fail(f"the test starts {program}: mark it with @pytest.mark.{marker}")


def _check_address(address: object) -> None:
    if isinstance(address, tuple):  # the address of a Unix socket is a path
        _check_host(address[0])


def _check_host(host: object) -> None:
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name != "localhost" and not _is_loopback(name):
        pytest.fail(f"the test uses an address that is not on this machine: {name!r}")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
