"""The runner with a small app on a real storage emulator: what the host promises, it keeps."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient, ContainerClient
from azure.storage.queue import QueueServiceClient, TextBase64DecodePolicy, TextBase64EncodePolicy

from devkit.azurite import Azurite
from devkit.processes import ChildError
from devkit.runner import Runner

APPS = Path(__file__).parent / "apps"
PLAIN = APPS / "plain"
YEARLY = "0 0 0 1 1 *"
PARALLEL = "AzureFunctionsJobHost__extensions__blobs__maxDegreeOfParallelism"
NOTIFICATION = {"aeg-event-type": "Notification"}
HANDSHAKE = [{"data": {"validationCode": "code-1"}}]


class Storage:
    """The containers of one runner of the plain app, and the calls of its functions."""

    def __init__(self, azurite: Azurite) -> None:
        self.azurite = azurite
        self.id = uuid4().hex[:12]
        self.settings = {
            "AzureWebJobsStorage": azurite.connection_string,
            "AzureFunctionsWebHost__hostid": self.id,
            "DATA": azurite.connection_string,
            "INBOX": f"inbox-{self.id}",
            "QUEUE": f"queue-{self.id}",
            "CALLS": f"calls-{self.id}",
            "TICK_SCHEDULE": YEARLY,
        }
        self.blobs = BlobServiceClient.from_connection_string(azurite.connection_string)
        self.queues = QueueServiceClient.from_connection_string(azurite.connection_string)
        self._make(self.settings["CALLS"])
        self.queues.create_queue(self.settings["QUEUE"])

    def _make(self, name: str) -> ContainerClient:
        container = self.blobs.get_container_client(name)
        try:
            container.create_container()
        except ResourceExistsError:
            return container
        return container

    @property
    def inbox(self) -> ContainerClient:
        return self._make(self.settings["INBOX"])

    @property
    def host(self) -> ContainerClient:
        return self._make("azure-webjobs-hosts")

    def calls(self, function: str, **facts: object) -> list[dict[str, Any]]:
        """The calls of a function so far that have these facts."""
        container = self.blobs.get_container_client(self.settings["CALLS"])
        names = [blob.name for blob in container.list_blobs(name_starts_with=f"{function}/")]
        calls = [json.loads(container.download_blob(name).readall()) for name in names]
        return [call for call in calls if facts.items() <= call.items()]

    def messages(self, queue: str, read: Callable[[str], Any] = json.loads) -> list[Any]:
        """What is visible on a queue of base64 text."""
        policy = TextBase64DecodePolicy()
        with self.queues.get_queue_client(queue, message_decode_policy=policy) as client:
            return [read(message.content) for message in client.peek_messages(32)]

    def send(self, text: str) -> None:
        """Put a message on the queue of the trigger."""
        name, policy = self.settings["QUEUE"], TextBase64EncodePolicy()
        with self.queues.get_queue_client(name, message_encode_policy=policy) as client:
            client.send_message(text)

    def close(self) -> None:
        self.blobs.close()
        self.queues.close()


@pytest.fixture
def storage(azurite: Azurite) -> Iterator[Storage]:
    made = Storage(azurite)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared(azurite: Azurite) -> Iterator[tuple[Runner, Storage]]:
    """One runner for the tests that neither stop it nor need settings of their own."""
    storage = Storage(azurite)
    with Runner(PLAIN, storage.settings) as runner:
        yield runner, storage
    storage.close()


def until[T](look: Callable[[], T], *, seconds: float = 120.0) -> T:
    """The first truthy thing that `look` finds; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            pytest.fail(f"nothing after {seconds:g} s")
        time.sleep(0.05)
    return found


def function_key(runner: Runner) -> dict[str, str]:
    return {"x-functions-key": runner.function_key}


def master_key(runner: Runner) -> dict[str, str]:
    return {"x-functions-key": runner.master_key}


