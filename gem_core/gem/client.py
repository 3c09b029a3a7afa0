"""Asks GEM about one job: one method, one request. Edge: requests.

It uses an adapter of requests without a session. A session would keep cookies, read the whole body
of a redirect and follow its address, and take a password from .netrc. So nothing stays from one
question to the next but the token and open connections.

Source: TomTom, "Get job details": base address, key and token, error responses.
"""

import json
import re
from types import TracebackType
from typing import Self

import requests
from urllib3.exceptions import InvalidHeader
from urllib3.util.retry import Retry

from gem_core.errors import (
    GemAccessError,
    GemAnswerError,
    GemError,
    GemUnauthorized,
    GemUnavailable,
    gem_error,
)
from gem_core.gem.contracts.contract import Contract
from gem_core.gem.contracts.known import CONTRACTS, DEFAULT, read, read_list
from gem_core.gem.contracts.names import LIST_PATH
from gem_core.gem.job import GemJob
from gem_core.gem.reading import Redact
from gem_core.gem.token import TokenSource
from gem_core.http_session import DeadlineAdapter, environment
from gem_core.redaction import Redactor, redacted
from gem_core.secret import Secret

CONNECT_SECONDS = 5
READ_SECONDS = 30
"""Longest silence between two packets of an answer."""
ANSWER_SECONDS = 60
"""Longest time for a whole answer, headers and body."""
MAX_ANSWER_BYTES = 1024 * 1024
"""A job has about 1 kB."""
MAX_LIST_BYTES = 32 * 1024 * 1024
"""The list has no pages, so it may have every job of years."""
MAX_RETRY_AFTER_SECONDS = 3600
_RETRY = Retry(retry_after_max=MAX_RETRY_AFTER_SECONDS)
"""Only reads Retry-After; nothing is retried here."""
MAX_DETAIL = 200
"""Characters of the text that GEM writes about an error."""
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,40}", re.ASCII)
"""An error code; any other text may be a sentence."""


class GemClient:
    """Asks GEM. Threads may share it; `connections` of them never wait for each other."""

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
        self._proxies, self._verify = environment(base_url)
        self._timeout = CONNECT_SECONDS, read_seconds
        self._adapter = DeadlineAdapter(answer_seconds=answer_seconds, connections=connections)
        self._headers = {
            **requests.utils.default_headers(),
            "Accept": "application/json",
            "tomtom-api-key": api_key.reveal(),
        }
        self._version = {each.name: each.headers(api_version) for each in CONTRACTS.values()}

    def job_url(self, job_run_id: str) -> str:
        """The address of a job."""
        return self._base_url + DEFAULT.path(job_run_id)

    @property
    def contracts(self) -> tuple[Contract, ...]:
        """The contracts whose questions differ, the default first."""
        differing = {
            (each.path(""), *self._version[each.name].items()): each
            for each in reversed(CONTRACTS.values())
        }
        return tuple(reversed(differing.values()))

    def get_job(self, job_run_id: str, contract: Contract = DEFAULT) -> GemJob:
        """Ask GEM about one job in a contract. The answer may be in another one.

        After a 401 the question is repeated once with a new token: the first may have expired.

        Raises:
            GemAccessError: 401 also with the new token, or 403.
            GemJobNotFound: 404.
            GemUnavailable: 408, 429, 5xx, no answer in time, or a broken connection.
            GemQuestionRefused: 400.
            GemAnswerError: any other status, or an answer that is not about this job.

        """
        answer, redact = self._get(contract.path(job_run_id), contract)
        return read(answer, job_run_id=job_run_id, redact=redact, asked_in=contract)

    def list_jobs(self, contract: Contract = DEFAULT) -> tuple[GemJob, ...]:
        """Ask GEM for the list of this identity's road jobs. Raises GemError as `get_job` does."""
        answer, redact = self._get(LIST_PATH, contract, limit=MAX_LIST_BYTES)
        return read_list(answer, redact=redact)

    def close(self) -> None:
        """Close the pooled connections."""
        self._adapter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _get(
        self, path: str, contract: Contract, *, limit: int = MAX_ANSWER_BYTES
    ) -> tuple[object, Redact]:
        """The JSON of an answer, and what takes the secrets out of its texts."""
        token = self._token.token()
        try:
            return self._ask(path, token, contract, limit)
        except GemUnauthorized:
            self._token.forget(token)
        return self._ask(path, self._token.token(), contract, limit)

    def _ask(self, path: str, token: str, contract: Contract, limit: int) -> tuple[object, Redact]:
        headers = {**self._headers, **self._version[contract.name]}
        headers |= {"Authorization": f"Bearer {_checked(token)}"}
        address = self._base_url + path
        try:
            question = requests.Request("GET", address, headers=headers).prepare()
            with self._adapter.send(
                question,
                stream=True,
                timeout=self._timeout,
                verify=self._verify,
                proxies=self._proxies,
            ) as response:
                body = _bounded(response, limit)
        except requests.RequestException as error:
            raise GemUnavailable(f"no answer from GEM: {type(error).__name__}") from None
        own = Redactor(self._api_key.reveal(), token)

        def redact(text: str) -> str:
            return redacted(own(text))

        if response.status_code != requests.codes.ok:
            raise _refusal(response, body, redact)
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            raise GemAnswerError("GEM answered 200 with something that is not JSON") from None
        return answer, redact


def _checked(token: str) -> str:
    """The token, if a header can have it. http.client checks this too, but shows the token."""
    if not token.isascii() or not token.isprintable():
        raise GemAccessError("the bearer token has characters that a header cannot have")
    return token


def _bounded(response: requests.Response, limit: int) -> bytes:
    """The body, unless it is too long."""
    body = bytearray()
    for piece in response.iter_content(64 * 1024):
        body += piece
        if len(body) > limit:
            raise GemAnswerError(f"GEM's answer is longer than {limit:,} bytes")
    return bytes(body)


def _refusal(response: requests.Response, body: bytes, redact: Redact) -> GemError:
    status = response.status_code
    code, detail = _code_and_detail(body, redact)
    message = f"GEM answered {status}{f' ({code})' if code else ''}"
    if status == requests.codes.unauthorized:
        message += ": check GEM_API_KEY and the identity that asks for a token"
    if status == requests.codes.forbidden:
        message += ": check that the key is enabled for GEM and the identity has access"
    return gem_error(status, message, detail=detail, retry_after_seconds=_retry_after(response))


def _code_and_detail(body: bytes, redact: Redact) -> tuple[str, str]:
    """The error's code and text, in the form of TomTom's other Orbis APIs; GEM documents none."""
    try:
        error = json.loads(body)["detailedError"]
        code, detail = redact(str(error["code"])), str(error["message"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return "", ""
    printable = "".join(letter for letter in detail if letter.isprintable())  # joins secrets again
    return code if _CODE.fullmatch(code) else "", redact(printable)[:MAX_DETAIL]


def _retry_after(response: requests.Response) -> float | None:
    """Seconds to wait (RFC 9110, 10.2.3); None when the header is absent or cannot be read."""
    try:
        return _RETRY.parse_retry_after(response.headers.get("Retry-After", ""))
    except (InvalidHeader, ValueError, OverflowError):
        return None
