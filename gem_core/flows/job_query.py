"""The query of `GET /api/jobs`, which says what jobs are listed. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gem_core.counts import read_count
from gem_core.errors import RequestError
from gem_core.moments import read_optional_moment
from gem_core.outcome import Outcome
from gem_core.watch.listed_jobs import ListedJob
from gem_core.watch.record import Stage

WORDS = frozenset(
    {"stage", "outcome", "label", "changedAfter", "changedBefore", "sort", "limit", "after"}
)
DEFAULT_PAGE = 100
MAX_PAGE = 1000
MAX_AFTER = 2048
"""Characters; a `nextPage` is always shorter."""
NOT_A_PAGE = "after must be the nextPage of an earlier answer with the same query"


class Sort(StrEnum):
    """The order of a listing."""

    ID = "id"
    NEWEST = "-changedAt"
    """The jobs whose records were written last come first."""


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Which jobs are listed, in which order, and how many of them."""

    stage: Stage | None
    outcome: Outcome | None
    label: str | None
    """The text NAME:VALUE of a label that a job must have."""
    changed_after: datetime | None
    """The record was written at this time or later."""
    changed_before: datetime | None
    """The record was written earlier than this."""
    sort: Sort
    limit: int
    after: str | None
    """The `nextPage` of an earlier answer."""

    @property
    def is_filtered(self) -> bool:
        """Whether some jobs may be left out."""
        filters = self.stage, self.outcome, self.label, self.changed_after, self.changed_before
        return any(each is not None for each in filters)

    def may_include(self, job: ListedJob) -> bool:
        """Whether all but the label match. A listing does not show labels."""
        return (
            self.stage in {None, job.stage}
            and self.outcome in {None, job.outcome}
            and (self.changed_after is None or self.changed_after <= job.changed_at)
            and (self.changed_before is None or job.changed_at < self.changed_before)
        )


def read_job_query(query: Mapping[str, str]) -> JobQuery:
    """Read the query. An empty value is as if the word was absent.

    Raises:
        RequestError: a value is not valid; the message names it.

    """
    return JobQuery(
        stage=_choice(Stage, "stage", query.get("stage")),
        outcome=_choice(Outcome, "outcome", query.get("outcome")),
        label=_label(query.get("label")),
        changed_after=_moment("changedAfter", query.get("changedAfter")),
        changed_before=_moment("changedBefore", query.get("changedBefore")),
        sort=_choice(Sort, "sort", query.get("sort")) or Sort.ID,
        limit=_limit(query.get("limit")),
        after=_after(query.get("after")),
    )


def _choice[T: StrEnum](kind: type[T], name: str, text: str | None) -> T | None:
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        raise RequestError(f"{name} is {text[:40]!r}, not one of {', '.join(kind)}") from None


def _label(text: str | None) -> str | None:
    if text and ":" not in text:
        raise RequestError(f"label is {text[:40]!r}, not NAME:VALUE")
    return text or None


def _moment(name: str, text: str | None) -> datetime | None:
    try:
        return read_optional_moment(text)
    except ValueError:
        raise RequestError(
            f"{name} is {(text or '')[:40]!r}, not a moment with a zone, such as "
            "2026-01-20T10:00:00Z (in a query, + must be written as %2B)"
        ) from None


def _after(text: str | None) -> str | None:
    """The place where the listing continues; Azure Storage makes it from printable ASCII."""
    if text and not (len(text) <= MAX_AFTER and text.isascii() and text.isprintable()):
        raise RequestError(NOT_A_PAGE)
    return text or None


def _limit(text: str | None) -> int:
    if not text:
        return DEFAULT_PAGE
    try:
        return read_count(text, most=MAX_PAGE)
    except ValueError as error:
        raise RequestError(f"limit {error}") from None
