"""The child as a process: what it has, how it is started, and that it never outlives its parent."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gem_core.audit.child import process
from gem_core.audit.child.environment import ALLOCATORS, command, environment
from gem_core.audit.child.messages import PARENT_GONE, Begun, Crashed, Ready
from gem_core.audit.child.process import ChildProcess, Lost
from gem_core.audit.child.request import Request
from gem_core.audit.child.self_test import JOB, BuiltInFile
from tests.audit.child.children import LIMITS, be_hostile, ready_child

pytestmark = [
    pytest.mark.slow,  # each test starts a child
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]

ROOT = Path(__file__).resolve().parents[3]


def asked(child: ChildProcess, act: str) -> object:
    request = Request(BuiltInFile(b""), replace(JOB, job_run_id=act))
    child.channel.send(*request.question(LIMITS, "token"))
    assert child.events.get(timeout=60)[0] == Begun("token")
    return child.events.get(timeout=60)[0]


@pytest.fixture
def listing(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What a child has that imported all that an audit needs."""
    be_hostile(monkeypatch)
    monkeypatch.setenv("GEM_API_KEY", "secret")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "secret")
    with ready_child() as child:
        message = asked(child, "report")
        assert isinstance(message, Crashed)
        yield json.loads(message.detail)


def test_it_has_no_setting_and_no_secret(listing: dict[str, Any]) -> None:
    names = set(listing["environment"])
    assert names <= {
        *ALLOCATORS, "PATH", "LD_LIBRARY_PATH", "TMPDIR", "HOME", "LC_ALL", "PYTHONPATH"
    }  # fmt: skip
    assert listing["environment"].items() >= ALLOCATORS.items()


def test_it_imports_nothing_that_reaches_a_network(listing: dict[str, Any]) -> None:
    reaching = ("azure", "requests", "urllib3", "http.client", "aiohttp", "msal")
    packages = {name for name in listing["modules"] if name.startswith("gem_core.")}
    assert "pyarrow.parquet" in listing["modules"]
    assert [name for name in listing["modules"] if name.startswith(reaching)] == []
    for place in ("settings", "storage", "watch", "flows", "deliver", "wiring", "commands"):
        assert [name for name in packages if name.startswith(f"gem_core.{place}")] == []


def test_it_has_a_socket_and_standard_error(listing: dict[str, Any]) -> None:
    files = {number: name.partition(":")[0] for number, name in listing["files"].items()}
    assert files.pop("0") == files.pop("1") == "/dev/null"
    assert files.pop("2") == "pipe"
    assert list(files.values()) == ["socket"]


def test_it_stands_in_an_empty_folder_that_is_gone(listing: dict[str, Any]) -> None:
    assert listing["folder"].endswith(" (deleted)")
    assert listing["environment"]["HOME"] == listing["folder"].removesuffix(" (deleted)")
    assert not Path(listing["environment"]["HOME"]).exists()
    assert listing["session"] != os.getsid(0)
    assert all(Path(place).is_absolute() for place in listing["path"])


def test_modules_beside_a_file_are_not_executed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("json", "numpy", "socket", "gem_core", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", ".", *sys.path])
    with ready_child():
        pass
    assert not (tmp_path / "ran").exists()


def test_what_is_relative_is_left_out_of_the_path() -> None:
    made = environment({"PATH": "/bin", "GEM_STATE": "x"}, ["", ".", "a", "/b", "/c.zip"], "/h")
    assert made["PYTHONPATH"].split(":") == ["/b", "/c.zip", str(ROOT)]
    assert "GEM_STATE" not in made
    words = command(socket_fd=1, parent_pid=2, data_bytes=3)
    assert words[:3] == [sys.executable, "-P", "-S"]


def test_it_lives_on_when_the_thread_that_asked_for_it_ends() -> None:
    with ThreadPoolExecutor(1) as pool:
        child = pool.submit(ChildProcess, os.environ, LIMITS.data_bytes).result()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(child.events.get, timeout=60).result()
    assert child.is_idle
    assert child.end() == -signal.SIGKILL


def test_whoever_waits_for_a_child_that_was_ended_learns_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also when nobody took messages for a while, and no more of them may wait."""
    monkeypatch.setattr(process, "_HANDOVER_SECONDS", 0.01)
    before = threading.enumerate()
    with ready_child() as child:
        new = {each.name: each for each in threading.enumerate() if each not in before}
        while not child.events.full():
            child.events.put((Ready(), b""))
        child.end()
        new["audit-child-receive"].join()
        *_, (last, _) = [child.events.get() for _ in range(child.events.qsize())]
        assert isinstance(last, Lost)


def test_a_process_that_was_reaped_is_not_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number may be that of another process at once."""
    killed: list[int] = []
    kills: list[threading.Thread] = []
    wait = subprocess.Popen.wait

    def waited(self: subprocess.Popen[bytes]) -> int:
        """Let another thread end the child before this one notes its end."""
        status = wait(self)
        kills.append(threading.Thread(target=child.end))
        kills[0].start()
        kills[0].join(0.1)
        return status

    with ready_child() as child:
        monkeypatch.setattr(subprocess.Popen, "wait", waited)
        monkeypatch.setattr(os, "killpg", lambda number, _: killed.append(number))
        child.channel.shut()
        assert child.exit_status() == PARENT_GONE
        kills[0].join()
        assert killed == []


PARENT = """
import os, sys
from gem_core.audit.child import environment
environment.MODULE = "tests.audit.child.hostile"
from tests.audit.child.test_process import JOB, LIMITS, BuiltInFile, ChildProcess, Request, replace
child = ChildProcess(os.environ, LIMITS.data_bytes)
child.events.get()
request = Request(BuiltInFile(b""), replace(JOB, job_run_id=sys.argv[1]))
child.channel.send(*request.question(LIMITS, "token"))
print(child.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("act", ["spin", "hang", "page"])
def test_it_ends_when_its_parent_is_killed(act: str) -> None:
    """Also while it is busy, and reads nothing."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, act],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout
        child = os.pidfd_open(int(parent.stdout.readline()))
        try:
            parent.kill()
            poll = select.poll()
            poll.register(child, select.POLLIN)
            assert poll.poll(60_000), "the child lives on"
        finally:
            os.close(child)


def test_it_ends_with_the_connection() -> None:
    """On a system that cannot send a signal when the parent ends."""
    with ready_child() as child:
        child.channel.shut()
        assert child.exit_status() == PARENT_GONE


def test_it_ends_when_nothing_can_be_sent() -> None:
    """Its thread that sends may see the end first; here its thread that receives never sees it."""
    own, its = socket.socketpair()
    with own, its:
        own.shutdown(socket.SHUT_RD)
        words = command(
            socket_fd=its.fileno(), parent_pid=os.getpid(), data_bytes=LIMITS.data_bytes
        )
        surroundings = environment(os.environ, sys.path, str(ROOT))
        ended = subprocess.run(words, env=surroundings, pass_fds=[its.fileno()], check=False)
        assert ended.returncode == PARENT_GONE


def test_a_program_that_is_not_there_is_an_os_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/absent/python")
    with pytest.raises(FileNotFoundError):
        ChildProcess(os.environ, LIMITS.data_bytes)


def test_the_parent_needs_neither_pyarrow_nor_numpy() -> None:
    """An instance holds them once, in the child."""
    program = (
        "import sys, gem_core.audit.child.engine\n"
        "print(sorted({'pyarrow', 'numpy', 'jinja2', 'azure', 'requests'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
