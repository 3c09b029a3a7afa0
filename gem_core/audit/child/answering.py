"""The child's life: it answers the questions of the parent. Edge: process, connection."""

import os
import sys
import threading
import time
import traceback
from dataclasses import dataclass, replace
from queue import SimpleQueue

from gem_core.audit.audit import audit, look_up_ids, not_opened_report
from gem_core.audit.child.confine import allow_cpu
from gem_core.audit.child.frames import MAX_BODY_BYTES, Channel
from gem_core.audit.child.in_process import draw_page, result_of
from gem_core.audit.child.messages import (
    INPUT,
    OUT_OF_MEMORY,
    OUTPUT,
    PARENT_GONE,
    Begun,
    Crashed,
    Done,
    FileFacts,
    OutputUnread,
    Progress,
    Question,
    RangeFailed,
    RangeRead,
    Ready,
    Result,
)
from gem_core.audit.child.remote_source import Ranges, RemoteSource, remote_source
from gem_core.audit.judging.report import Report
from gem_core.audit.overture.release import Release
from gem_core.audit.parquet.reader_errors import in_short, is_shortage
from gem_core.audit.rows.progress import Pass
from gem_core.errors import OutputError

_PROGRESS_SECONDS = 0.1
"""Between two messages about progress, at least."""
_STACK_BYTES = 1 << 20
"""Of a thread. The usual 8 MiB of ten threads, never used, would count against the memory."""


def answer_questions(channel: Channel) -> None:
    """Answer until the parent ends the connection, which ends the process.

    Raises:
        MemoryError: there was too little. The process is to end.

    """
    threading.stack_size(_STACK_BYTES)
    ranges = Ranges(channel)
    questions = SimpleQueue[tuple[Question, bytes]]()
    threading.Thread(target=_receive, args=(channel, ranges, questions), daemon=True).start()
    channel.send(Ready())
    while True:
        question, heads = questions.get()
        _Answer(channel, ranges, question, heads).give()


def _receive(
    channel: Channel, ranges: Ranges, questions: "SimpleQueue[tuple[Question, bytes]]"
) -> None:
    """Receive, and do nothing else: the parent must never wait for a thread that is busy."""
    code = PARENT_GONE
    try:
        while True:
            message, body = channel.receive()
            if isinstance(message, RangeRead | RangeFailed):
                ranges.take(message, body)
            elif isinstance(message, Question):
                questions.put((message, body))
    except MemoryError:
        sys.stderr.write("MemoryError: no room for a range\n")
        code = OUT_OF_MEMORY
    finally:
        os._exit(code)


@dataclass(slots=True)
class _Answer:
    """The answer to one question."""

    channel: Channel
    ranges: Ranges
    question: Question
    heads: bytes
    reported_at: float = 0.0
    """When progress was last reported, by the monotonic clock in seconds."""

    def give(self) -> None:
        """Audit and send the verdict; look ids up and send it again; draw and send the page."""
        self.channel.send(Begun(self.question.token))
        output = self._output()
        allow_cpu(self.question.cpu_seconds)
        try:
            report = self._report(output)
            self._send_verdict(report)
        except OutputError:
            self.channel.send(OutputUnread())
            return
        except Exception as error:  # noqa: BLE001 - a file that causes it must get an answer
            if is_shortage(error):
                raise MemoryError(in_short(error)) from None
            traceback.print_exc(file=sys.stderr)
            self.channel.send(Crashed(f"{type(error).__name__}: {in_short(error)}"))
            return
        if release := self._release():
            allow_cpu(self.question.look_up_cpu_seconds)
            assert output  # noqa: S101 - only an audited output has ids to look up
            report = look_up_ids(report, output, release, self.question.options)
            self._send_verdict(report)
        allow_cpu(self.question.page_cpu_seconds)
        page, problem = draw_page(report, output, self.question.page)
        body = page.html.encode() if page else b""
        if len(body) > MAX_BODY_BYTES:
            body, problem = b"", f"the page has {len(body)} bytes"
        needs_renewal = bool(problem or self._has_unread_file(report))
        self.channel.send(Done(problem, needs_renewal, page.map_note if page else ""), body)

    def _send_verdict(self, report: Report) -> None:
        result = result_of(report, with_rows=self.question.options.failing_rows > 0)
        self.channel.send(Result(replace(result, failures=None)), result.failures or b"")

    def _report(self, output: RemoteSource | None) -> Report:
        if why := self.question.not_opened:
            return not_opened_report(self.question.job, why, output)
        assert output  # noqa: S101 - only a report that is not of an audit has none
        report = audit(
            output,
            self.question.job,
            input_source=self._input(),
            input_note=self.question.input_note,
            expected_input=self.question.expected_input,
            on_rows=self._report_progress if self.question.with_progress else None,
            options=self.question.options,
        )
        if reason := self.question.no_release:
            report = look_up_ids(report, output, reason, self.question.options)
        return report

    def _output(self) -> RemoteSource | None:
        facts = self.question.output
        return self._source(OUTPUT, facts, 0) if facts else None

    def _input(self) -> RemoteSource | None:
        output, facts = self.question.output, self.question.input_file
        return self._source(INPUT, facts, output.head_bytes) if output and facts else None

    def _release(self) -> Release | None:
        facts = self.question.release
        if facts is None:
            return None
        first = INPUT + (self.question.input_file is not None)
        files = [
            self._source(number, each, 0)
            for number, each in enumerate((*facts.files, facts.listing), first)
        ]
        return Release(
            facts.name,
            facts.parts,
            tuple(files[:-1]),
            files[-1],
            facts.registry_note,
            facts.next_name,
            facts.unproven,
            facts.stands_in_for,
        )

    def _source(self, number: int, facts: FileFacts, start: int) -> RemoteSource:
        head = self.heads[start : start + facts.head_bytes]
        return remote_source(facts, head, lambda *span: self.ranges.read(number, *span))

    def _has_unread_file(self, report: Report) -> bool:
        """Whether a file could not be read, which may have left this process in a bad state."""
        facts = report.facts
        asked = self.question.release is not None
        look_up_failed = bool(asked and facts.overture and facts.overture.problem)
        input_unread = facts.input.name and facts.input.note and not facts.input.lost
        output_unread = facts.broken_off or not (facts.opened or self.question.not_opened)
        return bool(input_unread or output_unread or look_up_failed)

    def _report_progress(self, doing: Pass, done: int, total: int) -> None:
        now = time.monotonic()
        if done >= total or now - self.reported_at >= _PROGRESS_SECONDS:
            self.reported_at = now
            self.channel.send(Progress(doing, done, total))
