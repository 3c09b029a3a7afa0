"""Every exception of ours, as a tree; and what an HTTP status of GEM means. Pure.

CourierError
├── SettingsError          a setting is missing or invalid: a person must correct it
├── RequestError           a caller of our HTTP routes asked for something impossible (400)
│   └── JobUnknown         … for a job that is not registered (404)
├── GemError               GEM could not be asked, or its answer is no job
│   ├── GemAccessError     no token, 401, 403: every job would fail alike, so the tick stops
│   │   ├── GemUnauthorized   401: GEM does not take key or token
│   │   └── GemForbidden      403: it takes them, and does not let this identity or key in, or not
│   │                          to this job
│   ├── GemJobNotFound     404: counted; the job is lost only after a while
│   ├── GemUnavailable     408, 429, 5xx, no answer: ask later
│   └── GemAnswerError     an answer that is no job: ask later, and say so loudly
├── StoreError             our own state
│   ├── RecordConflict     another writer changed the record first: its state stands
│   │   └── RecordMissing  … there is no such record, or no longer
│   ├── RecordUnreadable   not JSON, or of a newer schema: left alone
│   ├── PageUnknown        a listing cannot go on from there
│   ├── StoreMissing       a container or queue does not exist: a person must make it
│   └── StoreRefused       key, role or firewall: a person must mend it
└── OutputError            the matched file could not be read; says nothing about its content
    ├── OutputMissing      no such blob
    ├── OutputChanged      overwritten while it was read
    ├── OutputRefused      GEM named a storage or file that cannot be one: never asked for
    └── OutputUnreachable  refused, throttled, timed out: try later
        └── RangeNotSatisfiable  … the file has no byte of the range (416)

A failed job and a failed check are values, not exceptions.
"""

from http import HTTPStatus


class CourierError(Exception):
    """Root of all errors that GEM Courier raises on purpose."""


class SettingsError(CourierError):
    """One or more settings are missing or invalid; the message names all of them."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(
            "missing or invalid settings:\n" + "\n".join(f"  * {line}" for line in problems)
        )
        self.problems = problems


class RequestError(CourierError):
    """A request to one of our HTTP routes cannot be served as it stands."""


class JobUnknown(RequestError):
    """The job is not registered."""


class GemError(CourierError):
    """GEM could not be asked, or what it answered is no job."""


class GemAccessError(GemError):
    """401 or 403: key, token or permission. Stops the tick, since every job would fail alike."""


class GemUnauthorized(GemAccessError):
    """401: GEM does not take the key or the token. A fresh token may cure it."""


class GemForbidden(GemAccessError):
    """403: GEM knows who asks, and does not let them."""


class GemJobNotFound(GemError):
    """404: GEM knows no such job, or this identity may not see it."""


class GemUnavailable(GemError):
    """No usable answer now. Says nothing about the job; ask again later."""

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class GemAnswerError(GemError):
    """An answer that is not the job that was asked for, or of a status that says nothing of it."""


class StoreError(CourierError):
    """Our own state could not be read or written."""


class RecordConflict(StoreError):
    """Another writer changed the record since it was read."""


class RecordMissing(RecordConflict):
    """There is no such record or message, or another writer removed it."""


class RecordUnreadable(StoreError):
    """A record that is not JSON, or that a newer version of this app wrote."""


class PageUnknown(StoreError):
    """A listing cannot go on from there: no former page of it said so."""


class StoreMissing(StoreError):
    """A container or queue that the infrastructure should have made is not there."""


class StoreRefused(StoreError):
    """Storage refused who asks (401, 403), or nobody gave a token for it."""


class OutputError(CourierError):
    """The matched file could not be read."""


class OutputMissing(OutputError):
    """There is no blob of that name."""


class OutputChanged(OutputError):
    """The blob was overwritten while it was read, so its ETag no longer matches (412)."""


class OutputRefused(OutputError):
    """A storage id or file name that would leave its place, or is none; no request was made."""


class OutputUnreachable(OutputError):
    """Refused, throttled or no answer; says nothing about the file."""


class RangeNotSatisfiable(OutputUnreachable):
    """The file has no byte of the range that was asked for (416); an empty file has none at all."""


_ACCESS = {HTTPStatus.UNAUTHORIZED: GemUnauthorized, HTTPStatus.FORBIDDEN: GemForbidden}
_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


def gem_error(status: int, message: str, *, retry_after_seconds: float | None = None) -> GemError:
    """The error that an HTTP status other than 200 of GEM means.

    401, 404 and 500 are documented ("Get job details", error responses). 403, 408, 429 and the rest
    of 5xx are not, and taken as HTTP means them. Any other status is an answer that is no job.
    """
    if status in _ACCESS:
        return _ACCESS[HTTPStatus(status)](message)
    if status == HTTPStatus.NOT_FOUND:
        return GemJobNotFound(message)
    if status in _LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return GemUnavailable(message, retry_after_seconds=retry_after_seconds)
    return GemAnswerError(message)
