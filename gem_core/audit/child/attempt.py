"""One audit in one child, as the parent follows it. Edge: clock.

An end without a verdict is a value (`Seen`). An error of the output's storage is raised as the
storage raised it.
"""

import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from queue import Empty

from gem_core.audit.child.conclusions import Overdue, Seen, end_of
from gem_core.audit.child.frames import ChannelLost, ProtocolError
from gem_core.audit.child.limits import Limits
from gem_core.audit.child.messages import (
    OUTPUT,
    PARENT_GONE,
    Begun,
    Crashed,
    Done,
    OutputUnread,
    Progress,
    Question,
    ReadRange,
    Ready,
    Result,
)
from gem_core.audit.child.process import ChildProcess, Lost
from gem_core.audit.child.result import AuditResult
from gem_core.audit.child.serving import RangeServer
from gem_core.audit.child.untrusted_page import page_or_problem
from gem_core.audit.rows.progress import OnRows
from gem_core.outcome import Outcome

_TICK_SECONDS = 0.1
"""Between two looks at the deadlines while nothing comes."""
_IDLE_CPU_SECONDS = 0.05
"""Of a child that does nothing, in `quiet_seconds`."""
_PROBLEM_CHARACTERS = 200
"""Of what the child says of the page and its map."""
_NO_MEMORY = "std::bad_alloc"
"""What the runtime of C++ writes as it aborts, since nothing caught the exception."""

_VERDICTS = {
    Outcome.VALID,
    Outcome.VALID_WITH_WARNINGS,
    Outcome.INVALID,
    Outcome.NOT_AUDITED,
}


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, and whether the child that gave it is to be renewed."""

    result: AuditResult
    needs_renewal: bool
    look_up_end: str = ""
    """How the child ended during the look-up, which cost the page too; or empty."""


def wait_until_ready(child: ChildProcess, seconds: float) -> Seen | None:
    """Wait for the child's first message; what was seen instead, or None when it is ready."""
    try:
        message, _ = child.events.get(timeout=seconds)
    except Empty:
        return Seen(was_ready=False)
    if isinstance(message, Ready):
        return None
    return Seen(was_ready=False, exit_status=child.exit_status(), was_stopped=child.ended_by_us)