class TestHttp:
    def test_a_request_reaches_the_function_whole(self, shared: tuple[Runner, Storage]) -> None:
        runner, _ = shared
        answer = requests.put(
            f"{runner.url}/api/things/a%20b%2Fc?q=1&q=2",
            headers=function_key(runner) | {"X-Given": "given"},
            data=b"\x00\xff",
            timeout=60,
        )
        assert answer.status_code == 202
        assert answer.headers["X-Own"] == "yes"
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json() == {
            "thing": "a b%2Fc",
            "query": {"q": "1,2"},
            "method": "PUT",
            "body": "00ff",
            "url": f"{runner.url}/api/things/a%20b%2Fc?q=1&q=2",
            "header": "given",
            "main": False,
            "folder": str(PLAIN),
            "thread": "invocation",
        }

    def test_keys_are_enforced(self, shared: tuple[Runner, Storage]) -> None:
        runner, _ = shared

        def status(path: str, key: str = "") -> int:
            headers = {"x-functions-key": key} if key else {}
            return requests.get(runner.url + path, headers=headers, timeout=60).status_code

        assert status("/api/things/a") == 401
        assert status("/api/things/a", "wrong") == 401
        assert status("/api/things/a", runner.function_key) == 202
        assert status("/api/things/a", runner.master_key) == 202
        assert status(f"/api/things/a?code={runner.function_key}", "wrong") == 401
        assert status(f"/api/things/a?code={runner.function_key}") == 202
        assert status("/api/things/fixed") == 200
        assert status("/api/secret", runner.function_key) == 401
        assert status("/api/secret", runner.master_key) == 500

    def test_what_there_is_not(self, shared: tuple[Runner, Storage]) -> None:
        runner, _ = shared
        key = function_key(runner)
        get, post = requests.get, requests.post
        assert get(f"{runner.url}/api/nothing", headers=key, timeout=60).status_code == 404
        assert post(f"{runner.url}/api/things/a", headers=key, timeout=60).status_code == 404
        assert "not the Azure Functions host" in get(runner.url, timeout=60).text
        head = requests.head(f"{runner.url}/api/things/fixed", timeout=60)
        assert (head.status_code, head.headers["Content-Length"]) == (200, str(len("fixed HEAD")))

        def chunks() -> Iterator[bytes]:
            yield b"chunk"

        url = f"{runner.url}/api/things/a"
        assert requests.put(url, data=chunks(), headers=key, timeout=60).status_code == 411

    def test_logs_name_the_function_and_failures_show_the_traceback(
        self, shared: tuple[Runner, Storage]
    ) -> None:
        runner, _ = shared
        requests.get(f"{runner.url}/api/things/logged", headers=function_key(runner), timeout=60)
        requests.get(f"{runner.url}/api/secret", headers=master_key(runner), timeout=60)
        assert "[thing] asked for logged" in runner.log
        assert runner.log.count("asked for logged") == 1  # the host drops that of another thread
        assert "A line of of.a.thread is dropped" in runner.log
        assert "raise RuntimeError(req.method)" in runner.log
        assert runner.function_key not in runner.log


class TestBlobs:
    def test_a_blob_fires_when_written_and_when_overwritten(
        self, shared: tuple[Runner, Storage]
    ) -> None:
        _, storage = shared
        storage.inbox.upload_blob("other.csv", b"does not fit the path")
        storage.inbox.upload_blob("deep/one.txt", b"first")
        name = f"{storage.settings['INBOX']}/deep/one.txt"
        first = until(lambda: storage.calls("receive", name=name))
        assert first == [{"name": name, "text": "first", "length": 5}]
        storage.inbox.upload_blob("deep/one.txt", b"second", overwrite=True)
        until(lambda: storage.calls("receive", name=name, text="second"))
        assert len(storage.calls("receive", name=name)) == 2
        assert not storage.calls("receive", text="does not fit the path")

    def test_five_failures_lead_to_the_poison_queue(self, shared: tuple[Runner, Storage]) -> None:
        _, storage = shared
        written = storage.inbox.upload_blob("bad.txt", b"fail")
        poisoned = until(
            lambda: [
                message
                for message in _poison(storage)
                if message["ContainerName"] == storage.settings["INBOX"]
            ]
        )
        assert poisoned == [
            {
                "Type": "BlobTrigger",
                "FunctionId": "Host.Functions.receive",
                "BlobType": "BlockBlob",
                "ContainerName": storage.settings["INBOX"],
                "BlobName": "bad.txt",
                "ETag": written.get_blob_properties().etag.strip('"'),
            }
        ]
        assert len(storage.calls("receive", text="fail")) == 5

    def test_event_grid_shakes_hands_and_its_events_are_not_filtered(
        self, shared: tuple[Runner, Storage]
    ) -> None:
        runner, storage = shared
        hook = f"{runner.url}/runtime/webhooks/blobs?functionName=Host.Functions.receive"
        validation = master_key(runner) | {"aeg-event-type": "SubscriptionValidation"}
        shaken = requests.post(hook, json=HANDSHAKE, headers=validation, timeout=60)
        assert shaken.json() == {"validationResponse": "code-1"}
        url = storage.inbox.upload_blob("by-event.csv", b"event").url
        event = {"data": {"url": url, "blobType": "BlockBlob"}}

        def status(keys: dict[str, str]) -> int:
            headers = keys | NOTIFICATION
            return requests.post(hook, json=[event], headers=headers, timeout=60).status_code

        assert status({}) == 401
        assert status(function_key(runner)) == 403
        assert status(master_key(runner)) == 202
        until(lambda: storage.calls("receive", text="event"))

    def test_a_message_whose_blob_is_gone_is_dropped(self, shared: tuple[Runner, Storage]) -> None:
        runner, storage = shared
        hook = f"{runner.url}/runtime/webhooks/blobs?functionName=Host.Functions.receive"
        event = {"data": {"url": f"{storage.inbox.url}/gone.txt", "blobType": "BlockBlob"}}
        headers = master_key(runner) | NOTIFICATION
        requests.post(hook, json=[event], headers=headers, timeout=60)
        until(lambda: "gone.txt does not exist any more; its message is deleted" in runner.log)


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
        assert inbox not in {message["ContainerName"] for message in _poison(storage)}

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


