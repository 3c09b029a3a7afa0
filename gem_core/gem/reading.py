"""Reads an answer of GEM, whichever contract it is in: bounded, storable, member by member. Pure.

An answer is untrusted. A wrong member that harms nothing becomes None and a line of drift.
"""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from gem_core.errors import GemAnswerError

MAX_DEPTH = 32
"""Levels of nesting; the documented answers have 2."""
MAX_STATUS = 200
"""Characters of a status. A record keeps a hundred of them."""
MAX_DRIFT = 200
"""Characters of a line of drift. The platform cuts long log lines, and alerts cannot read those."""

type Redact = Callable[[str], str]
"""Replaces secrets in a text."""


def read_answer(answer: object) -> Mapping[str, Any]:
    """The answer, if it is a JSON object.

    Raises:
        GemAnswerError: it is not.

    """
    if not isinstance(answer, Mapping):
        raise GemAnswerError(f"expected a JSON object, got {type(answer).__name__}")
    return answer


def storable(value: Any, redact: Redact, depth: int = 0) -> Any:  # noqa: ANN401 - any JSON value
    """JSON as received, except for values that our own JSON cannot hold, and for secrets.

    Python reads NaN, infinities (also 1e400) and lone surrogates. JSON has no such numbers
    (RFC 8259, 6), and UTF-8 cannot encode such characters. They become text that shows them.

    Raises:
        GemAnswerError: it is nested more than MAX_DEPTH deep.

    """
    if depth > MAX_DEPTH:
        raise GemAnswerError(f"the answer is nested more than {MAX_DEPTH} deep")
    if isinstance(value, Mapping):
        return {
            storable(name, redact): storable(part, redact, depth + 1)
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [storable(part, redact, depth + 1) for part in value]
    if isinstance(value, str):
        return redact(value.encode(errors="backslashreplace").decode())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def read_status(value: object) -> str:
    """GEM's word for the status.

    Raises:
        GemAnswerError: there is none, or it is longer than MAX_STATUS.

    """
    if not isinstance(value, str) or not value:
        raise GemAnswerError("the answer has no status")
    if len(value) > MAX_STATUS:
        raise GemAnswerError(f"the answer's status is longer than {MAX_STATUS} characters")
    return value


class MemberReader:
    """Reads members of a storable answer, and keeps a line of drift for each one that is wrong."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self._answer = answer
        self.drift: list[str] = []

    def has(self, name: str) -> bool:
        """Whether the member is there and not null."""
        return self._answer.get(name) is not None

    def __call__[T](self, name: str, convert: Callable[[Any], T]) -> T | None:
        """The member, converted; None when it is absent, null or wrong."""
        value = self._answer.get(name)
        if value is None:
            return None
        try:
            return convert(value)
        except (ValueError, OverflowError) as error:
            self.drift.append(f"{name}: {error}"[:MAX_DRIFT])
            return None


def text(value: object) -> str:
    """A string. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError(f"expected a string, got {type(value).__name__}")
    return value


def json_object(value: object) -> Mapping[str, Any]:
    """A JSON object. Raises ValueError."""
    if not isinstance(value, Mapping):
        raise ValueError(f"expected an object, got {type(value).__name__}")
    return dict(value)


def progress(value: object) -> float:
    """A number of percent, 0 to 100. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expected a number, got {type(value).__name__}")
    if not 0 <= value <= 100:  # noqa: PLR2004 - percent
        raise ValueError(f"{value} is not between 0 and 100")
    return float(value)


def moment(value: object) -> datetime:
    """An ISO 8601 time as UTC; a time without a zone is read as UTC. Raises ValueError."""
    found = datetime.fromisoformat(text(value))
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
