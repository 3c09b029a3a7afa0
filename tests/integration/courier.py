"""What the tests of the whole app share: it runs, jobs are registered, manifests are read."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient, TextBase64DecodePolicy

from devkit.simulator import CLEAN, LIVES, GemSimulator
from devkit.stage import QUEUE, Stage
from gem_core.storage.names import CONTAINERS
from tests.builders import check_manifest

ENDED = replace(CLEAN, queued_for=0, running_for=0)


FAST = {
    "GEM_CHECK_SCHEDULE": "* * * * * *",
    "GEM_CHECK_MIN_SECONDS": "0.2",
    "GEM_CHECK_MAX_SECONDS": "1",
    "GEM_CHECK_REQUESTS_PER_SECOND": "100",
    "GEM_LOST_AFTER_MINUTES": "0.02",
    "GEM_OUTPUT_GRACE_MINUTES": "0.08",
    "GEM_REPEAT_TICKET_AFTER_MINUTES": "0.05",
}
"""The operator's times, compressed so that a test sees them pass."""


def wait_for[T](look: Callable[[], T | None], *, what: str, seconds: float = 240) -> T:
    """The first thing that `look` gives; the limit only ends a test that has failed."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if (found := look()) is not None:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what}: not seen within {seconds:g} s")


def add_job_of_unknown_status(simulator: GemSimulator, job_run_id: str) -> None:
    """A job whose status is unknown from now on, for most of an hour."""
    job = simulator.add_job(job_run_id, LIVES["unknown_status"])
    job.life = replace(job.life, queued_for=0, running_for=7200)
    job.created -= timedelta(seconds=3600)  # the unknown word comes in the second half


@dataclass
class Courier:
    """The app from outside: its routes, its stores, its queue."""

    up: Stage
    events: list[dict[str, Any]] = field(default_factory=list)
    """Every event that came so far, repeats included, in order."""

    def call(self, method: str, path: str, **options: Any) -> requests.Response:  # noqa: ANN401 - passed on
        """One HTTP request with the function key."""
        options.setdefault("headers", self.up.headers)
        return requests.request(method, f"{self.up.runner.url}/api/{path}", timeout=120, **options)

    def register(self, job_run_id: str, **body: Any) -> None:  # noqa: ANN401 - any JSON
        """Watch a job from now on."""
        answer = self.call("PUT", f"jobs/{job_run_id}", json=body)
        assert answer.status_code == 201, answer.text

    def record(self, job_run_id: str) -> dict[str, Any]:
        """The app's record of a job."""
        record: dict[str, Any] = self.call("GET", f"jobs/{job_run_id}").json()
        return record

    def status(self) -> requests.Response:
        """What the app says of its timer; again if a busy machine had no answer in time."""

        def look() -> requests.Response | None:
            said = self.call("GET", "status")
            return said if "lastTick" in said.json() else None

        return wait_for(look, what="a status")

    def is_well(self) -> bool:
        """Whether health says so, now or soon: see `status`."""
        return wait_for(
            lambda: self.call("HEAD", "health", headers={}).ok or None, what="a good health"
        )

    def delivered(self, job_run_id: str) -> dict[str, Any]:
        """The record of a job, once its manifest was sent."""

        def look() -> dict[str, Any] | None:
            record = self.record(job_run_id)
            return record if record["stage"] == "delivered" else None

        return wait_for(look, what=f"{job_run_id} delivered")

    def receive(self) -> None:
        """Take what is on the queue; every event keeps the published schema."""
        with QueueClient.from_connection_string(
            self.up.azurite.connection_string, QUEUE, message_decode_policy=TextBase64DecodePolicy()
        ) as queue:
            for message in queue.receive_messages(max_messages=32):
                self.events.append(check_manifest(message.content))
                queue.delete_message(message)

    def events_of(self, job_run_id: str) -> list[dict[str, Any]]:
        """All events of a job, at least one."""

        def look() -> list[dict[str, Any]] | None:
            self.receive()
            return [e for e in self.events if e["data"]["jobRunId"] == job_run_id] or None

        return wait_for(look, what=f"a manifest of {job_run_id}")

    def blob(self, url: str) -> bytes:
        """A blob of the state account by its address."""
        container, _, name = url.removeprefix(self.up.azurite.blob_uri + "/").partition("/")
        with BlobServiceClient.from_connection_string(self.up.azurite.connection_string) as blobs:
            body: bytes = blobs.get_blob_client(container, name).download_blob().readall()
            return body

    def names(self, container: str) -> list[str]:
        """The blobs of a container."""
        assert container in CONTAINERS
        with BlobServiceClient.from_connection_string(self.up.azurite.connection_string) as blobs:
            return [blob.name for blob in blobs.get_container_client(container).list_blobs()]

    def log(self) -> str:
        """Everything that the app and its runner logged."""
        return Path(self.up.runner.log_path).read_text("utf-8")


def failed_checks(event: dict[str, Any]) -> set[str]:
    """The names of the checks that failed."""
    return {
        check["name"]
        for check in event["data"]["checks"]["notPassed"]
        if check["verdict"] == "failed"
    }
