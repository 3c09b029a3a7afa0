"""The report of an output that is not opened, made in this process: what the child must give."""

from dataclasses import replace

from gem_core.audit.audit import not_opened_report
from gem_core.audit.child.in_process import draw_page, result_of
from gem_core.audit.child.result import AuditResult, PageOptions
from gem_core.audit.judging.not_opened import NotOpened
from gem_core.audit.reading.source import Source
from gem_core.gem.job import GemJob


def not_opened_in_process(
    job: GemJob, why: NotOpened, output: Source | None, *, page: PageOptions | None = None
) -> AuditResult:
    """Report an output that is not opened; arguments are those of `Engine.not_opened`."""
    report = not_opened_report(job, why, output)
    drawn, problem = draw_page(report, output, page)
    result = replace(result_of(report), page_problem=problem)
    return replace(result, page=drawn.html, map_note=drawn.map_note) if drawn else result
