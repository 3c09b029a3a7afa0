"""The runner with a small app on a real storage emulator: what the host promises, it keeps."""

import json
from collections.abc import Iterator

import pytest
import requests

from devkit.azurite import Azurite
from devkit.runner import Runner
from tests.devkit.plain_app import (
    PLAIN,
    Storage,
    function_key,
    master_key,
    poison_messages,
    until,
)

NOTIFICATION = {"aeg-event-type": "Notification"}
HANDSHAKE = [{"data": {"validationCode": "code-1"}}]


@pytest.fixture(scope="module")
def shared(azurite: Azurite) -> Iterator[tuple[Runner, Storage]]:
    """One runner for the tests that neither stop it nor need settings of their own."""
    storage = Storage(azurite)
    with Runner(PLAIN, storage.settings) as runner:
        yield runner, storage
    storage.close()


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
                for message in poison_messages(storage)
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
