"""Audits in a child: the parent reads, the child judges. Edge: processes, storage.

One audit at a time, in one child, which is used again as long as it is sound.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from secrets import token_hex
from threading import Lock
from types import TracebackType
from typing import NoReturn, Self

from gem_core.audit.child import self_test
from gem_core.audit.child.attempt import Attempt, Judged, wait_until_ready
from gem_core.audit.child.conclusions import (
    Conclusion,
    End,
    Seen,
    conclude,
    end_of,
    reason_of,
)
from gem_core.audit.child.limits import Limits
from gem_core.audit.child.process import ChildProcess
from gem_core.audit.child.request import Request
from gem_core.audit.child.result import AuditResult, PageOptions
from gem_core.audit.child.serving import RangeServer
from gem_core.audit.judging.not_opened import NotOpened
from gem_core.audit.options import DEFAULT_OPTIONS, AuditOptions
from gem_core.audit.overture.release import NoRelease, Release
from gem_core.audit.reading.source import Source
from gem_core.audit.rows.progress import OnRows
from gem_core.errors import (
    AuditStopped,
    AuditUnfinished,
    MachineUnfit,
    OutputError,
    OutputUnreachable,
)
from gem_core.gem.job import GemJob
from gem_core.logs import Event, log
from gem_core.outcome import Outcome
from gem_core.redaction import redacted


class Engine:
    """Audits in children of this process. Close it, or use it as a context manager."""

    def __init__(self, limits: Limits, environment: Mapping[str, str]) -> None:
        """Start nothing yet.

        Args:
            limits: of each audit.
            environment: of this process; the child gets a few names of it.

        """
        self._limits = limits
        self._environment = environment
        self._one_at_a_time = Lock()
        self._child: ChildProcess | None = None
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child, and with it an audit that another thread waits for."""
        self._is_closed = True
        if child := self._child:
            child.end()

    def audit(  # noqa: PLR0913 - by name; each may be absent on its own
        self,
        output: Source,
        job: GemJob,
        *,
        input_source: Source | None,
        input_note: str = "",
        expected_input: str | None = None,
        on_rows: OnRows | None = None,
        options: AuditOptions = DEFAULT_OPTIONS,
        page: PageOptions | None = None,
        release: Release | NoRelease | None = None,
    ) -> AuditResult:
        """Judge one version of an output. A file that breaks its promises is a result.

        Args:
            output: the version to judge.
            job: GEM's answer about the job; its names and statistics are compared with the output.
            input_source: the input file of the job, if it can be read.
            input_note: why there is none.
            expected_input: the input's name as expected when the job was registered.
            on_rows: is called with the progress, some times a second.
            options: what the audit may take, and how far it goes.
            page: how to draw the report as a page; None draws none.
            release: where to look GERS ids up, or why nowhere; None does not.

        Raises:
            OutputChanged: the output was overwritten or deleted while it was read.
            OutputUnreachable: the output could not be read, or not in time.
            AuditUnfinished: the audit hung, took too long, or was killed. To be counted.
            AuditStopped: this engine was closed, or somebody stopped the child.
            MachineUnfit: the child does not start, or cannot audit a small good file either.

        """
        request = Request(
            output=output,
            job=job,
            input_source=input_source,
            input_note=input_note,
            expected_input=expected_input,
            options=options,
            page=page,
            with_progress=on_rows is not None,
            release=release,
        )
        with self._one_at_a_time:
            return self._judged(request, on_rows)

    def not_opened(
        self, job: GemJob, why: NotOpened, output: Source | None, *, page: PageOptions | None = None
    ) -> AuditResult:
        """Report an output that is not opened; no file is read.

        Args:
            job: GEM's answer about the job.
            why: why the output is not opened.
            output: the version that the report names; None when the job leads to no file.
            page: how to draw the report as a page; None draws none.

        Raises:
            AuditStopped: as in `audit`.
            MachineUnfit: no report can be made here.

        """
        with self._one_at_a_time:
            return self._reported(Request(output, job, page=page, not_opened=why))

    def _judged(self, request: Request, on_rows: OnRows | None) -> AuditResult:
        seen: list[Seen] = []
        tried, left_out = request, ""
        while True:
            found = self._attempt(tried, self._limits, on_rows)
            if isinstance(found, AuditResult):
                return replace(found, input_left_out=left_out)
            seen.append(found)
            conclusion = self._conclude(seen, reads_input=tried.input_source is not None)
            reason = self._reason(found)
            match conclusion:
                case Conclusion.TRY_AGAIN:
                    pass
                case Conclusion.TRY_WITHOUT_INPUT:
                    left_out = f"audits that read the input gave no verdict: {reason}"
                    tried = request.without_input(left_out)
                case Conclusion.NOT_AUDITED:
                    return self._reported(request.not_audited(reason))
                case _:
                    _give_up(conclusion, request.address, reason)

    def _conclude(self, seen: Sequence[Seen], *, reads_input: bool) -> Conclusion:
        ends = [end_of(each) for each in seen]
        conclusion = conclude(ends, reads_input=reads_input, self_test=None)
        if conclusion is Conclusion.TRY_SELF_TEST:
            passed = self._passes_self_test()
            conclusion = conclude(ends, reads_input=reads_input, self_test=passed)
        return conclusion

    def _passes_self_test(self) -> bool:
        request = Request(self_test.built_in_file(), self_test.JOB)
        limits = replace(self._limits, cpu_seconds=self_test.CPU_SECONDS)
        found = self._attempt(request, limits)
        return isinstance(found, AuditResult) and found.outcome is Outcome.VALID

    def _reported(self, request: Request) -> AuditResult:
        found = self._attempt(request, self._limits)
        if isinstance(found, Seen) and not found.is_fresh:  # perhaps for what came before
            found = self._attempt(request, self._limits)
        if isinstance(found, AuditResult):
            return found
        kind = AuditStopped if end_of(found) is End.STOPPED else MachineUnfit
        raise kind(f"no report can be made: {self._reason(found)}")

    def _attempt(
        self, request: Request, limits: Limits, on_rows: OnRows | None = None
    ) -> AuditResult | Seen:
        """Audit once, and end the child unless it is as good as before."""
        is_fresh = not (self._child and self._child.is_idle)
        child = self._start(request.job) if is_fresh or self._child is None else self._child
        if isinstance(child, Seen):
            return child
        server = RangeServer(child.channel, request.sources, limits)
        is_sound = False
        try:
            attempt = Attempt(child, server, limits, is_fresh, on_rows)
            found = attempt.run(*request.question(limits, token_hex()))
            is_sound = isinstance(found, Judged) and not (
                found.needs_renewal or self._is_heavy(child)
            )
        finally:
            server.close()
            if not is_sound:
                self._end_child()
        if isinstance(found, Seen):
            return self._logged(found, request.job, child.stderr)
        if found.look_up_end and request.page:
            return self._without_look_up(request, found, limits)
        return found.result

    def _without_look_up(self, request: Request, found: Judged, limits: Limits) -> AuditResult:
        """Audit again for the sake of the page. It is not taken if the verdict is another one then,
        because the input cannot be read any more, for example.
        """
        reason = f"the look-up in Overture did not come to its end: {found.look_up_end}"
        without = replace(request, release=NoRelease(reason, may_pass=True))
        with suppress(OutputError):
            again = self._attempt(without, limits)
            if isinstance(again, AuditResult) and _verdict(again) == _verdict(found.result):
                return again
        return found.result

    def _start(self, job: GemJob) -> ChildProcess | Seen:
        self._end_child()
        try:
            self._child = child = ChildProcess(self._environment, self._limits.data_bytes)
        except OSError as error:
            return self._logged(Seen(was_ready=False, broken=str(error)), job)
        if self._is_closed:  # meanwhile
            self._end_child()
            raise AuditStopped("the audit engine is closed")
        if seen := wait_until_ready(child, self._limits.start_seconds):
            self._end_child()
            return self._logged(seen, job, child.stderr)
        return child

    def _end_child(self) -> None:
        if self._child:
            self._child.end()
            self._child = None

    def _is_heavy(self, child: ChildProcess) -> bool:
        """Whether it keeps more memory than it should between two audits, as far as one can see."""
        used = child.usage()
        return used is None or used.data_bytes > self._limits.idle_data_bytes

    def _reason(self, seen: Seen) -> str:
        limits = self._limits
        return reason_of(seen, cpu_seconds=limits.cpu_seconds, data_bytes=limits.data_bytes)

    def _logged(self, seen: Seen, job: GemJob, stderr: str = "") -> Seen:
        log(
            Event.AUDIT_PROCESS_ENDED,
            job_run_id=job.job_run_id,
            reason=self._reason(seen),
            fresh_process=seen.is_fresh,
            waited_seconds=round(seen.waited_seconds, 1),
            worked_seconds=round(seen.worked_seconds, 1),
            stderr=redacted(stderr),
        )
        return seen


def _verdict(result: AuditResult) -> tuple[Outcome, tuple[str, ...]]:
    """The outcome, and why the input was not compared."""
    return result.outcome, result.not_compared


def _give_up(conclusion: Conclusion, address: str, reason: str) -> NoReturn:
    match conclusion:
        case Conclusion.STORAGE_SLOW:
            raise OutputUnreachable(f"{address}: {reason}")
        case Conclusion.COUNT:
            raise AuditUnfinished(f"{address}: {reason}")
        case Conclusion.NOTHING:
            raise AuditStopped(f"{address}: {reason}")
        case _:
            raise MachineUnfit(f"this machine cannot audit: {reason}")
