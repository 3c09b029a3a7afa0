"""Requests to the webhook of the blobs extension, and what follows from each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from azure.storage.blob import ContainerClient

from tests.devkit.beside.callback import Callback

PATH = "/runtime/webhooks/blobs"
CREATED = "Microsoft.Storage.BlobCreated"
NOTIFICATION = {"aeg-event-type": "Notification"}
VALIDATION = {"aeg-event-type": "SubscriptionValidation"}
SHAKE = {"id": "1", "data": {"validationCode": "code-1"}}


def event(name: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    """An event about a blob of the inbox, `{inbox}/name`; None as a change removes a member."""
    data = {"url": "{inbox}/" + name, "eTag": "0x1", "blobType": "BlockBlob"}
    made = {"id": "1", "eventType": CREATED, "data": data}
    for key, value in changes.items():
        holder = made if key in {"eventType", "data"} else data
        holder[key] = value
        if value is None:
            del holder[key]
    return made


@dataclass(frozen=True, slots=True)
class Case:
    """One request. Its blobs exist; their names begin with the name of the case."""

    name: str
    body: Any = None
    """JSON; a text is sent as it is. `{inbox}` is the address of the container."""
    blobs: tuple[str, ...] = ()
    method: str = "POST"
    function: str | None = "Host.Functions.receive"
    headers: Mapping[str, str] = field(default_factory=lambda: NOTIFICATION)


def _created(name: str, **changes: Any) -> Case:  # noqa: ANN401 - as above
    """A case with one event about one blob."""
    return Case(name, [event(f"{name}.txt", **changes)], (f"{name}.txt",))


CASES = (
    _created("created"),
    Case("single-object", event("single-object.txt"), ("single-object.txt",)),
    Case("two", [event("two-a.txt"), event("two-b.txt")], ("two-a.txt", "two-b.txt")),
    Case("twice", [event("twice.txt"), event("twice.txt")], ("twice.txt",)),
    Case("gone", [event("gone.txt")]),
    Case("other-path", [event("other-path.csv")], ("other-path.csv",)),
    Case("deep", [event("deep/a%20b.txt")], ("deep/a b.txt",)),
    _created("no-etag", eTag=None),
    _created("quoted-etag", eTag='"0x1"'),
    _created("no-blob-type", blobType=None),
    _created("page-blob", blobType="PageBlob"),
    _created("odd-blob-type", blobType="Unheard"),
    _created("no-url", url=None),
    _created("url-is-no-address", url="nowhere"),
    _created("url-is-a-number", url=1),
    Case("url-with-query", [event("url-with-query.txt?a=1")], ("url-with-query.txt",)),
    _created("deleted", eventType="Microsoft.Storage.BlobDeleted"),
    _created("renamed", eventType="Microsoft.Storage.BlobRenamed"),
    _created("odd-event", eventType="Unheard"),
    _created("no-event-type", eventType=None),
    _created("no-data", data=None),
    _created("data-is-a-list", data=[1]),
    Case("good-bad", [event("good-bad.txt"), {"data": {}}], ("good-bad.txt",)),
    Case("bad-good", [{"data": {}}, event("bad-good.txt")], ("bad-good.txt",)),
    Case("empty-array", []),
    Case("no-json", "{"),
    Case("no-body", ""),
    Case("number", 1),
    Case("text", '"text"'),
    Case("array-of-numbers", [1]),
    Case("no-header", [event("no-header.txt")], ("no-header.txt",), headers={}),
    Case("odd-header", [event("odd-header.txt")], ("odd-header.txt",),
         headers={"aeg-event-type": "Unheard"}),
    Case("lower-header", [event("lower-header.txt")], ("lower-header.txt",),
         headers={"aeg-event-type": "notification"}),
    Case("unsubscribe", [event("unsubscribe.txt")], ("unsubscribe.txt",),
         headers={"aeg-event-type": "Unsubscribe"}),
    Case("handshake", [SHAKE], headers=VALIDATION),
    Case("handshake-unknown", [SHAKE], function="Host.Functions.nobody", headers=VALIDATION),
    Case("handshake-object", SHAKE, headers=VALIDATION),
    Case("handshake-no-code", [{"data": {}}], headers=VALIDATION),
    Case("handshake-empty", [], headers=VALIDATION),
    Case("unknown", [event("unknown.txt")], ("unknown.txt",), function="Host.Functions.nobody"),
    Case("bare-name", [event("bare-name.txt")], ("bare-name.txt",), function="receive"),
    Case("of-a-queue", [event("of-a-queue.txt")], ("of-a-queue.txt",),
         function="Host.Functions.take"),
    Case("cloud-event", [{"specversion": "1.0", "type": CREATED,
                          "data": event("cloud-event.txt")["data"]}], ("cloud-event.txt",)),
    Case("options", "", method="OPTIONS", headers={"WebHook-Request-Origin": "example.org"}),
    Case("options-without-origin", "", method="OPTIONS", headers={}),
    Case("get", "", method="GET"),
    Case("get-without-header", "", method="GET", headers={}),
    Case("put", [event("put.txt")], ("put.txt",), method="PUT"),
)  # fmt: skip
LAST = Case("no-function", [event("no-function.txt")], ("no-function.txt",), function=None)
"""The host answers this one, and then ends."""


def send_all(url: str, key: str, inbox: ContainerClient) -> dict[str, dict[str, Any]]:
    """Send all requests to the host at `url`: the answer to each."""
    return {case.name: send(case, url, key, inbox) for case in CASES}


def runs(calls: Callback) -> dict[str, list[str]]:
    """By case: the blobs with which the function ran."""
    names = [str(call["name"]).partition("/")[2] for call in calls.calls if "name" in call]
    return {case.name: sorted(name for name in names if name in case.blobs) for case in CASES}


def send(case: Case, url: str, key: str, inbox: ContainerClient) -> dict[str, Any]:
    """Send one request to the host at `url`, and return what it answers."""
    for blob in case.blobs:
        inbox.upload_blob(blob, blob.encode(), overwrite=True)
    text = case.body if isinstance(case.body, str) else json.dumps(case.body)
    answer = requests.request(
        case.method,
        url + PATH,
        params={"code": key} | ({"functionName": case.function} if case.function else {}),
        data=text.replace("{inbox}", inbox.url).encode(),
        headers=dict(case.headers),
        timeout=60,
    )
    found: dict[str, Any] = {"status": answer.status_code}
    if answer.ok and answer.content:
        found["type"] = answer.headers.get("Content-Type", "")
        found["body"] = answer.text
    if origin := answer.headers.get("WebHook-Allowed-Origin"):
        found["allowed"] = origin
    return found