@dataclass(slots=True)
class Attempt:
    """One audit."""

    child: ChildProcess
    server: RangeServer
    limits: Limits
    is_fresh: bool
    on_rows: OnRows | None
    verdict: AuditResult | None = None
    verdicts_left: int = 1
    """That may still come."""
    with_failures: bool = False
    """Whether the child was asked for a file of failing rows."""
    token: str = field(init=False, default="")
    """Of the question."""
    has_begun: bool = field(init=False, default=False)
    """Whether the child has the question."""
    began: float = field(init=False, default=0.0)
    quiet_since: float = field(init=False, default=0.0)
    quiet_cpu: float | None = None
    """CPU seconds that the child had used when it became quiet."""

    def run(self, question: Question, heads: bytes) -> Judged | Seen:
        """Ask, and serve until the child has answered.

        Raises:
            OutputError: the output could not be read; as its source raised it.

        """
        self.token, self.verdicts_left = question.token, question.verdicts
        self.with_failures = bool(question.options.failing_rows)
        self.began = self.quiet_since = time.monotonic()
        try:
            # When nothing can be sent, `Lost` comes. Before it comes what the child had sent.
            with suppress(ChannelLost):
                self.child.channel.send(question, heads)
            while True:
                if overdue := self._overdue():
                    return self._without_answer(overdue=overdue)
                if ended := self._deal_with_next():
                    return ended
        except ProtocolError as error:
            return self._without_answer(broken=str(error))

    def _deal_with_next(self) -> Judged | Seen | None:
        try:
            message, body = self.child.events.get(timeout=_TICK_SECONDS)
        except Empty:
            return None
        self._be_quiet_from_now()
        if isinstance(message, Lost):
            return self._lost(message.reason if message.broke_protocol else "")
        if self.has_begun:
            return self._deal_with(message, body)
        if message != Begun(self.token):
            raise ProtocolError(f"{type(message).__name__} is about another question")
        self.has_begun = True
        return None

    def _deal_with(self, message: object, body: bytes) -> Judged | Seen | None:
        match message:
            case ReadRange():
                self.server.take(message)
            case Progress(doing, done, total):
                if self.on_rows:
                    self.on_rows(doing, done, total)
            case Result(result) if self.verdicts_left and result.outcome in _VERDICTS:
                self.verdict = replace(
                    result, failures=body or None if self.with_failures else None
                )
                self.verdicts_left -= 1
                self.began = time.monotonic()  # what follows has its own time
            case Done() if self.verdict:
                return Judged(_with_page(self.verdict, body, message), message.needs_renewal)
            case OutputUnread() if failure := self.server.failure(OUTPUT):
                raise failure
            case Crashed(detail):
                return self._without_answer(broken=detail)
            case _:
                raise ProtocolError(f"{type(message).__name__} is out of place")
        return None

    def _overdue(self) -> Overdue | None:
        with suppress(ChannelLost):
            self.server.give_up_overdue()
        now = time.monotonic()
        if now - self.began > self._wall_seconds:
            return Overdue.WALL
        if self.server.is_waited_for:
            self._be_quiet_from_now()
        elif now - self.quiet_since > self.limits.quiet_seconds:
            return self._judge_quiet()
        return None

    @property
    def _wall_seconds(self) -> float:
        """Until the next verdict, or the page."""
        if not self.verdict:
            return self.limits.wall_seconds
        if self.verdicts_left:
            return self.limits.look_up_wall_seconds
        return self.limits.page_wall_seconds

    def _be_quiet_from_now(self) -> None:
        self.quiet_since, self.quiet_cpu = time.monotonic(), None

    def _judge_quiet(self) -> Overdue | None:
        """Whether the child used no CPU for a while. How much it uses is asked only then."""
        used = self.child.usage()
        before, self.quiet_since = self.quiet_cpu, time.monotonic()
        self.quiet_cpu = used.cpu_seconds if used else None
        if before is None or self.quiet_cpu is None:
            return None
        return Overdue.QUIET if self.quiet_cpu - before < _IDLE_CPU_SECONDS else None

    def _lost(self, broken: str) -> Judged | Seen:
        """Nothing more comes of the child: look how it ended."""
        stopped, status = self.child.ended_by_us, self.child.exit_status()
        # One that lost its connection, and runs on or has ended for that, has not received or sent
        # a frame in time.
        overdue = Overdue.QUIET if status in {None, PARENT_GONE} and not broken else None
        return self._without_answer(
            broken=broken, exit_status=status, overdue=overdue, was_stopped=stopped
        )

    def _lacked_memory(self, exit_status: int | None) -> bool:
        """Whether a library of C++ ended the child because it got no memory."""
        return exit_status == -signal.SIGABRT and _NO_MEMORY in self.child.stderr

    def _without_answer(
        self,
        *,
        broken: str = "",
        exit_status: int | None = None,
        overdue: Overdue | None = None,
        was_stopped: bool = False,
    ) -> Judged | Seen:
        waited = self.server.waiting.seconds
        seen = Seen(
            is_fresh=self.is_fresh,
            exit_status=exit_status,
            broken=broken,
            has_begun=self.has_begun,
            over_memory=self.child.over_memory or self._lacked_memory(exit_status),
            overdue=overdue,
            was_stopped=was_stopped,
            waited_seconds=waited,
            worked_seconds=max(0.0, time.monotonic() - self.began - waited),
            served_bytes=self.server.served_bytes,
        )
        if self.verdict and not was_stopped:
            # What cannot be looked up or drawn costs that and the page, never the verdict.
            end = end_of(seen).value
            result = replace(self.verdict, page_problem=end)
            return Judged(result, needs_renewal=True, look_up_end=end if self.verdicts_left else "")
        return seen


def _with_page(verdict: AuditResult, body: bytes, done: Done) -> AuditResult:
    if not body:
        return replace(verdict, page_problem=done.page_problem[:_PROBLEM_CHARACTERS])
    page, problem = page_or_problem(body)
    note = done.map_note[:_PROBLEM_CHARACTERS] if page else ""
    return replace(verdict, page=page, page_problem=problem, map_note=note)