class TestQueue:
    def test_a_message_reaches_the_function_once(self, shared: tuple[Runner, Storage]) -> None:
        _, storage = shared
        storage.send("hello")
        found = until(lambda: storage.calls("take", text="hello"))
        assert found == [{"text": "hello", "tries": 1, "dated": True}]
        until(lambda: not storage.messages(storage.settings["QUEUE"]))

    def test_five_failures_lead_to_its_own_poison_queue(
        self, shared: tuple[Runner, Storage]
    ) -> None:
        runner, storage = shared
        storage.send("fail")
        poison = f"{storage.settings['QUEUE']}-poison"
        until(lambda: poison in [queue.name for queue in storage.queues.list_queues()])
        assert until(lambda: storage.messages(poison, json.dumps)) == ['"fail"']
        tries = sorted(call["tries"] for call in storage.calls("take", text="fail"))
        assert tries == [1, 2, 3, 4, 5]
        until(lambda: f"was tried 5 times and was moved to {poison}" in runner.log)

    def test_it_runs_by_hand_with_any_message(self, shared: tuple[Runner, Storage]) -> None:
        runner, storage = shared
        url = f"{runner.url}/admin/functions/take"
        body = {"input": "by hand"}
        assert requests.post(url, json=body, headers=master_key(runner), timeout=60).ok
        until(lambda: storage.calls("take", text="by hand"))


class TestAdmin:
    def test_a_timer_and_a_blob_function_run_at_once(self, shared: tuple[Runner, Storage]) -> None:
        runner, storage = shared
        admin, key = f"{runner.url}/admin/functions", master_key(runner)
        assert requests.post(f"{admin}/tick", json={}, headers=key, timeout=60).status_code == 202
        tick = until(lambda: storage.calls("tick"))
        assert tick == [{"past_due": False, "status": {}}]
        storage.inbox.upload_blob("by-admin.csv", b"admin")
        body = {"input": f"{storage.settings['INBOX']}/by-admin.csv"}
        ran = requests.post(f"{admin}/receive", json=body, headers=key, timeout=60)
        assert ran.status_code == 202
        until(lambda: storage.calls("receive", text="admin"))

    @pytest.mark.parametrize(
        ("function", "body", "status"),
        [
            ("receive", '{"input": "no-slash"}', 400),
            ("tick", "not json", 400),
            ("thing", "{}", 404),
            ("nobody", "{}", 404),
        ],
    )
    def test_what_cannot_be_run(
        self, shared: tuple[Runner, Storage], function: str, body: str, status: int
    ) -> None:
        runner, _ = shared
        url = f"{runner.url}/admin/functions/{function}"
        assert requests.post(url, data=body, timeout=60).status_code == 401
        answer = requests.post(url, data=body, headers=master_key(runner), timeout=60)
        assert answer.status_code == status


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


def _poison(storage: Storage) -> list[dict[str, Any]]:
    """The messages of the poison queue, which is made with the first of them."""
    names = [queue.name for queue in storage.queues.list_queues()]
    name = "webjobs-blobtrigger-poison"
    return storage.messages(name) if name in names else []


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
