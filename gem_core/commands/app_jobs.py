"""Reads the records of jobs from a deployed app, over HTTP. Edge: network."""

from urllib.parse import quote, urlsplit

import requests

from gem_core.errors import CourierError, JobUnknown, RequestError
from gem_core.http_session import http_session
from gem_core.secret import Secret
from gem_core.watch.record import JobRecord
from gem_core.watch.record_json import record_from_bytes
from gem_core.watch.registration import parse_job_run_id

KEY_VARIABLE = "COURIER_APP_KEY"
"""The environment variable with a function key of the app."""
_ANSWER_SECONDS = 30.0
_LOCAL = {"127.0.0.1", "localhost", "::1"}
_MAX_BYTES = 1 << 20


class AppUnreachable(CourierError):
    """The app did not answer, or not with a record. Says nothing about a job."""


class AppJobs:
    """The jobs of an app."""

    def __init__(self, address: str, key: Secret | None) -> None:
        """Ask the app at this address, such as https://NAME.azurewebsites.net.

        Raises:
            RequestError: it is not the address of an app.

        """
        try:
            parts = urlsplit(address)
        except ValueError:
            raise RequestError("--app: not an address") from None
        host = parts.hostname or ""
        if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOCAL):
            raise RequestError("--app: not an https address (http only for this machine)")
        if not host or parts.query or parts.fragment or parts.username is not None:
            raise RequestError("--app: expected https://NAME.azurewebsites.net")
        self._address = address.rstrip("/")
        self._key = key
        self._session = http_session(address, answer_seconds=_ANSWER_SECONDS, connections=1)

    def read(self, job_run_id: str) -> JobRecord:
        """The record of a job.

        Raises:
            JobUnknown: the job is not registered.
            RequestError: the id is not valid, or the app refuses the key.
            RecordUnreadable: this version cannot read the record.
            AppUnreachable: there is no usable answer.

        """
        url = f"{self._address}/api/jobs/{quote(parse_job_run_id(job_run_id), safe='')}"
        headers = {"x-functions-key": self._key.reveal()} if self._key else {}
        try:
            # A redirect would send the key to another server.
            answer = self._session.get(
                url, headers=headers, timeout=_ANSWER_SECONDS, allow_redirects=False
            )
        except requests.RequestException as error:
            raise AppUnreachable(f"the app did not answer: {type(error).__name__}") from None
        return self._record(job_run_id, answer)

    def _record(self, job_run_id: str, answer: requests.Response) -> JobRecord:
        if answer.status_code in {401, 403}:
            raise RequestError(
                f"the app refused the question ({answer.status_code}): put a function key into "
                f"the environment variable {KEY_VARIABLE}"
            )
        is_json = "json" in answer.headers.get("Content-Type", "")
        if answer.status_code == 404 and is_json:  # noqa: PLR2004 - by any other server it is no JSON
            raise JobUnknown(f"no job {job_run_id!r} is registered in the app")
        if answer.status_code != 200 or not is_json or len(answer.content) > _MAX_BYTES:  # noqa: PLR2004 - HTTP
            raise AppUnreachable(f"the app answered {answer.status_code}, without a record")
        return record_from_bytes(answer.content)
