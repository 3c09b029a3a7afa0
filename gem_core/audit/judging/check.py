"""What a check is, how it says what it needs, and how it is run. Pure.

A need is a function that gives one part of the facts, or the reason why there is none. A check
lists its needs, and its judge takes just those parts, so a judge never meets one that is missing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, overload

from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.verdict import Judgement, not_asked, not_run


class Severity(StrEnum):
    """What a failed check means for the output."""

    ERROR = "error"
    """The output is invalid."""
    WARNING = "warning"
    """Somebody should look; the output stays valid."""
    INFO = "info"
    """For information only."""


ERROR, WARNING, INFO = Severity


class Missing(Exception):
    """A part of the facts is missing. The message is the reason, in the words of a report."""


class NotAsked(Missing):
    """Nobody asked for the part, and the message says how to ask; or the output's layout does not
    promise it.
    """


type Need[Part, F = Facts] = Callable[[F], Part]
"""Gives a part of the facts. Raises Missing."""


@dataclass(frozen=True, slots=True)
class Check[F = Facts]:
    """One promise of an output, or of another file with facts of its own."""

    name: str
    """Never changes, since listeners filter by it. It says the role of a column, not its name."""
    severity: Severity
    title: str
    """What is proven when the check passes."""
    needs: tuple[Need[Any, F], ...]
    judge: Callable[..., Judgement]
    """Takes a part for each need, in their order."""

    def run(self, facts: F) -> Judgement:
        """Judge. The first need that is missing is the reason why the check does not run."""
        try:
            parts = [need(facts) for need in self.needs]
        except NotAsked as how:
            return not_asked(str(how))
        except Missing as reason:
            return not_run(str(reason))
        return self.judge(*parts)


@overload
def check[F, A](
    severity: Severity, title: str, need: Need[A, F], /, *, name: str = ""
) -> Callable[[Callable[[A], Judgement]], Check[F]]: ...


@overload
def check[F, A, B](
    severity: Severity, title: str, first: Need[A, F], second: Need[B, F], /, *, name: str = ""
) -> Callable[[Callable[[A, B], Judgement]], Check[F]]: ...


@overload
def check[F, A, B, C](
    severity: Severity,
    title: str,
    first: Need[A, F],
    second: Need[B, F],
    third: Need[C, F],
    /,
    *,
    name: str = "",
) -> Callable[[Callable[[A, B, C], Judgement]], Check[F]]: ...


def check[F](
    severity: Severity, title: str, *needs: Need[Any, F], name: str = ""
) -> Callable[[Callable[..., Judgement]], Check[F]]:
    """Make a check of its judge, named like the judge unless there is a `name`."""
    return lambda judge: Check(name or judge.__name__, severity, title, needs, judge)


def known[T](value: T | None, reason: str) -> T:
    """The value. Raises Missing when it is None."""
    if value is None:
        raise Missing(reason)
    return value
