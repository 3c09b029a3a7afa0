"""The app's exceptions as a tree, and what an HTTP status of GEM means. Pure.

CourierError
├── SettingsError          settings are missing or invalid: a person must correct them
├── RequestError           our HTTP endpoints or commands cannot do what was asked (400)
│   ├── JobUnknown         the job is not registered (404)
│   ├── DocumentMissing    the job has no such document (404)
│   └── StageForbids       the stage of the job does not allow it (409)
├── GemError               GEM did not answer, or its answer is not about the job
│   ├── GemAccessError     no token, 401 or 403: ends the tick, unless it is about one job only
│   │   ├── GemUnauthorized   401: GEM does not accept the key or the token
│   │   └── GemForbidden      403: GEM accepts them, but denies access, perhaps to this job only
│   ├── GemJobNotFound     404: counted; the job is lost after some time
│   ├── GemUnavailable     408, 429, 5xx or no answer: ask later
│   │   └── GemWithoutToken   there is no token for GEM now: GEM was not asked
│   └── GemAnswerError     an answer that is not the job: log it, ask later
│       └── GemQuestionRefused  400: GEM does not accept such a question
├── StoreError             our own storage failed
│   ├── RecordConflict     another writer changed the record first: that change is kept
│   │   └── RecordMissing  there is no such record, or it was removed
│   ├── RecordUnreadable   not a record, or written by a newer version: not touched
│   │   └── DocumentArchived  it is in the archive tier: a person must rehydrate it
│   ├── PageUnknown        a listing cannot continue from there
│   ├── StoreClaimed       another app ticks on this storage: a person must choose
│   ├── StoreMissing       a container or queue does not exist: a person must create it
│   ├── StoreWithoutToken  there is no token for it now: try later
│   └── StoreRefused       key, role or firewall: a person must correct it
├── AuditError             an audit gave no verdict; says nothing certain about the file
│   ├── AuditStopped       somebody stopped it: nothing is concluded
│   ├── AuditUnfinished    it hung, took too long or was killed: counted
│   └── MachineUnfit       this machine cannot audit even a small good file: a person must look
└── OutputError            a file of GEM's could not be read; says nothing about its content
    ├── OutputMissing      there is no such blob
    ├── OutputChanged      the blob was overwritten while it was read
    ├── OutputRefused      GEM's storage id or file name is not a usable name: no request was made
    └── OutputUnreachable  denied, throttled or timed out: try later
        ├── OutputWithoutToken  there is no token for it now
        └── RangeNotSatisfiable  the file has no byte of the range (416)

A failed job and a failed check are values, not exceptions.
"""

from http import HTTPStatus


class CourierError(Exception):
    """Base class of all errors that GEM Courier raises on purpose."""


class SettingsError(CourierError):
    """One or more settings are missing or invalid; the message names all of them."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(
            "missing or invalid settings:\n" + "\n".join(f"  * {line}" for line in problems)
        )
        self.problems = problems


class RequestError(CourierError):
    """A request to an HTTP endpoint, or the arguments of a command, cannot be served."""


class JobUnknown(RequestError):
    """The job is not registered."""


class DocumentMissing(RequestError):
    """The job has no such document: no manifest was sent yet, or it was removed."""


class StageForbids(RequestError):
    """The job is in a stage in which this cannot be done; in another stage it could."""


class NoToken(CourierError):
    """Entra ID, or the identity endpoint of the platform, gave no token. This may pass."""


class TokenRefused(NoToken):
    """There is no identity, or it was refused: a person must correct it."""


class GemError(CourierError):
    """GEM did not answer, or its answer is not about the job.

    The text of this error is ours. What GEM wrote about it is in `detail`, which is not logged.
    """

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail

    @property
    def in_full(self) -> str:
        """Our text and GEM's, for a record and for the person who asked."""
        return f"{self}; GEM says: {self.detail}" if self.detail else str(self)


class GemAccessError(GemError):
    """No token, 401 or 403. Stops the tick, since every job would fail."""


