"""One method, one request to GEM. Edge: requests.

Source: TomTom, "Get job details": address, headers and error responses.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self
from urllib.parse import quote

import requests
from requests.auth import AuthBase

from gem_core.errors import (
    GemAccessError,
    GemAnswerError,
    GemError,
    GemUnauthorized,
    GemUnavailable,
    gem_error,
)
from gem_core.gem.deadline import DeadlineAdapter
from gem_core.gem.job import GemJob, parse_job
from gem_core.gem.redaction import redactor
from gem_core.gem.token import TokenSource
from gem_core.secret import Secret

CONNECT_SECONDS = 5
READ_SECONDS = 30
"""Between two packets of an answer."""
ANSWER_SECONDS = 60
"""For a whole answer, headers and body, however slowly it drips."""
MAX_ANSWER_BYTES = 1024 * 1024
"""A job is about 1 kB; anything near this is no job."""
MAX_RETRY_AFTER_SECONDS = 3600


class GemClient:
    """Asks GEM. Used by several threads at once; `connections` of them without waiting."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: Secret,
        token: TokenSource,
        api_version: str = "1",
        connections: int = 16,
        read_seconds: float = READ_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._base_url = base_url
        self._token = token
        self._api_key = api_key
        self._session = _session(base_url)
        self._timeout = CONNECT_SECONDS, read_seconds
        adapter = DeadlineAdapter(answer_seconds=answer_seconds, connections=connections)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._session.headers.update(
            {"Accept": "application/json", "tomtom-api-key": api_key.reveal()}
        )
        if api_version:
            self._session.headers["X-Version"] = api_version

    def job_url(self, job_run_id: str) -> str:
        """The address of a job; the id stays within one path segment."""
        return f"{self._base_url}/jobs/{quote(job_run_id, safe='')}"

    def get_job(self, job_run_id: str) -> GemJob:
        """What GEM says of one job now.

        A 401 is answered by one fresh token: it may have expired since it was fetched.

        Raises:
            GemAccessError: 401 with a fresh token too, or 403.
            GemJobNotFound: 404.
            GemUnavailable: 408, 429, 5xx, no answer in time, a broken connection.
            GemAnswerError: any other status, or an answer that is not this job.

        """
        token = self._token.token()
        try:
            return self._ask(job_run_id, token)
        except GemUnauthorized:
            self._token.forget(token)
        return self._ask(job_run_id, self._token.token())

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, job_run_id: str, token: str) -> GemJob:
        try:
            with self._session.get(
                self.job_url(job_run_id),
                auth=_Bearer(token),
                timeout=self._timeout,
                allow_redirects=False,  # key and token go to no other host
                stream=True,
            ) as response:
                body = _bounded(response)
        except requests.RequestException as error:
            # The text of the error may hold the address, never the headers with key and token.
            raise GemUnavailable(f"no answer from GEM: {type(error).__name__}") from error
        redact = redactor(self._api_key.reveal(), token)
        if response.status_code != requests.codes.ok:
            raise _refusal(response, body, redact)
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise GemAnswerError("GEM answered 200 with something that is not JSON") from error
        return parse_job(answer, job_run_id=job_run_id, redact=redact)


def _session(base_url: str) -> requests.Session:
    """A session that has read proxies and REQUESTS_CA_BUNDLE once.

    requests would look for them in the environment at every question: a fifth of its work.
    """
    session = requests.Session()
    found = session.merge_environment_settings(base_url, {}, None, None, None)
    session.proxies, session.verify = dict(found["proxies"]), found["verify"]
    session.trust_env = False
    return session


class _Bearer(AuthBase):
    """Sets the token as `auth`, since requests would else let a .netrc entry take its place."""

    def __init__(self, token: str) -> None:
        # http.client would refuse it too, but with the token in its message.
        if not token.isascii() or not token.isprintable():
            raise GemAccessError("the bearer token holds characters that no header can")
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _bounded(response: requests.Response) -> bytes:
    """The body, unless it is too long."""
    body = bytearray()
    for piece in response.iter_content(64 * 1024):
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            raise GemAnswerError(f"GEM's answer is longer than {MAX_ANSWER_BYTES:,} bytes")
    return bytes(body)


def _refusal(response: requests.Response, body: bytes, redact: Callable[[str], str]) -> GemError:
    status = response.status_code
    message = f"GEM answered {status}{_detail(body, redact)}"
    if status == requests.codes.unauthorized:
        message += ": check GEM_API_KEY and the identity that asks for a token"
    if status == requests.codes.forbidden:
        message += ": check that the key is enabled for GEM and the identity has access"
    return gem_error(status, message, retry_after_seconds=_retry_after(response))


def _detail(body: bytes, redact: Callable[[str], str]) -> str:
    """The error text of the other Orbis APIs, if GEM gives one too; its own is not documented."""
    try:
        detail = json.loads(body)["detailedError"]
        text = f" ({detail['code']}: {detail['message']})"
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return redact("".join(letter for letter in text if letter.isprintable()))[:200]


def _retry_after(response: requests.Response) -> float | None:
    """Seconds to wait, from seconds or an HTTP date (RFC 9110, 10.2.3); None when unreadable."""
    text = response.headers.get("Retry-After", "").strip()
    try:
        seconds = (
            float(text)
            if text.isdigit()
            else (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        )
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)
