"""`make start` says where the log is, what is in its way, and why it ended."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from azure.storage.queue import QueueServiceClient

from devkit import start
from devkit.processes import free_ports
from devkit.stage import ROOT, Stage, stage

pytestmark = pytest.mark.azurite


@pytest.mark.parametrize(
    ("option", "what"), [("--port", "the app"), ("--simulator-port", "the GEM simulator")]
)
def test_a_port_that_is_taken_is_named(option: str, what: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        other = "--simulator-port" if option == "--port" else "--port"
        done = subprocess.run(
            [sys.executable, "-m", "devkit", "start", option, port, other, "0"],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"Port {port} for {what} is not free: is another make start running? "
        f'Choose another port: make start ARGS="{option} N"\n'
    )


def queues(up: Stage) -> set[str]:
    with QueueServiceClient.from_connection_string(up.azurite.connection_string) as service:
        return {queue.name for queue in service.list_queues()}


@pytest.mark.parametrize("text", ["GEM_KEEP_DAYS", "=1"])
def test_a_setting_without_name_or_value_is_refused(text: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "devkit", "start", "--setting", text],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "--setting: it is not NAME=VALUE" in done.stderr


def test_an_app_that_dies_ends_all_and_its_log_stays(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = {"GEM_RESULTS_ROUTES": '[{"queue": "gem-maps"}]', "GEM_CHECK_MIN_SECONDS": "7"}

    @contextmanager
    def deadly(**options: Any) -> Iterator[Stage]:  # noqa: ANN401 - as stage has them
        with stage(**options) as up:
            assert up.runner.settings.items() >= settings.items()
            assert "gem-maps" in queues(up)
            os.kill(up.runner.pid, signal.SIGKILL)
            yield up

    monkeypatch.setattr(start, "stage", deadly)
    monkeypatch.setattr(start, "SETTINGS", tmp_path / "start.settings.json")
    monkeypatch.setattr(start, "LOG", tmp_path / "start.log")
    port, simulator_port = free_ports(2)
    ports = {"port": port, "simulator_port": simulator_port}
    assert start.run(**ports, time_scale=60, settings=settings) == 1
    out, err = capfd.readouterr()
    assert f"Its log       {os.path.relpath(start.LOG, ROOT)}" in out
    assert f"The app ended with code -9. The end of its log {start.LOG}:" in err
    assert "Ready: http://127.0.0.1:" in err
    assert "Ready: " in start.LOG.read_text()
    assert not start.SETTINGS.exists()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_script_that_started_it_in_the_background_can_end_it(
    tmp_path: Path, sign: signal.Signals
) -> None:
    """Where a shell has SIGINT ignored."""
    program = tmp_path / "start.py"
    program.write_text(
        "import sys, pathlib\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from devkit import __main__, start\n"
        f"start.LOG = start.SETTINGS = pathlib.Path({str(tmp_path)!r}, 'kept')\n"
        "sys.argv[1:] = ['start', '--port', '0', '--simulator-port', '0']\n"
        "sys.exit(__main__.main())\n"
    )
    words = ["/bin/sh", "-c", f"trap '' INT; exec {sys.executable} {program}"]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("The app ")
        process.send_signal(sign)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "\nStopped.\n")
