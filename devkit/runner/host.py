"""Combines an app, its triggers, their storage and the HTTP server. Edge."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient

from devkit.runner.app import (
    BLOB,
    HTTP,
    QUEUE,
    TIMER,
    Function,
    functions_of,
    host_id,
    read_host_json,
)
from devkit.runner.blob_message import BlobMessage
from devkit.runner.blob_queue import BlobQueue
from devkit.runner.blob_target import BlobFunction
from devkit.runner.blob_watch import BlobWatch
from devkit.runner.connections import HOST_STORAGE, Connections
from devkit.runner.http_server import Site
from devkit.runner.http_value import Request, Response, request_value, response_of
from devkit.runner.queue_target import QueueFunction
from devkit.runner.routes import Keys, Route, route_of
from devkit.runner.timer import Timer, read_schedule, timer_value
from devkit.runner.trigger_queue import DEFAULT_VISIBILITY_SECONDS, QueuePolicy, TriggerQueue
from devkit.runner.worker import Answer, AppLoadError, Invocation, TypedData
from devkit.runner.worker_process import WorkerProcess

logger = logging.getLogger(__name__)

HOST_CONTAINER = "azure-webjobs-hosts"
GRACE_SECONDS = 3.0
"""Time for running functions to end after a stop."""

_JOIN_SECONDS = 0.5
"""Time for all trigger loops together to end after a stop."""


class Host:
    """An app with its triggers. `stop_event` ends it.

    It is set when a trigger loop fails, or when the worker process has died too often.
    """

    def __init__(
        self, app: Path, settings: Mapping[str, str], *, worker: WorkerProcess, keys: Keys
    ) -> None:
        """Load the app and read its bindings. Nothing is started or written yet.

        Raises:
            AppLoadError: the app, its host.json or a setting is invalid.

        """
        self._settings = settings
        self._worker = worker
        self._host_json = read_host_json(app, settings)
        self._host_id = host_id(app, settings)
        self._connections = Connections(settings)
        self.functions = functions_of(worker.load(), settings)
        worker.on_last_death = self._end
        self._blobs = {
            one.name: BlobFunction(one, self._connections, self._call_with)
            for one in self.functions
            if one.kind == BLOB
        }
        self._queued = {
            one.name: QueueFunction(one, self._connections, self._call_with)
            for one in self.functions
            if one.kind == QUEUE
        }
        prefix = self._host_json.route_prefix
        self.routes = tuple(route_of(one, prefix) for one in self.functions if one.kind == HTTP)
        self._schedules = {
            one.name: read_schedule(str(one.trigger["schedule"]))
            for one in self.functions
            if one.kind == TIMER
        }
        self.stop_event = threading.Event()
        self.broke = False
        """Whether the host ended by itself, as the host in Azure would."""
        self._threads: list[threading.Thread] = []
        self._calls: set[str] = set()
        """The invocations whose end is not logged yet."""
        self._queue = self._blob_queue() if self._blobs else None
        self._detects_blobs = settings.get("RUNNER_BLOB_EVENTS", "true").lower() != "false"
        """Whether the runner detects written blobs itself. Otherwise only the webhook does."""
        self.site = self._make_site(keys)

    def _make_site(self, keys: Keys) -> Site:
        return Site(
            routes=tuple(one for one in self.routes if not one.function.disabled),
            keys=keys,
            call=self._call_http,
            run={one.name: self._starter(one) for one in self.functions if one.kind != HTTP},
            post=self._post,
        )

    def start(self) -> None:
        """Start the loops of the triggers. Only the stores of the host itself are created.

        Raises:
            AzureError: storage cannot be used.
            AppLoadError: a connection is missing.

        """
        if self._blobs or self._schedules:
            _create(self._host_container().create_container)
        if self._queue:
            _create(self._internal_queue().create_queue)
            self._loop("blob queue", self._queue.queue.run)
        for queued in self._queued.values():
            if not queued.function.disabled:
                self._loop(f"queue {queued.function.name}", self._trigger_queue(queued).run)
        for blob in self._blobs.values():
            if not blob.function.disabled and self._detects_blobs:
                self._loop(f"watch {blob.function.name}", self._watch(blob).run)
        for one in self.functions:
            if one.kind == TIMER and not one.disabled:
                self._loop(f"timer {one.name}", self._timer(one).run)

    def stop(self) -> bool:
        """Stop the triggers and wait for a short time. Returns whether all functions have ended."""
        self.stop_event.set()
        deadline = time.monotonic() + GRACE_SECONDS
        while self._calls and time.monotonic() < deadline:
            time.sleep(0.02)
        deadline = time.monotonic() + _JOIN_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        all_ended = not self._calls
        self._worker.stop()
        return all_ended

    def _call(
        self,
        function: Function,
        value: TypedData,
        metadata: Mapping[str, TypedData] | None = None,
    ) -> Answer:
        """Invoke a function, and log its start and end as the host does."""
        invocation = Invocation(function.indexed, function.parameter, value, metadata or {})
        self._calls.add(invocation.invocation_id)
        try:
            return self._logged(function, invocation)
        finally:
            self._calls.discard(invocation.invocation_id)

    def _logged(self, function: Function, invocation: Invocation) -> Answer:
        logger.info("Executing %s (Id=%s)", function.name, invocation.invocation_id)
        started = time.monotonic()
        answer = self._worker.invoke(invocation)
        milliseconds = (time.monotonic() - started) * 1000
        about = (function.name, invocation.invocation_id, milliseconds)
        if answer.succeeded:
            logger.info("Executed %s (Succeeded, Id=%s, Duration=%.0fms)", *about)
        else:
            text = "Executed %s (Failed, Id=%s, Duration=%.0fms)\n%s"
            logger.error(text, *about, answer.failure)
        return answer

    def _call_http(self, route: Route, request: Request, parameters: Mapping[str, str]) -> Response:
        return response_of(self._call(route.function, request_value(request, parameters)))

    def _call_with(
        self, function: Function, value: TypedData, metadata: Mapping[str, TypedData]
    ) -> bool:
        return self._call(function, value, metadata).succeeded

    def _starter(self, function: Function) -> Callable[[str], None]:
        """The action of the admin endpoint: runs the function once, without its trigger."""

        def run_timer(_text: str) -> None:
            value = timer_value(None, past_due=False)
            self._aside(lambda: self._call(function, value))

        def run_blob(text: str) -> None:
            container, _, name = text.partition("/")
            if not container or not name:
                raise ValueError("the input of a blob trigger is container/name")
            message = BlobMessage(function.webjobs_id, container, name, etag="")

            def run() -> None:
                try:
                    self._blobs[function.name].run(message)
                except ResourceNotFoundError:
                    logger.warning("The blob %s does not exist", text)

            self._aside(run)

        def run_queued(text: str) -> None:
            self._aside(lambda: self._queued[function.name].run(text))

        return {BLOB: run_blob, QUEUE: run_queued, TIMER: run_timer}[function.kind]

    def _aside(self, action: Callable[[], object]) -> None:
        threading.Thread(target=action, name="admin", daemon=True).start()

    def _post(self, message: BlobMessage) -> None:
        if self._queue:
            self._queue.post(message.to_json())

    def _loop(self, name: str, run: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                run()
            except Exception:
                if not self.stop_event.is_set():
                    logger.exception("The loop %r failed; the host ends, as in Azure", name)
                    self._end()

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _end(self) -> None:
        self.broke = True
        self.stop_event.set()

    def _blob_queue(self) -> BlobQueue:
        host = self._host_json
        policy = QueuePolicy(
            host.blob_batch, host.blob_threshold, host.blob_tries, self._visibility_seconds()
        )
        return BlobQueue(self._internal_queue(), self._blobs, policy, stop=self.stop_event)

    def _trigger_queue(self, queued: QueueFunction) -> TriggerQueue:
        host = self._host_json
        policy = QueuePolicy(
            host.queue_batch,
            host.queue_threshold,
            host.queue_tries,
            self._visibility_seconds(),
            host.queue_retry_seconds,
        )
        return TriggerQueue(
            queued.queue(),
            queued.handle,
            lambda _text: queued.poison(),
            policy,
            stop=self.stop_event,
        )

    def _visibility_seconds(self) -> int:
        seconds = self._settings.get("RUNNER_VISIBILITY_SECONDS", str(DEFAULT_VISIBILITY_SECONDS))
        if not (seconds.isascii() and seconds.isdigit() and int(seconds)):
            raise AppLoadError(f"RUNNER_VISIBILITY_SECONDS is {seconds!r}, not whole seconds")
        return int(seconds)

    def _internal_queue(self) -> QueueClient:
        return self._connections.queue(HOST_STORAGE, f"azure-webjobs-blobtrigger-{self._host_id}")

    def _host_container(self) -> ContainerClient:
        return self._connections.blobs(HOST_STORAGE).get_container_client(HOST_CONTAINER)

    def _watch(self, blob: BlobFunction) -> BlobWatch:
        name = f"runner/{self._host_id}/{blob.function.webjobs_id}/seen.json"
        return BlobWatch(
            blob.function.webjobs_id,
            blob.path,
            container=blob.container(),
            seen_blob=self._host_container().get_blob_client(name),
            post=self._post,
            stop=self.stop_event,
        )

    def _timer(self, function: Function) -> Timer:
        name = f"timers/{self._host_id}/{function.webjobs_id}/status"
        return Timer(
            self._schedules[function.name],
            lambda value: self._call(function, value),
            status_blob=self._host_container().get_blob_client(name)
            if function.trigger.get("useMonitor", True)
            else None,
            run_on_startup=bool(function.trigger.get("runOnStartup")),
            stop=self.stop_event,
        )


def _create(create: Callable[[], object]) -> None:
    """Create a container or queue unless it exists."""
    with contextlib.suppress(ResourceExistsError):
        create()
