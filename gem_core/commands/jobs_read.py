"""The stories of `jobs list` and `jobs show`. Edge: terminal."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gem_core.commands.exit_codes import COULD_NOT, DONE, NOT_SO, worst
from gem_core.commands.job_text import job_lines, jobs_table, trouble_table
from gem_core.commands.progress import ProgressLine
from gem_core.commands.table import plain
from gem_core.commands.terminal import complain, say, say_json, terminal_width
from gem_core.errors import OutputUnreachable, RecordUnreadable, RequestError
from gem_core.flows import find_trouble as finding
from gem_core.flows.job_documents import JobDocument, show_document
from gem_core.flows.list_jobs import MAX_PAGE
from gem_core.flows.list_jobs import list_jobs as list_page
from gem_core.flows.manage_jobs import show_job
from gem_core.wiring.environment import now
from gem_core.wiring.managers import state_manager


def list_jobs(*, stage: str | None, limit: int | None, after: str | None, as_json: bool) -> int:
    """Print jobs, as many as were asked for; without a limit all of them."""
    jobs, after = _jobs(stage, limit, after)
    if as_json:
        say_json({"jobs": jobs, "nextPage": after})
        return DONE
    say(jobs_table(jobs, now(), width=terminal_width()) if jobs else ["no jobs"])
    if after:
        say([f"more: --after {after}"])
    return DONE


def _jobs(
    stage: str | None, limit: int | None, after: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Jobs, and where a further listing goes on."""
    jobs: list[dict[str, Any]] = []
    size = None
    while True:
        left = MAX_PAGE if limit is None else limit - len(jobs)
        # Only jobs of a page are held against the stage, so that pages are long where there is one.
        size = size or (MAX_PAGE if stage else min(left, MAX_PAGE))
        page = list_page(state_manager(), {"limit": str(size), "after": after or ""})
        fits = [at for at, job in enumerate(page["jobs"]) if stage in {None, job["stage"]}]
        if limit is not None and len(fits) > left:
            # Only where a page ends can one go on: this one again, up to the last that is wanted.
            size = fits[left - 1] + 1
            continue
        jobs += [page["jobs"][at] for at in fits]
        size, after = None, page["nextPage"]
        if not after or len(jobs) == limit:
            return jobs, after


def list_trouble(*, as_json: bool) -> int:
    """Print the open jobs that need a look."""
    with ProgressLine(sys.stderr) as progress:
        jobs = finding.find_trouble(
            state_manager(), on_read=lambda done, of: progress.say(f"{done:,} of {of:,} open jobs")
        )
    if as_json:
        say_json({"jobs": jobs})
    else:
        say(
            trouble_table(jobs, now(), width=terminal_width())
            if jobs
            else ["no open job is in trouble"]
        )
    return DONE


def show_jobs(job_run_ids: Sequence[str], *, as_json: bool) -> int:
    """Print all that is known of jobs."""

    def show(job_run_id: str) -> None:
        job = show_job(state_manager(), job_run_id)
        if as_json:
            say_json(job)
        else:
            say(job_lines(job, now()))

    return worst(_known(show, job_run_id) for job_run_id in job_run_ids)


def show_papers(job_run_ids: Sequence[str], *, report: bool) -> int:
    """Print the last manifests of jobs, or their reports."""
    paper = JobDocument.REPORT if report else JobDocument.MANIFEST

    def show(job_run_id: str) -> None:
        say_json(json.loads(show_document(state_manager(), job_run_id, paper)))

    return worst(_known(show, job_run_id) for job_run_id in job_run_ids)


def write_page(job_run_ids: Sequence[str], file: Path) -> int:
    """Write the last report of a job as a page."""
    if len(job_run_ids) > 1:
        raise RequestError("--html takes one job")

    def write(job_run_id: str) -> None:
        page = show_document(state_manager(), job_run_id, JobDocument.PAGE)
        try:
            file.write_bytes(page)
        except OSError as error:
            raise OutputUnreachable(f"--html: {file}: {error.strerror}") from None

    return worst(_known(write, job_run_id) for job_run_id in job_run_ids)


def _known(do: Callable[[str], None], job_run_id: str) -> int:
    """Do it, unless there is no such job or paper; one that is unreadable holds up no other."""
    try:
        do(job_run_id)
    except RequestError as error:
        complain(plain(str(error)))
        return NOT_SO
    except RecordUnreadable as error:
        complain(plain(f"{job_run_id}: {error}"))
        return COULD_NOT
    return DONE
