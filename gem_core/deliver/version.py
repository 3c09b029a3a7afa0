"""What a manifest describes, as a value. Only here is the text made that its id is a hash of. Pure.

An output that was audited in full is known by its ETag: every delivery of it has the same id. All
else that is said about an output may turn out otherwise at another time, so it carries the
redelivery that it answers: a repeat of that delivery finds it again, a later redelivery does not.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from gem_core.audit.judging.report import RULESET
from gem_core.deliver.manifest import manifest_id
from gem_core.moments import moment_text
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord


class NotAudited(StrEnum):
    """Why an output could not be judged."""

    LIMITS = "limits"
    """Reading it would take more than an audit has."""
    NEVER_ENDED = "never_ended"
    """Audits of it began, and none ended."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a job's output, or why there is none. Make one by a constructor below.

    `request` is the time of the redelivery that is answered; None for the first delivery.
    """

    text: str
    """What is hashed. A change gives every manifest another id, so it never changes."""

    @classmethod
    def of_etag(cls, etag: str) -> Self:
        """The output was audited in full."""
        return cls._of("output", etag)

    @classmethod
    def in_part(cls, etag: str, request: datetime | None) -> Self:
        """The output was audited without checks that another audit may be able to run."""
        return cls._of("in_part", etag, request)

    @classmethod
    def not_audited(cls, etag: str, reason: NotAudited, request: datetime | None) -> Self:
        """The output could not be judged; another machine or a later app may be able to."""
        return cls._of("not_audited", etag, reason, request)

    @classmethod
    def changed(cls) -> Self:
        """The output changed during each audit.

        It has no ETag: an output that stays as it is later is then audited as that version.
        """
        return cls._of("changed")

    @classmethod
    def refused(cls) -> Self:
        """The names that GEM gives cannot be those of a file, so nothing was read."""
        return cls._of("refused")

    @classmethod
    def output_missing(cls) -> Self:
        """There was no output when the time to wait for it had passed."""
        return cls._of("output_missing")

    @classmethod
    def of_settlement(cls, outcome: Outcome) -> Self:
        """The job did not finish, so there is no output: failed, cancelled, lost or expired."""
        return cls._of("settlement", outcome)

    @classmethod
    def _of(cls, *parts: str | datetime | None) -> Self:
        """As JSON, so that no two lists of parts give one text."""
        return cls(json.dumps(parts, default=moment_text))

    def event_id(self, record: JobRecord) -> str:
        """The id of the manifest that describes this version to this registration's listeners."""
        return manifest_id(
            record.job_run_id, record.registered_at, version=self.text, ruleset=RULESET
        )
