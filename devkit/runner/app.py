"""Reads host.json and the functions of an app with their triggers. Pure, except for host.json."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devkit.runner.worker import AppLoadError, IndexedFunction

TIMER, BLOB, QUEUE, HTTP = "timerTrigger", "blobTrigger", "queueTrigger", "httpTrigger"
_SUPPORTED = {TIMER, BLOB, QUEUE, HTTP, "http"}
"""Binding types of the runner; "http" is the answer of an HTTP function."""

_OVERRIDE = "AzureFunctionsJobHost__"
_SETTING = re.compile(r"%([^%]+)%")


@dataclass(frozen=True, slots=True)
class Function:
    """A function and its trigger. `%SETTING%` is replaced by the setting's value."""

    indexed: IndexedFunction
    trigger: Mapping[str, Any]
    disabled: bool = False
    """`AzureWebJobs.<name>.Disabled`: the trigger is off, but the admin endpoint still works."""

    @property
    def name(self) -> str:
        """The name of the function in the app."""
        return self.indexed.name

    @property
    def kind(self) -> str:
        """The trigger's type, one of `TIMER`, `BLOB`, `QUEUE`, `HTTP`."""
        return str(self.trigger["type"])

    @property
    def parameter(self) -> str:
        """The name of the Python parameter for the trigger's value."""
        return str(self.trigger["name"])

    @property
    def webjobs_id(self) -> str:
        """The name in host storage and in the URL of the Event Grid webhook."""
        return f"Host.Functions.{self.name}"


@dataclass(frozen=True, slots=True)
class HostJson:
    """The parts of host.json that the runner uses."""

    route_prefix: str = "api"
    blob_parallelism: int = 8
    """`extensions.blobs.maxDegreeOfParallelism`; the host's own default is 8 per core."""
    blob_tries: int = 5
    """`extensions.blobs.poisonBlobThreshold`."""
    queue_batch: int = 16
    """`extensions.queues.batchSize`."""
    queue_threshold: int = 8
    """`extensions.queues.newBatchThreshold`; by default half of the batch."""
    queue_tries: int = 5
    """`extensions.queues.maxDequeueCount`."""
    queue_retry_seconds: int = 0
    """`extensions.queues.visibilityTimeout`: how long a message is hidden after a failure."""

    @property
    def blob_threshold(self) -> int:
        """Blobs are taken while at most so many are in work; measured for 1, 2, 3, 4 and 8."""
        return (self.blob_parallelism + 1) // 2 - 1

    @property
    def blob_batch(self) -> int:
        """Blobs that are taken at once, so that `blob_parallelism` are the most."""
        return self.blob_parallelism - self.blob_threshold


def read_host_json(app: Path, settings: Mapping[str, str]) -> HostJson:
    """Read host.json of an app folder. Settings `AzureFunctionsJobHost__…` override its members.

    Raises:
        AppLoadError: the file does not exist, is not JSON, or has another version than 2.0.

    """
    path = app / "host.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise AppLoadError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise AppLoadError(f"{path} is not JSON: {error}") from error
    if not isinstance(content, dict) or content.get("version") != "2.0":
        raise AppLoadError(f'{path}: "version" must be "2.0"')
    _override(content, settings)
    unset = HostJson()
    extensions = content.get("extensions", {})
    blobs = extensions.get("blobs", {})
    queues = extensions.get("queues", {})
    batch = queues.get("batchSize", 16)
    return HostJson(
        route_prefix=extensions.get("http", {}).get("routePrefix", unset.route_prefix),
        blob_parallelism=blobs.get("maxDegreeOfParallelism", unset.blob_parallelism),
        blob_tries=blobs.get("poisonBlobThreshold", unset.blob_tries),
        queue_batch=batch,
        queue_threshold=queues.get("newBatchThreshold", batch // 2),
        queue_tries=queues.get("maxDequeueCount", unset.queue_tries),
        queue_retry_seconds=_seconds(queues.get("visibilityTimeout", "00:00:00")),
    )


def _override(content: dict[str, Any], settings: Mapping[str, str]) -> None:
    """Apply the settings that stand for members of host.json, such as `…__extensions__blobs__x`."""
    for name, value in settings.items():
        if name.startswith(_OVERRIDE):
            *parents, last = name.removeprefix(_OVERRIDE).split("__")
            holder = content
            for parent in parents:
                holder = holder.setdefault(parent, {})
            holder[last] = int(value) if value.isdigit() else value


def _seconds(text: str) -> int:
    """The seconds of a time span "hh:mm:ss"."""
    hours, minutes, seconds = (int(part) for part in text.split(":"))
    return (hours * 60 + minutes) * 60 + seconds


def functions_of(
    indexed: tuple[IndexedFunction, ...], settings: Mapping[str, str]
) -> tuple[Function, ...]:
    """The functions of the app.

    Raises:
        AppLoadError: there are none, a binding is not supported, or a `%SETTING%` is missing.

    """
    if not indexed:
        raise AppLoadError("function_app.py has no function")
    return tuple(_function(one, settings) for one in indexed)


def _function(indexed: IndexedFunction, settings: Mapping[str, str]) -> Function:
    others = sorted({str(one["type"]) for one in indexed.bindings} - _SUPPORTED)
    if others:
        raise AppLoadError(
            f"{indexed.name} uses {', '.join(others)}: the development runner supports only "
            f"{', '.join(sorted(_SUPPORTED))}"
        )
    trigger = next(one for one in indexed.bindings if str(one["type"]).endswith("Trigger"))
    resolved = {
        key: _resolve(value, settings, indexed.name) if isinstance(value, str) else value
        for key, value in trigger.items()
    }
    disabled = settings.get(f"AzureWebJobs.{indexed.name}.Disabled", "").lower() in {"true", "1"}
    return Function(indexed, resolved, disabled)


def _resolve(text: str, settings: Mapping[str, str], function: str) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] not in settings:
            raise AppLoadError(f"{function}: '{match[0]}' does not resolve to a value")
        return settings[match[1]]

    return _SETTING.sub(value, text)


def host_id(app: Path, settings: Mapping[str, str]) -> str:
    """The name for this app's state in host storage; at most 32 characters."""
    derived = hashlib.sha256(str(app).encode()).hexdigest()[:8]
    return settings.get("AzureFunctionsWebHost__hostid") or f"runner-{derived}"
