"""Answers requests, without sockets.

The details endpoint is the contract of TomTom's page "Get job details". `POST /jobs` follows the
documentation of the same generation, which shows no status code; 201 is our choice. `GET /jobs` has
the query that the list's page requires, and no pages, since it shows none. `POST /token`
and all below `/control/` belong to the simulator. The page shows no body of an error; the one here
is that of TomTom's Orbis APIs.
"""

import json
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from threading import Lock
from urllib.parse import parse_qs, unquote

from azure.core.exceptions import AzureError

from devkit.simulator.access import TOKEN_LIFE, Access
from devkit.simulator.generation import Kind
from devkit.simulator.jobs import Job, JobBook, OutputNotWritten, job_body, moment
from devkit.simulator.life import Trouble
from devkit.simulator.script import OVERTURE_RELEASE, Script, ScriptError, read_script

BASE_PATH = "/maps/orbis/platform/gem"
JSON = "application/json"
_NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request."""

    method: str
    path: str
    """The percent-encoded path without the query."""
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes = b""
    query: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response."""

    status: int
    """0 when no response is sent."""
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    trouble: Trouble | None = None
    """`NO_ANSWER` or `RESET`, which the server carries out."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A logged request. Requests to the control API are not logged."""

    time: datetime
    method: str
    job_run_id: str | None
    status: int
    """0: no answer, or a reset."""


class Routes:
    """Answers requests and logs them. Thread-safe."""

    def __init__(self, book: JobBook, access: Access, clock: Callable[[], datetime]) -> None:
        self._book = book
        self._access = access
        self._clock = clock
        self._log: list[Asked] = []
        self._lock = Lock()

    @property
    def log(self) -> tuple[Asked, ...]:
        """All requests to the endpoints of GEM, oldest first."""
        with self._lock:
            return tuple(self._log)

    def answer(self, request: Request) -> Response:
        """The response to a request."""
        segments = [unquote(part) for part in request.path.split("/")[1:]]
        match (request.method, *segments):
            case ("POST", "token"):
                return self._token()
            case (_, "token"):
                return _not_allowed("POST")
            case (_, "control", *rest):
                return self._control(request, rest)
        job_run_id, response = self._gem(request)
        asked = Asked(self._clock(), request.method, job_run_id, response.status)
        with self._lock:
            self._log.append(asked)
        return response

    def _gem(self, request: Request) -> tuple[str | None, Response]:
        jobs = f"{BASE_PATH}/jobs"
        segment = request.path.removeprefix(f"{jobs}/")
        names_a_job = segment != request.path and segment and "/" not in segment
        job_run_id = unquote(segment) if names_a_job else None
        if job_run_id is None and request.path != jobs:
            return None, error(HTTPStatus.NOT_FOUND, "no such path")
        if refused := self._refusal(request):
            return job_run_id, refused
        if job_run_id is None and request.method == "GET":
            return None, self._list(request)
        if job_run_id is None:
            allowed = request.method == "POST"
            if request.headers.get("x-version") != "1":
                return None, error(HTTPStatus.BAD_REQUEST, "X-Version is missing or not 1")
            return None, self._submit(request) if allowed else _not_allowed("GET, POST")
        allowed = request.method == "GET"
        version = request.headers.get("x-version")
        return job_run_id, self._details(job_run_id, version) if allowed else _not_allowed("GET")

    def _refusal(self, request: Request) -> Response | None:
        if not self._access.key_fits(request.headers.get("tomtom-api-key")):
            return error(HTTPStatus.UNAUTHORIZED, "the key in tomtom-api-key is missing or wrong")
        if not self._access.token_fits(request.headers.get("authorization"), self._clock()):
            return error(HTTPStatus.UNAUTHORIZED, "the bearer token is missing, wrong or expired")
        return None

    def _details(self, job_run_id: str, version: str | None) -> Response:
        job = self._book.find(job_run_id)
        is_newer = job is not None and job.script.generation.members is Kind.NEWER
        if not is_newer and version != "1":
            return error(HTTPStatus.BAD_REQUEST, "X-Version is missing or not 1")
        # No page says what a newer GEM does with the header; not to know the job is the worst.
        if job is None or (is_newer and version is not None):
            return _no_such_job(job_run_id)
        try:
            answer = self._book.ask(job)
        except OutputNotWritten as problem:
            return error(HTTPStatus.INTERNAL_SERVER_ERROR, str(problem))
        if answer.trouble:
            return _troubled(answer.trouble, job_body(job, answer))
        if answer.status is None:
            return _no_such_job(job_run_id)
        return Response(HTTPStatus.OK, job_body(job, answer))

    def _list(self, request: Request) -> Response:
        """The road jobs. A GEM of the newer pages shows its jobs only without X-Version."""
        if parse_qs(request.query).get("job_type") != ["ROAD_MATCHING"]:
            return error(HTTPStatus.BAD_REQUEST, "job_type is missing or unknown")
        version = request.headers.get("x-version")
        newer = [job for job in self._book.all() if job.script.generation.members is Kind.NEWER]
        older = [job for job in self._book.all() if job not in newer]
        if newer and version is not None and not older:
            return error(HTTPStatus.NOT_FOUND, "no such path")
        if not newer and version != "1":
            return error(HTTPStatus.BAD_REQUEST, "X-Version is missing or not 1")
        shown = older if version else newer
        states = [(job, self._book.state(job)) for job in shown]
        bodies = [json.loads(job_body(job, state)) for job, state in states if state.status]
        return _json_answer({"jobs": bodies})

    def _submit(self, request: Request) -> Response:
        body = _json(request.body)
        names = ("storageId", "inputFileName", "matchingType")
        if not isinstance(body, Mapping):
            return error(HTTPStatus.BAD_REQUEST, "a JSON object is expected")
        missing = [name for name in names if not (isinstance(body.get(name), str) and body[name])]
        if missing:
            return error(HTTPStatus.BAD_REQUEST, f"missing: {', '.join(missing)}")
        if body["matchingType"] != "road":
            return error(HTTPStatus.BAD_REQUEST, "matchingType is not road")
        release = body.get("overtureRelease", OVERTURE_RELEASE)
        if not isinstance(release, str):
            return error(HTTPStatus.BAD_REQUEST, "overtureRelease is not a string")
        job_run_id = f"job-{secrets.token_hex(3)}-{secrets.token_hex(3)}"
        script = Script(
            storage_id=body["storageId"],
            input_file_name=body["inputFileName"],
            overture_release=release,
        )
        made = self._add(job_run_id, script)
        if isinstance(made, Response):
            return made
        details = json.loads(job_body(made, self._book.state(made)))
        details.pop("modifiedAt")
        return _json_answer(details, HTTPStatus.CREATED)

    def _add(self, job_run_id: str, script: Script) -> Job | Response:
        try:
            return self._book.add(job_run_id, script)
        except ValueError as problem:
            return error(HTTPStatus.BAD_REQUEST, str(problem))
        except (AzureError, OSError) as problem:
            return error(HTTPStatus.INTERNAL_SERVER_ERROR, f"storage failed: {problem}")

    def _token(self) -> Response:
        token = self._access.issue(self._clock())
        life = int(TOKEN_LIFE.total_seconds())
        return _json_answer({"token_type": "Bearer", "expires_in": life, "access_token": token})

    def _control(self, request: Request, rest: list[str]) -> Response:
        match (request.method, *rest):
            case ("PUT", "jobs", job_run_id) if job_run_id:
                return self._script(job_run_id, request.body)
            case ("GET", "jobs"):
                return _json_answer({"jobs": [self._shown(job) for job in self._book.all()]})
            case ("POST", "tokens", "expire"):
                self._access.expire_all()
                return Response(HTTPStatus.NO_CONTENT)
            case ("GET", "requests"):
                counts = Counter(asked.status for asked in self.log)
                return _json_answer(
                    {str(status): count for status, count in sorted(counts.items())}
                )
        return error(HTTPStatus.NOT_FOUND, "no such control")

    def _script(self, job_run_id: str, body: bytes) -> Response:
        try:
            script = read_script(_json(body) if body else {})
        except ScriptError as problem:
            return error(HTTPStatus.BAD_REQUEST, str(problem))
        known = self._book.find(job_run_id) is not None
        made = self._add(job_run_id, script)
        if isinstance(made, Response):
            return made
        return _json_answer(self._shown(made), HTTPStatus.OK if known else HTTPStatus.CREATED)

    def _shown(self, job: Job) -> dict[str, object]:
        return {
            "jobRunId": job.job_run_id,
            "life": job.life.name,
            "status": self._book.state(job).status,
            "asked": job.asked,
            "createdAt": moment(job.created),
            "inputFileName": job.input_file_name,
            "outputFileName": job.output_file_name,
            "uploadsToCome": len(job.uploads),
        }


