"""Loads an app and invokes its functions with Microsoft's worker library. Edge.

The Python 3.13 worker of Azure Functions uses `azure_functions_runtime` to index `function_app.py`,
check signatures and convert values. The library is not a public API, so its version is pinned and a
test checks the names of its handlers. Its messages are protobufs from a namespace that the caller
passes in. The library only creates them by name and reads attributes, so simple objects are enough
here. No other module uses the library.
"""

import asyncio
import json
import secrets
import sys
import threading
import uuid
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, override

import azure_functions_runtime as library
from azure_functions_runtime.utils import threadpool

HANDLERS = (
    "worker_init_request",
    "functions_metadata_request",
    "invocation_request",
    "invocation_id_cv",
)
"""The names of the library that are used here."""

_SUCCESS = 1
_LOOP, _INVOCATION = "worker", "invocation"
"""The names of the threads that belong to an invocation."""


class _Message(SimpleNamespace):
    """A message of the worker's protocol."""


class TypedData(_Message):
    """A value for or from a function: exactly one of string, json, bytes, http."""

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
    """The namespace of messages. A message without behaviour is created at its first use."""

    TypedData = TypedData
    ParameterBinding = _ParameterBinding
    StatusResult = _StatusResult
    BindingInfo = _BindingInfo

    def __getattr__(self, name: str) -> type[_Message]:
        # In another process it is a simple object with the same members.
        members = {"__reduce__": lambda self: (SimpleNamespace, (), vars(self))}
        made = type(name, (_Message,), members)
        setattr(self, name, made)
        return made


class AppLoadError(Exception):
    """The app cannot be loaded. The message comes from the worker, with the app's traceback."""


@dataclass(frozen=True, slots=True)
class IndexedFunction:
    """A function that the worker library has found in the app."""

    name: str
    function_id: str
    bindings: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Invocation:
    """A call of a function: the value of its trigger and metadata."""

    function: IndexedFunction
    parameter: str
    value: TypedData
    metadata: Mapping[str, TypedData] = field(default_factory=dict)
    invocation_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a call."""

    failure: str = ""
    """The exception with its traceback, or empty."""
    returned: TypedData | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the function returned."""
        return not self.failure


class _ThreadPerCall(Executor):
    """Runs each call in a thread that ends with it.

    The worker may replace its pool at any time, so nothing may depend on the life of a thread.
    """

    @override
    def submit[**P, T](self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - the future raises it again
                done.set_exception(error)

        threading.Thread(target=run, name=_INVOCATION, daemon=True).start()
        return done


class Worker:
    """Runs the library on an event loop in a thread. The library allows one app in a process."""

    def __init__(self) -> None:
        self._protos = _Protos()
        self._functions: dict[str, str] = {}
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name=_LOOP, daemon=True).start()

    def load(self, app: Path) -> tuple[IndexedFunction, ...]:
        """Index `function_app.py` of the folder `app`.

        Raises:
            AppLoadError: the file does not exist, raised an error, or failed the library's checks.

        """
        if not (app / "function_app.py").is_file():
            raise AppLoadError(f"there is no function_app.py in {app}")
        sys.path.insert(0, str(app))
        threadpool._threadpool_executor = _ThreadPerCall()  # noqa: SLF001 - there is no other way to replace it; any Executor works
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
        """Call a function and wait for its end. Any thread may call this method."""
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
        """The name of the function that runs in the calling thread, or empty.

        Empty in a thread that the app started. What the host makes of such a thread differs between
        versions of the worker, so nothing may depend on it.
        """
        if threading.current_thread().name not in {_LOOP, _INVOCATION}:
            return ""
        return self._functions.get(library.invocation_id_cv.get() or "", "")

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
    """The traceback with the message, or only the message if there is no traceback."""
    return str(exception.stack_trace or exception.message).rstrip()
