"""The scripted life of a job, and GEM's answer about it at any moment. Pure.

A life is data. Its durations are simulated seconds. `compressed` converts them into real seconds,
so that all times in the answers are real times. The clock is an argument.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class Ending(StrEnum):
    """The final status of a job."""

    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Trouble(StrEnum):
    """A fault of one request, independent of the state of the job."""

    SERVER_ERROR = "server_error"
    """500."""
    NO_ANSWER = "no_answer"
    """The server sends nothing, then closes the connection."""
    RESET = "reset"
    """The connection is reset."""
    BROKEN_JSON = "broken_json"
    """200, but the body ends in the middle."""
    HTML = "html"
    """200, but the body is the HTML page of a gateway."""
    UNAUTHORIZED = "unauthorized"
    """401, although the token is valid."""
    GONE = "gone"
    """410."""
    TOO_MANY = "too_many"
    """429 with `Retry-After: 1`."""


class OutputFault(StrEnum):
    """A fault of the output; see `faults.py`."""

    LOW_CONFIDENCE = "low_confidence"
    GERS_ID_MISSING = "gers_id_missing"
    GERS_ID_MALFORMED = "gers_id_malformed"
    GERS_ID_WRONG = "gers_id_wrong"
    STATUS_UNKNOWN = "status_unknown"
    CONFIDENCE_IN_PERCENT = "confidence_in_percent"
    CONFIDENCE_ABOVE_ONE = "confidence_above_one"
    COLUMN_MISSING = "column_missing"
    ROWS_LOST = "rows_lost"
    IDS_INVENTED = "ids_invented"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Life:
    """The life of a job from its creation. All durations are in seconds."""

    name: str
    queued_for: float = 60.0
    running_for: float = 600.0
    ending: Ending = Ending.FINISHED

    troubles: tuple[Trouble | None, ...] = ()
    """Faults of the first, second, … request about the job; None for a correct answer."""

    unknown_word: str | None = None
    """Status instead of "running" in the second half of `running_for`."""

    vanishes_after: float | None = None
    """From this age, the job is unknown (404)."""

    output_written: bool = True
    late_by: float = 0.0
    """Time from the end to the output. With 0, it is written before the first "finished"."""

    overwrite_after: float | None = None
    """Time from the end until another valid output replaces the first."""

    output_fault: OutputFault | None = None
    output_suffix: str = "_matched.parquet"
    points_off: int = 0
    """Percentage points by which the share of matched roads in the statistics is too high."""

    page: bool = False
    """Answer with exactly the bytes of the documentation's examples."""

    def compressed(self, time_scale: float) -> "Life":
        """The same life, `time_scale` times as fast."""

        def shorter(seconds: float | None) -> float | None:
            return None if seconds is None else seconds / time_scale

        return replace(
            self,
            queued_for=self.queued_for / time_scale,
            running_for=self.running_for / time_scale,
            late_by=self.late_by / time_scale,
            vanishes_after=shorter(self.vanishes_after),
            overwrite_after=shorter(self.overwrite_after),
        )

    def ends(self, created: datetime) -> datetime:
        """The moment of the final status."""
        return created + timedelta(seconds=self.queued_for + self.running_for)


CLEAN = Life("clean")
LIVES = {
    life.name: life
    for life in (
        CLEAN,
        Life(
            "warnings",
            output_fault=OutputFault.LOW_CONFIDENCE,
            output_suffix="_matched_v2.parquet",
        ),
        Life("wrong_statistics", points_off=5),
        Life("bad_rows", output_fault=OutputFault.GERS_ID_MISSING),
        Life("wrong_ids", output_fault=OutputFault.GERS_ID_WRONG),
        Life("output_missing", output_written=False),
        Life("late_output", late_by=120.0),
        Life("overwritten", overwrite_after=300.0),
        Life("failed", ending=Ending.FAILED),
        Life("cancelled", running_for=120.0, ending=Ending.CANCELLED),
        Life("vanishing", vanishes_after=180.0),
        Life("slow", running_for=4 * 3600.0),
        Life(
            "flaky",
            troubles=(
                Trouble.SERVER_ERROR,
                Trouble.NO_ANSWER,
                Trouble.RESET,
                Trouble.BROKEN_JSON,
                Trouble.HTML,
            ),
        ),
        Life("token_expiring", troubles=(None, Trouble.UNAUTHORIZED)),
        Life("unknown_status", unknown_word="paused"),
        Life("page", queued_for=0.0, running_for=0.0, page=True),
    )
}
"""All named lives. Use `dataclasses.replace` for variants."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one request."""

    status: str | None
    """GEM's status word; None if the job is unknown."""

    modified: datetime
    progress: int | None = None
    """In whole percent, only while the job is running."""

    trouble: Trouble | None = None


def answer_at(life: Life, created: datetime, now: datetime, *, asked: int = 0) -> Answer:
    """GEM's answer about a job at a moment.

    Args:
        life: the life in real seconds, so already compressed.
        created: the creation of the job.
        now: the moment, not before `created`.
        asked: number of earlier requests about this job, which selects the fault.

    """
    trouble = life.troubles[asked] if asked < len(life.troubles) else None
    return replace(_answer_without_fault(life, created, now), trouble=trouble)


def _answer_without_fault(life: Life, created: datetime, now: datetime) -> Answer:
    age = (now - created).total_seconds()
    if life.vanishes_after is not None and age >= life.vanishes_after:
        return Answer(None, created + timedelta(seconds=life.vanishes_after))
    if now >= life.ends(created):
        return Answer(life.ending, life.ends(created))
    if age < life.queued_for:
        return Answer("queued", created)
    share = (age - life.queued_for) / life.running_for
    half = 0.5
    if life.unknown_word is not None and share >= half:
        since = life.queued_for + half * life.running_for
        return Answer(life.unknown_word, created + timedelta(seconds=since))
    # A progress of 100 would mean that the job has ended.
    progress = min(int(share * 100), 99)
    since = life.queued_for + life.running_for * progress / 100
    return Answer("running", created + timedelta(seconds=since), progress)


class Upload(StrEnum):
    """A version of the output."""

    FIRST = "first"
    SECOND = "second"


def output_uploads(life: Life, created: datetime) -> tuple[tuple[datetime, Upload], ...]:
    """The versions of the output and the moments of their uploads, earliest first."""
    if life.ending is not Ending.FINISHED or not life.output_written:
        return ()
    end = life.ends(created)
    uploads = [(end + timedelta(seconds=life.late_by), Upload.FIRST)]
    if life.overwrite_after is not None:
        uploads.append((end + timedelta(seconds=life.overwrite_after), Upload.SECOND))
    if life.vanishes_after is not None:
        gone = created + timedelta(seconds=life.vanishes_after)
        uploads = [upload for upload in uploads if upload[0] < gone]
    return tuple(sorted(uploads))
