"""Blob storage for the SDK, in memory and in virtual time, that may withhold its answers to writes.

The SDK sends the requests, repeats them and reads the answers as ever: only its transport is
replaced. Reference: Blob service REST API.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from email.utils import format_datetime
from http import HTTPStatus
from random import Random
from types import TracebackType
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, unquote, urlsplit
from weakref import WeakKeyDictionary
from xml.sax.saxutils import escape

from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import HttpRequest, HttpResponse, HttpTransport
from azure.core.utils import CaseInsensitiveDict
from azure.storage.blob import ContainerClient
from azure.storage.blob._shared.base_client import TransportWrapper

from gem_core.errors import RecordConflict
from gem_core.storage.blob_documents import BlobDocuments
from gem_core.storage.clients import Retries
from gem_core.storage.documents import Listed
from tests.fakes import MemoryDocuments

_META = "x-ms-meta-"
MOST_IN_A_ROW = 3
"""Answers to one write that are withheld: the SDK repeats such a write three times."""
_WRITES = {"PUT", "DELETE"}


class _Stream:
    """Blocks of a body. The SDK adds attributes to it."""

    def __init__(self, response: HttpResponse, blocks: list[bytes]) -> None:
        self.response = response
        self._blocks = iter(blocks)
        self.content_length = sum(map(len, blocks))

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._blocks)


class _Answer(HttpResponse):
    """The answer to one request."""

    def __init__(
        self, request: HttpRequest, status: HTTPStatus, headers: Mapping[str, str], body: bytes
    ) -> None:
        super().__init__(request, None)
        self.status_code = int(status)
        self.reason = status.phrase
        self.headers = CaseInsensitiveDict({"x-ms-request-id": "1", **headers})
        self.headers["Content-Length"] = str(len(body))
        self.content_type = self.headers.get("Content-Type", "")
        self._body = body

    def body(self) -> bytes:
        return self._body

    def read(self) -> bytes:
        return self._body

    def stream_download(self, pipeline: object, **kwargs: object) -> Iterator[bytes]:  # noqa: ARG002 - the SDK's
        return _Stream(self, [self._body] if self._body else [])


class BlobTransport(HttpTransport[HttpRequest, HttpResponse]):
    """One container, over documents in memory."""

    def __init__(
        self,
        documents: MemoryDocuments,
        pause: Callable[[float], object],
        *,
        withheld: float,
        random: Random,
        on_write: Callable[[str], object] = lambda _: None,
    ) -> None:
        """Serve a container.

        Args:
            documents: its content.
            pause: waits so many seconds.
            withheld: the share of the writes that are done and get no answer.
            random: draws which.
            on_write: takes the name of each document that was written.

        """
        self._documents = documents
        self._pause = pause
        self._withheld = withheld
        self._random = random
        self._on_write = on_write
        self.lost = 0
        self._lost_of: WeakKeyDictionary[HttpRequest, int] = WeakKeyDictionary()

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        pass

    def sleep(self, duration: float) -> None:
        self._pause(duration)

    def send(self, request: HttpRequest, **_: object) -> HttpResponse:
        self._pause(0.01 + self._random.random() / 50)
        answer = self._answer(request)
        lost = self._lost_of.get(request, 0)
        if (
            request.method in _WRITES
            and lost < MOST_IN_A_ROW
            and self._random.random() < self._withheld
        ):
            self._lost_of[request] = lost + 1
            self.lost += 1
            self._pause(1)
            raise ServiceResponseError("the answer was withheld")
        return answer

    def _answer(self, request: HttpRequest) -> _Answer:
        address = urlsplit(request.url)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if query.get("comp") == "list":
            return self._list(request, query)
        name = unquote(address.path.split("/", 2)[2])
        try:
            return self._of_blob(request, name, query)
        except RecordConflict:
            exists = self._documents.etag(name) is not None
            code = "BlobAlreadyExists" if "*" in request.headers.values() else "ConditionNotMet"
            if not exists and request.method == "DELETE":
                return _refused(request, HTTPStatus.NOT_FOUND, "BlobNotFound")
            status = HTTPStatus.CONFLICT if "Already" in code else HTTPStatus.PRECONDITION_FAILED
            return _refused(request, status, code)

    def _of_blob(self, request: HttpRequest, name: str, query: Mapping[str, str]) -> _Answer:
        documents, method = self._documents, request.method
        if_match = request.headers.get("If-Match", "").strip('"') or None
        held = documents.get(name)
        if method == "PUT" and query.get("comp") != "appendblock":
            metadata = {
                key.lower().removeprefix(_META): value
                for key, value in request.headers.items()
                if key.lower().startswith(_META)
            }
            body = _body(request)
            if request.headers.get("If-None-Match") == "*":
                documents.create(name, body, metadata=metadata)
            elif if_match:
                documents.replace(name, body, etag=if_match, metadata=metadata)
            else:
                documents.put(name, body, metadata=metadata)
            self._on_write(name)
        elif held is None:
            return _refused(request, HTTPStatus.NOT_FOUND, "BlobNotFound")
        elif method == "PUT":
            documents.append(name, _body(request))
        elif method == "DELETE":
            documents.delete(name, etag=if_match)
            return _Answer(request, HTTPStatus.ACCEPTED, {}, b"")
        if method == "PUT":
            headers = {"ETag": f'"{documents.etag(name)}"', "Last-Modified": _now(documents)}
            return _Answer(request, HTTPStatus.CREATED, headers, b"")
        (listed,) = (item for item in documents.page(prefix=name, size=1).items)
        return _found(request, listed, held.body if held else b"")

    def _list(self, request: HttpRequest, query: Mapping[str, str]) -> _Answer:
        page = self._documents.page(
            prefix=query.get("prefix", ""),
            size=int(query.get("maxresults", 5000)),
            after=query.get("marker"),
        )
        body = (
            '<?xml version="1.0" encoding="utf-8"?><EnumerationResults '
            'ServiceEndpoint="https://a.example/" ContainerName="c"><Blobs>'
            f"{''.join(map(_xml, page.items))}</Blobs>"
            f"<NextMarker>{escape(page.next_page or '')}</NextMarker></EnumerationResults>"
        )
        return _Answer(request, HTTPStatus.OK, {"Content-Type": "application/xml"}, body.encode())


def _body(request: HttpRequest) -> bytes:
    body = request.body or b""
    assert isinstance(body, bytes)
    return body


def _now(documents: MemoryDocuments) -> str:
    return format_datetime(documents._clock(), usegmt=True)


def _found(request: HttpRequest, item: Listed, body: bytes) -> _Answer:
    headers = {
        "ETag": f'"{item.etag}"',
        "Last-Modified": format_datetime(item.last_modified, usegmt=True),
        "x-ms-blob-type": "BlockBlob",
        "Content-Type": "application/octet-stream",
        **{f"{_META}{name}": value for name, value in item.metadata.items()},
    }
    if request.method == "HEAD":
        return _Answer(request, HTTPStatus.OK, headers, b"")
    headers["Content-Range"] = f"bytes 0-{max(len(body) - 1, 0)}/{len(body)}"
    if not body:
        if "x-ms-range" in request.headers or "Range" in request.headers:
            return _refused(request, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "InvalidRange")
        del headers["Content-Range"]
        return _Answer(request, HTTPStatus.OK, headers, b"")
    return _Answer(request, HTTPStatus.PARTIAL_CONTENT, headers, body)


def _xml(item: Listed) -> str:
    metadata = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in item.metadata.items())
    return (
        f"<Blob><Name>{escape(item.name)}</Name><Properties>"
        f"<Last-Modified>{format_datetime(item.last_modified, usegmt=True)}</Last-Modified>"
        f"<Etag>{item.etag}</Etag><BlobType>BlockBlob</BlobType></Properties>"
        f"<Metadata>{metadata}</Metadata></Blob>"
    )


def _refused(request: HttpRequest, status: HTTPStatus, code: str) -> _Answer:
    return _Answer(request, status, {"x-ms-error-code": code}, b"")


def blob_documents(transport: BlobTransport, name: str) -> BlobDocuments:
    """The app's own documents over this transport, with the app's own retries."""
    client: Any = ContainerClient(
        "https://a.example", name, transport=transport, **Retries.BACKGROUND.options
    )
    return BlobDocuments(client)


def sleeping_in_virtual_time() -> AbstractContextManager[object]:
    """The SDK wraps a transport for each blob, and the wrapper would really sleep."""
    return patch.object(
        TransportWrapper, "sleep", lambda wrapper, seconds: wrapper._transport.sleep(seconds)
    )
