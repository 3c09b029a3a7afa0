"""How the runner ends, and what it begins with the next time."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from devkit.processes import ChildError
from devkit.runner import Runner
from tests.devkit.plain_app import (
    APPS,
    PARALLEL,
    PLAIN,
    Storage,
    master_key,
    poison_messages,
    until,
)


class TestWorkerDeaths:
    """A file that ends the worker: `os.abort` in the function."""

    def test_all_its_messages_come_again_at_once(self, storage: Storage) -> None:
        calls = storage.blobs.get_container_client(storage.settings["CALLS"])
        calls.upload_blob("die", b"")
        calls.upload_blob("hang", b"")
        storage.inbox.upload_blob("good.txt", b"hang")
        with Runner(PLAIN, storage.settings | {PARALLEL: "4"}) as runner:
            first = runner.worker_pid
            until(lambda: storage.calls("receive", text="hang"))
            storage.inbox.upload_blob("bad.txt", b"die once")
            until(lambda: runner.worker_pid != first)
            calls.delete_blob("hang")
            until(lambda: runner.log.count("Executed receive (Succeeded") == 2)
            assert "The worker process ended with code -6" in runner.log
            assert len(storage.calls("receive", text="hang")) >= 2
            assert runner.running
        inbox = storage.settings["INBOX"]
        assert inbox not in {message["ContainerName"] for message in poison_messages(storage)}

    def test_the_third_ends_the_host(self, storage: Storage) -> None:
        storage.blobs.get_blob_client(storage.settings["CALLS"], "die").upload_blob(b"")
        storage.inbox.upload_blob("bad.txt", b"die")
        with Runner(PLAIN, storage.settings) as runner:
            runner.wait()
            assert runner.log.count("Executed receive (Failed") == 3
            assert "The worker process ended with code -6" in runner.log
            assert runner.stop() == 1
        assert len(storage.calls("receive", text="die")) == 3

    def test_it_ends_with_its_host(self, storage: Storage) -> None:
        with Runner(PLAIN, storage.settings) as runner:
            worker = runner.worker_pid
            os.kill(runner.pid, signal.SIGKILL)
            until(lambda: not Path(f"/proc/{worker}/cmdline").exists() or _is_zombie(worker))


class TestStorageThatRefuses:
    """The host ends when the queue of a trigger refuses access or does not answer."""

    def test_a_wrong_key_ends_the_host(self, storage: Storage) -> None:
        wrong = storage.azurite.connection_string.replace("AccountKey=", "AccountKey=AAAA")
        with Runner(PLAIN, storage.settings | {"DATA": wrong}) as runner:
            runner.wait()
            assert "The loop 'queue take' failed; the host ends" in runner.log
            assert runner.stop() == 1

    def test_a_disabled_function_does_not_listen(self, storage: Storage) -> None:
        wrong = storage.azurite.connection_string.replace("AccountKey=", "AccountKey=AAAA")
        off = {"DATA": wrong, "AzureWebJobs.take.Disabled": "true"}
        with Runner(PLAIN, storage.settings | off) as runner:
            assert "take (disabled)" in runner.log
            assert requests.get(f"{runner.url}/api/things/fixed", timeout=60).ok

    def test_the_stores_of_the_triggers_are_never_made(self, storage: Storage) -> None:
        storage.queues.delete_queue(storage.settings["QUEUE"])
        with Runner(PLAIN, storage.settings) as runner:
            assert requests.get(f"{runner.url}/api/things/fixed", timeout=60).ok
            made = {one.name for one in storage.blobs.list_containers()}
            queues = {one.name for one in storage.queues.list_queues()}
            assert runner.running
        assert storage.settings["INBOX"] not in made
        assert storage.settings["QUEUE"] not in queues


class TestTimer:
    def test_a_tick_missed_while_away_fires_once_and_is_past_due(self, storage: Storage) -> None:
        moments = {"Last": "2020-06-01", "Next": "2021-01-01", "LastUpdated": "2020-06-01"}
        stored = {name: f"{day}T00:00:00+00:00" for name, day in moments.items()}
        status = f"timers/{storage.id}/Host.Functions.tick/status"
        storage.host.upload_blob(status, json.dumps(stored))
        with Runner(PLAIN, storage.settings):
            until(lambda: storage.calls("tick"))
            until(lambda: json.loads(storage.host.download_blob(status).readall()) != stored)
        assert storage.calls("tick") == [{"past_due": True, "status": stored}]

    def test_a_fast_schedule_runs_again_and_again_without_a_status(self, storage: Storage) -> None:
        with Runner(PLAIN, storage.settings | {"TICK_SCHEDULE": "* * * * * *"}):
            until(lambda: len(storage.calls("tick")) >= 2)
        assert not list(storage.host.list_blobs(name_starts_with=f"timers/{storage.id}"))

    def test_a_disabled_timer_runs_only_on_request(self, storage: Storage) -> None:
        off = {"TICK_SCHEDULE": "* * * * * *", "AzureWebJobs.tick.Disabled": "true"}
        with Runner(PLAIN, storage.settings | off) as runner:
            url = f"{runner.url}/admin/functions/tick"
            requests.post(url, headers=master_key(runner), timeout=60)
            until(lambda: storage.calls("tick"))
            assert "tick (disabled)" in runner.log


class TestEnd:
    def test_a_load_error_shows_the_apps_traceback(self, storage: Storage) -> None:
        with pytest.raises(ChildError) as caught:
            Runner(APPS / "broken", storage.settings).start()
        text = str(caught.value)
        assert "ended with code 1" in text
        assert "broken/function_app.py" in text
        assert "RuntimeError: this app is broken on purpose" in text

    def test_a_missing_setting_of_a_binding_is_named(self, storage: Storage) -> None:
        del storage.settings["INBOX"]
        with pytest.raises(ChildError, match="receive: '%INBOX%' does not resolve"):
            Runner(PLAIN, storage.settings).start()

    def test_after_a_crash_the_message_comes_back(self, storage: Storage) -> None:
        storage.blobs.get_blob_client(storage.settings["CALLS"], "hang").upload_blob(b"")
        storage.inbox.upload_blob("job.txt", b"hang")
        seen = f"runner/{storage.id}/Host.Functions.receive/seen.json"
        with Runner(PLAIN, storage.settings | {"RUNNER_VISIBILITY_SECONDS": "2"}) as runner:
            until(lambda: storage.calls("receive", text="hang"))
            # From now on only the message can bring the blob back, not another listing.
            until(storage.host.get_blob_client(seen).exists)
            runner.kill()
            storage.blobs.get_blob_client(storage.settings["CALLS"], "hang").delete_blob()
            before = len(storage.calls("receive", text="hang"))
            runner.start()
            until(lambda: len(storage.calls("receive", text="hang")) > before)
            until(lambda: "Executed receive (Succeeded" in runner.log)

    def test_a_stop_cuts_off_what_runs_too_long_and_its_message_stays_hidden(
        self, storage: Storage
    ) -> None:
        storage.blobs.get_blob_client(storage.settings["CALLS"], "hang").upload_blob(b"")
        storage.inbox.upload_blob("job.txt", b"hang")
        runner = Runner(PLAIN, storage.settings)
        with runner:
            until(lambda: storage.calls("receive", text="hang"))
            assert runner.stop() == 0
            assert "Functions that have not ended are terminated" in runner.log
        queue = storage.queues.get_queue_client(f"azure-webjobs-blobtrigger-{storage.id}")
        assert queue.peek_messages() == []
        assert queue.get_queue_properties().approximate_message_count == 1

    def test_an_idle_runner_ends_well(self, storage: Storage) -> None:
        runner = Runner(PLAIN, storage.settings)
        with runner:
            pid = runner.pid
            assert runner.stop() == 0
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    def test_it_ends_when_its_parent_is_killed(self, storage: Storage, tmp_path: Path) -> None:
        log = tmp_path / "runner.log"
        program = (
            "import json, sys\nfrom pathlib import Path\nfrom devkit.runner import Runner\n"
            "app, settings, log = sys.argv[1:]\n"
            "with Runner(Path(app), json.loads(settings), log_path=Path(log)) as runner:\n"
            "    print(runner.url, flush=True)\n    input()\n"
        )
        command = [sys.executable, "-c", program, str(PLAIN), json.dumps(storage.settings)]
        with subprocess.Popen(
            [*command, str(log)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as parent:
            assert parent.stdout
            url = parent.stdout.readline().strip()
            assert requests.get(url, timeout=60).ok
            parent.kill()
        until(lambda: not _answers(url))


def _is_zombie(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii")
    except FileNotFoundError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=60).ok
    except requests.RequestException:
        return False
