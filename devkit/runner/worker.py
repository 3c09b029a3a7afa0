"""The one place that knows Microsoft's worker library: loads an app, invokes its functions. Edge.

`azure_functions_runtime` is what the Python 3.13 worker of Azure Functions runs: it indexes
`function_app.py`, checks signatures and converts values. It is no public API, hence the pin and the
test of its handler names. Its messages are protobufs made by a namespace that the caller hands in;
it only builds them by name and reads attributes, so plain records stand in for them here.
"""

import asyncio
import json
import secrets
import sys
import threading
import uuid
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as library

HANDLERS = (
    "worker_init_request",
    "functions_metadata_request",
    "invocation_request",
    "start_threadpool_executor",
    "stop_threadpool_executor",
    "invocation_id_cv",
)
"""What is used of the library."""

_SUCCESS = 1


class _Message(SimpleNamespace):
    """Any message of the worker's protocol."""


class TypedData(_Message):
    """One value on its way in or out: exactly one of string, json, bytes, http."""

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 - protobuf's name
        """The name of the member that is set."""
        return next(iter(vars(self)), None)


class _ParameterBinding(_Message):
    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - protobuf's name
        return "data"


class _StatusResult(_Message):
    Failure, Success, Cancelled = 0, _SUCCESS, 2


class _BindingInfo(_Message):
    inout, out = 2, 1


class _Protos:
    """The namespace of messages; those without behaviour are made on first use."""

    TypedData = TypedData
    ParameterBinding = _ParameterBinding
    StatusResult = _StatusResult
    BindingInfo = _BindingInfo

    def __getattr__(self, name: str) -> type[_Message]:
        made = type(name, (_Message,), {})
        setattr(self, name, made)
        return made


class AppLoadError(Exception):
    """The app cannot be loaded; the message is the worker's, with the app's own traceback."""


@dataclass(frozen=True, slots=True)
class IndexedFunction:
    """A function as the worker library found it."""

    name: str
    function_id: str
    bindings: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of a function: the value of its trigger, and what is known about it."""

    function: IndexedFunction
    parameter: str
    value: TypedData
    metadata: Mapping[str, TypedData] = field(default_factory=dict)
    invocation_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call ended."""

    failure: str = ""
    """The exception with its traceback, or empty."""
    returned: TypedData | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the function returned."""
        return not self.failure


class Worker:
    """The library on an event loop and a thread of its own. One app per process, its own limit."""

    def __init__(self) -> None:
        self._protos = _Protos()
        self._functions: dict[str, str] = {}
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="worker", daemon=True).start()

    def load(self, app: Path) -> tuple[IndexedFunction, ...]:
        """Index `function_app.py` of the folder `app`.

        Raises:
            AppLoadError: it is not there, or it or the library's checks raised.

        """
        if not (app / "function_app.py").is_file():
            raise AppLoadError(f"there is no function_app.py in {app}")
        sys.path.insert(0, str(app))
        library.start_threadpool_executor()
        start = SimpleNamespace(capabilities={}, function_app_directory=str(app))
        result = self._call(library.worker_init_request, worker_init_request=start).result
        if result.status != _SUCCESS:
            raise AppLoadError(_explain(result.exception))
        answer = self._call(library.functions_metadata_request)
        return tuple(
            IndexedFunction(one.name, one.function_id, tuple(map(json.loads, one.raw_bindings)))
            for one in answer.function_metadata_results or ()
        )

    def invoke(self, invocation: Invocation) -> Answer:
        """Call a function and wait for its end. Any thread may."""
        trace = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
        request = SimpleNamespace(
            invocation_id=invocation.invocation_id,
            function_id=invocation.function.function_id,
            input_data=[_ParameterBinding(name=invocation.parameter, data=invocation.value)],
            trigger_metadata=invocation.metadata,
            trace_context=SimpleNamespace(trace_parent=trace, trace_state="", attributes={}),
            retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
        )
        self._functions[invocation.invocation_id] = invocation.function.name
        try:
            answer = self._call(library.invocation_request, invocation_request=request)
        finally:
            del self._functions[invocation.invocation_id]
        if answer.result.status != _SUCCESS:
            return Answer(failure=_explain(answer.result.exception))
        return Answer(returned=answer.return_value)

    def current_function(self) -> str:
        """The name of the function that the calling thread runs, or empty."""
        return self._functions.get(library.invocation_id_cv.get() or "", "")

    @property
    def running(self) -> int:
        """How many calls have not ended."""
        return len(self._functions)

    def _call(
        self, handler: Callable[[Any], Coroutine[Any, Any, Any]], **request: SimpleNamespace
    ) -> Any:  # noqa: ANN401 - a message of the library
        envelope = SimpleNamespace(
            request=SimpleNamespace(**request),
            properties={"protos": self._protos, "host": "127.0.0.1"},
        )

        async def call() -> Any:  # noqa: ANN401 - as above
            if invocation := request.get("invocation_request"):
                library.invocation_id_cv.set(invocation.invocation_id)
            return await handler(envelope)

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result()


def _explain(exception: Any) -> str:  # noqa: ANN401 - a message of the library
    """The traceback, which ends with the message; the message alone when there is none."""
    return str(exception.stack_trace or exception.message).rstrip()