class GemUnauthorized(GemAccessError):
    """401: GEM does not accept the key or the token. A new token may help."""


class GemForbidden(GemAccessError):
    """403: GEM accepts key and token, but denies access."""


class GemJobNotFound(GemError):
    """404: GEM has no such job, or does not show it to this identity."""


class GemUnavailable(GemError):
    """No usable answer now. Says nothing about the job; ask again later."""

    def __init__(
        self, message: str, *, detail: str = "", retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message, detail=detail)
        self.retry_after_seconds = retry_after_seconds


class GemWithoutToken(GemUnavailable):
    """There is no token now, so GEM was not asked."""


class GemAnswerError(GemError):
    """An answer that is not the job, or an HTTP status that has no meaning for it."""


class GemQuestionRefused(GemAnswerError):
    """400: GEM does not accept the question, for example its version header or the form of the
    id.
    """


class StoreError(CourierError):
    """Our own storage could not be read or written."""


class RecordConflict(StoreError):
    """Another writer changed the record since it was read."""


class RecordMissing(RecordConflict):
    """There is no such record or message, or another writer removed it."""


class RecordUnreadable(StoreError):
    """Not a record, or one that only a newer version of this app can read."""


class DocumentArchived(RecordUnreadable):
    """A document is in the archive tier: it can be deleted, but neither read nor written."""


class PageUnknown(StoreError):
    """A listing cannot continue from there: no earlier page ended there."""


class StoreClaimed(StoreError):
    """Another app with another identity ticks on this storage: a person must choose one of them."""


class StoreMissing(StoreError):
    """A container or queue that the infrastructure creates does not exist."""


class StoreWithoutToken(StoreError):
    """There is no token for storage now; says nothing about storage or its roles."""


class StoreRefused(StoreError):
    """Storage denied access (401, 403), or there is no token for it."""


class AuditError(CourierError):
    """An audit gave no verdict."""


class AuditStopped(AuditError):
    """Somebody stopped the audit, or this process is about to end."""


class AuditUnfinished(AuditError):
    """The audit hung, took too long, or was killed by somebody: the file may be the cause."""


class MachineUnfit(AuditError):
    """An audit cannot be started here, or not even a small good file can be audited."""


class OutputError(CourierError):
    """A file of GEM's could not be read."""


class OutputMissing(OutputError):
    """There is no blob with that name."""


class OutputChanged(OutputError):
    """The blob was overwritten while it was read: its ETag no longer matches (412)."""


class OutputRefused(OutputError):
    """GEM's storage id or file name is not a plain name within the storage; no request was made."""


class OutputUnreachable(OutputError):
    """Denied, throttled or no answer; says nothing about the file."""


class OutputWithoutToken(OutputUnreachable):
    """There is no token for the storage of the file now."""


class RangeNotSatisfiable(OutputUnreachable):
    """The file has no byte of the range that was asked for (416); an empty file has none at all."""


_ACCESS = {HTTPStatus.UNAUTHORIZED: GemUnauthorized, HTTPStatus.FORBIDDEN: GemForbidden}
_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


def gem_error(
    status: int, message: str, *, detail: str = "", retry_after_seconds: float | None = None
) -> GemError:
    """The error for an HTTP status of GEM other than 200.

    401, 404 and 500 are documented ("Get job details", error responses). 403, 408, 429 and the rest
    of 5xx are not, and mean what HTTP says. Any other status is an answer that is not the job.
    """
    if status in _ACCESS:
        return _ACCESS[HTTPStatus(status)](message, detail=detail)
    if status == HTTPStatus.NOT_FOUND:
        return GemJobNotFound(message, detail=detail)
    if status in _LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return GemUnavailable(message, detail=detail, retry_after_seconds=retry_after_seconds)
    refused = status == HTTPStatus.BAD_REQUEST
    return (GemQuestionRefused if refused else GemAnswerError)(message, detail=detail)
