"""What a manifest describes, as a value; its text is hashed into the id of the manifest. Pure.

An output that was audited in full is identified by its ETag, so each delivery of it has the same
id. Any other result may be different at another time. So it is identified by the redelivery too: a
repeat of the same delivery has the same id, and a later redelivery has another one.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from gem_core.audit.judging.ruleset import RULESET
from gem_core.deliver.manifest import manifest_id
from gem_core.moments import moment_text
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord


class NotAudited(StrEnum):
    """Why an output could not be audited."""

    LIMITS = "limits"
    """Its reader crashed, or needs more memory, disk or time than an audit may use."""
    LAYOUT = "layout"
    """Its columns are in no layout that this version knows."""
    CONTRACT = "contract"
    """Only a newer version can read GEM's answer, so it is not known which file to audit."""
    NEVER_ENDED = "never_ended"
    """Audits of it began and never ended."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a job's output, or why there is none. Use the constructors below.

    `request` is the time at which the redelivery was requested; None for the first delivery.
    """

    text: str
    """The text that is hashed. It must never change, or every manifest would get another id."""

    @classmethod
    def of_etag(cls, etag: str) -> Self:
        """The output was audited in full."""
        return cls._of("output", etag)

    @classmethod
    def in_part(cls, etag: str, request: datetime | None) -> Self:
        """The output was audited without some checks that a later audit may be able to run."""
        return cls._of("in_part", etag, request)

    @classmethod
    def not_audited(cls, etag: str, reason: NotAudited, request: datetime | None) -> Self:
        """The output could not be audited; another machine or a later version may be able to."""
        return cls._of("not_audited", etag, reason, request)

    @classmethod
    def changed(cls, request: datetime | None) -> Self:
        """The output changed during each audit.

        The ETag is not part of it: an output that no longer changes is audited as its own version.
        """
        return cls._of("changed", *_if_any(request))

    @classmethod
    def refused(cls) -> Self:
        """GEM's storage id or file name is not a plain name, so no file was opened."""
        return cls._of("refused")

    @classmethod
    def output_missing(cls, request: datetime | None) -> Self:
        """The output did not exist when the grace time ended."""
        return cls._of("output_missing", *_if_any(request))

    @classmethod
    def of_settlement(cls, outcome: Outcome) -> Self:
        """The job did not finish, so there is no output: failed, cancelled, lost or expired."""
        return cls._of("settlement", outcome)

    @classmethod
    def _of(cls, *parts: str | datetime | None) -> Self:
        """Join the parts as JSON, so that different parts always give different texts."""
        return cls(json.dumps(parts, default=moment_text))

    def event_id(self, record: JobRecord) -> str:
        """The id of the manifest about this version, for this registration of the job."""
        return manifest_id(
            record.job_run_id, record.registered_at, version=self.text, ruleset=RULESET
        )


def _if_any(request: datetime | None) -> tuple[datetime, ...]:
    """The time of the redelivery. The text of the first delivery never had a part for it."""
    return (request,) if request else ()