def error(status: HTTPStatus, message: str, headers: Mapping[str, str] = _NO_HEADERS) -> Response:
    """An error response with a body in the form of the Orbis APIs."""
    code = "".join(word.capitalize() for word in status.phrase.split())
    body = {"detailedError": {"code": code, "message": message}}
    return Response(status, json.dumps(body).encode(), headers=headers)


def _no_such_job(job_run_id: str) -> Response:
    return error(HTTPStatus.NOT_FOUND, f"job {job_run_id[:80]!r} is not found")


def _not_allowed(method: str) -> Response:
    message = f"only {method} is allowed"
    return error(HTTPStatus.METHOD_NOT_ALLOWED, message, {"Allow": method})


def _json_answer(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(status, json.dumps(value).encode())


def _json(body: bytes) -> object:
    """The JSON value of a body, or None if it is invalid. None is not accepted as an object."""
    try:
        return json.loads(body)
    except ValueError:
        return None


_REFUSALS: dict[Trouble, tuple[HTTPStatus, str, Mapping[str, str]]] = {
    Trouble.SERVER_ERROR: (HTTPStatus.INTERNAL_SERVER_ERROR, "something went wrong", _NO_HEADERS),
    Trouble.UNAUTHORIZED: (HTTPStatus.UNAUTHORIZED, "the bearer token is expired", _NO_HEADERS),
    Trouble.TOO_MANY: (HTTPStatus.TOO_MANY_REQUESTS, "too many requests", {"Retry-After": "1"}),
    Trouble.GONE: (HTTPStatus.GONE, "this address is no longer served", _NO_HEADERS),
}


def _troubled(trouble: Trouble, body: bytes) -> Response:
    if refusal := _REFUSALS.get(trouble):
        return error(*refusal)
    match trouble:
        case Trouble.BROKEN_JSON:
            return Response(HTTPStatus.OK, body[: len(body) // 2])
        case Trouble.HTML:
            page = b"<!DOCTYPE html><html><body><h1>Gateway</h1></body></html>"
            return Response(HTTPStatus.OK, page, "text/html; charset=utf-8")
        case _:
            return Response(0, trouble=trouble)
