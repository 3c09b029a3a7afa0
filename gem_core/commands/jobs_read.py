"""Runs `jobs list` and `jobs show`. Edge: terminal."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gem_core.commands.exit_codes import COULD_NOT, DONE, NOT_SO, worst
from gem_core.commands.job_text import failed_checks, job_lines, jobs_table, trouble_table
from gem_core.commands.progress import ProgressLine
from gem_core.commands.table import plain
from gem_core.commands.terminal import print_error, print_json, print_lines, terminal_width
from gem_core.errors import OutputUnreachable, RecordUnreadable, RequestError
from gem_core.flows import find_trouble as finding
from gem_core.flows.job_documents import JobDocument, show_document
from gem_core.flows.job_query import MAX_PAGE
from gem_core.flows.list_jobs import list_jobs as list_page
from gem_core.flows.listed_details import with_details
from gem_core.flows.manage_jobs import show_job
from gem_core.wiring.environment import now
from gem_core.wiring.managers import state_manager


def list_jobs(
    query: Mapping[str, str], *, limit: int | None, after: str | None, as_json: bool
) -> int:
    """Print at most `limit` jobs; all of them when it is None. Returns the exit code.

    Args:
        query: which jobs, and in which order, as in the query of `GET /api/jobs`.
        limit: the most jobs.
        after: where an earlier listing ended; None begins with the first job.
        as_json: print JSON instead of a table.

    """
    jobs, after = _jobs(query, limit, after)
    with ProgressLine(sys.stderr) as progress:
        jobs = with_details(
            state_manager(), jobs, lambda done, of: progress.show(f"{done:,} of {of:,} jobs")
        )
    if as_json:
        print_json({"jobs": jobs, "nextPage": after})
        return DONE
    print_lines(jobs_table(jobs, now(), width=terminal_width()) if jobs else ["no jobs"])
    if after:
        print_lines([f"more jobs: --after {after}"])
    return DONE


def _jobs(
    query: Mapping[str, str], limit: int | None, after: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """At most `limit` jobs, and the token with which the next listing continues."""
    jobs: list[dict[str, Any]] = []
    while True:
        size = MAX_PAGE if limit is None else min(limit - len(jobs), MAX_PAGE)
        page = list_page(state_manager(), {**query, "limit": str(size), "after": after or ""})
        jobs += page["jobs"]
        after = page["nextPage"]
        if not after or len(jobs) == limit:
            return jobs, after


def list_trouble(*, as_json: bool) -> int:
    """Print the open jobs with a problem. Returns the exit code."""
    with ProgressLine(sys.stderr) as progress:
        jobs = finding.find_trouble(
            state_manager(), on_read=lambda done, of: progress.show(f"{done:,} of {of:,} open jobs")
        )
    if as_json:
        print_json({"jobs": jobs})
    else:
        print_lines(
            trouble_table(jobs, now(), width=terminal_width())
            if jobs
            else ["no open job is in trouble"]
        )
    return DONE


def show_jobs(job_run_ids: Sequence[str], *, as_json: bool) -> int:
    """Print the details of jobs. Returns the exit code."""

    def show(job_run_id: str) -> None:
        job = show_job(state_manager(), job_run_id)
        if as_json:
            print_json(job)
        else:
            failed = _failed_checks(job_run_id) if job["manifestId"] else []
            print_lines(job_lines(job, failed, now(), width=terminal_width()))

    return worst(_run(show, job_run_id) for job_run_id in job_run_ids)


def _failed_checks(job_run_id: str) -> list[str]:
    """Of the last manifest; none when it is not stored."""
    try:
        manifest = show_document(state_manager(), job_run_id, JobDocument.MANIFEST)
    except RequestError:
        return []
    return failed_checks(json.loads(manifest))


def show_documents(job_run_ids: Sequence[str], *, report: bool) -> int:
    """Print the last manifests of jobs, or their last reports. Returns the exit code."""
    document = JobDocument.REPORT if report else JobDocument.MANIFEST

    def show(job_run_id: str) -> None:
        print_json(json.loads(show_document(state_manager(), job_run_id, document)))

    return worst(_run(show, job_run_id) for job_run_id in job_run_ids)


def write_page(job_run_ids: Sequence[str], file: Path) -> int:
    """Write the last report of one job as an HTML page. Returns the exit code.

    Raises:
        RequestError: there is more than one job.
        OutputUnreachable: the file cannot be written.

    """
    if len(job_run_ids) > 1:
        raise RequestError("--html accepts only one job")

    def write(job_run_id: str) -> None:
        page = show_document(state_manager(), job_run_id, JobDocument.PAGE)
        try:
            file.write_bytes(page)
        except OSError as error:
            raise OutputUnreachable(f"--html: {file}: {error.strerror}") from None
        print_error(plain(f"the report of {job_run_id} was written to {file}"))

    return worst(_run(write, job_run_id) for job_run_id in job_run_ids)


def _run(action: Callable[[str], None], job_run_id: str) -> int:
    """Run the action for one job, and print the error if the job or document cannot be read."""
    try:
        action(job_run_id)
    except RequestError as error:
        print_error(plain(str(error)))
        return NOT_SO
    except RecordUnreadable as error:
        print_error(plain(f"{job_run_id}: {error}"))
        return COULD_NOT
    return DONE
