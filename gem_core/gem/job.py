"""GEM's words for a job, and the one place where its JSON is read. Pure.

Source of every field: TomTom, "Get job details" (`X-Version: 1`), response fields and status
values.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from gem_core.errors import GemAnswerError

MAX_DEPTH = 32
"""Of nesting; the documented answer has 2."""
MAX_STATUS = 200
"""Letters of a status: a record keeps a hundred of them, so that they must not be as long as an
answer."""
MAX_DRIFT = 200
"""Letters of a line: the platform cuts a log line that is too long, and then no alert reads it."""


class JobStatus(StrEnum):
    """The five documented status values."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the job has ended: finished, failed or cancelled."""
        return self in {JobStatus.FINISHED, JobStatus.FAILED, JobStatus.CANCELLED}


@dataclass(frozen=True, slots=True)
class GemJob:
    """What GEM says of one job. Fields that it left out, or sent in a wrong type, are None."""

    job_run_id: str
    status_text: str
    """The status as GEM wrote it, also when it is none of the five."""

    answer: Mapping[str, Any] = field(repr=False)
    """The whole JSON object as it came, unknown fields kept."""

    storage_id: str | None = None
    input_file_name: str | None = None
    output_file_name: str | None = None
    matching_type: str | None = None
    overture_release: str | None = None
    progress: float | None = None
    """Percent, 0 to 100."""

    created_at: datetime | None = None
    modified_at: datetime | None = None
    statistics: Mapping[str, Any] = field(default_factory=dict)
    """As it came; the audit reads each figure strictly (`percent`)."""

    drift: tuple[str, ...] = ()
    """Where the answer departs from the page, in words. Drift is logged, never guessed away."""

    contract: str = "x-version-1"
    """Which generation of GEM's API spoke. An open string: later generations have other names."""

    @property
    def status(self) -> JobStatus | None:
        """One of the five, or None for a word that the page does not have."""
        try:
            return JobStatus(self.status_text)
        except ValueError:
            return None

    @property
    def promised_output(self) -> str | None:
        """The output by the documented pattern, in the input's folder; None without an input.

        Source: "Get job details", output file: `{original_filename}_matched.parquet`, where the
        example shows that the stem is meant.
        """
        if not self.input_file_name:
            return None
        folder, slash, name = self.input_file_name.rpartition("/")
        return f"{folder}{slash}{PurePosixPath(name).stem}_matched.parquet"


def parse_job(answer: object, *, job_run_id: str, redact: Callable[[str], str] = str) -> GemJob:
    """Read the answer to `GET /jobs/{jobRunId}`.

    Lenient where a wrong field harms nothing (it becomes None and a line of `drift`), strict where
    going on would mean to follow the wrong job. `redact` takes secrets out of every text.

    Raises:
        GemAnswerError: it is no JSON object, is about another job, or has no status that is a word.

    """
    if not isinstance(answer, Mapping):
        raise GemAnswerError(f"expected a JSON object, got {type(answer).__name__}")
    if answer.get("jobRunId") != job_run_id:
        told = redact(str(answer.get("jobRunId")))[:80]
        raise GemAnswerError(f"asked about job {job_run_id!r}, the answer is about {told!r}")
    kept: dict[str, Any] = _storable(answer, redact) | {"jobRunId": job_run_id}
    status = kept.get("status")
    if not isinstance(status, str) or not status:
        raise GemAnswerError("the answer has no status")
    if len(status) > MAX_STATUS:
        raise GemAnswerError(f"the answer's status is longer than {MAX_STATUS} letters")
    read = _Reader(kept)
    if status not in set(JobStatus):
        read.drift.append(f"status {status[:40]!r} is none of {', '.join(JobStatus)}")
    return GemJob(
        job_run_id=job_run_id,
        status_text=status,
        answer=kept,
        storage_id=read("storageId", _text),
        input_file_name=read("inputFileName", _text),
        output_file_name=read("outputFileName", _text),
        matching_type=read("matchingType", _text),
        overture_release=read("overtureRelease", _text),
        progress=read("progress", _progress),
        created_at=read("createdAt", _moment),
        modified_at=read("modifiedAt", _moment),
        statistics=read("statistics", _object) or {},
        drift=tuple(read.drift),
    )


def _storable(value: Any, redact: Callable[[str], str], depth: int = 0) -> Any:  # noqa: ANN401 - any JSON value
    """Foreign JSON as it came, but for what our own JSON cannot carry on.

    Python reads NaN, infinities (1e400 too) and half surrogate pairs; RFC 8259 has no numbers for
    the former, and UTF-8 none of the latter. They become text that shows them.
    """
    if depth > MAX_DEPTH:
        raise GemAnswerError(f"the answer is nested more than {MAX_DEPTH} deep")
    if isinstance(value, Mapping):
        return {
            _storable(name, redact): _storable(part, redact, depth + 1)
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [_storable(part, redact, depth + 1) for part in value]
    if isinstance(value, str):
        return redact(value.encode(errors="backslashreplace").decode())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


class _Reader:
    """Reads single fields, and keeps a line for each that is not as the page says."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self._answer = answer
        self.drift: list[str] = []

    def __call__[T](self, name: str, convert: Callable[[Any], T]) -> T | None:
        value = self._answer.get(name)
        if value is None:
            return None
        try:
            return convert(value)
        except (ValueError, OverflowError) as error:
            self.drift.append(f"{name}: {error}"[:MAX_DRIFT])
            return None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a string is expected, got {type(value).__name__}")
    return value


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"an object is expected, got {type(value).__name__}")
    return dict(value)


def _progress(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"a number is expected, got {type(value).__name__}")
    if not 0 <= value <= 100:  # noqa: PLR2004 - percent
        raise ValueError(f"{value} is not within 0 to 100")
    return float(value)


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    # The page's examples end in Z. A time without a zone is read as UTC, not as the machine's own.
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
