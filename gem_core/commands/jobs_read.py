"""The stories of `jobs list` and `jobs show`. Edge: terminal."""

import sys
from collections.abc import Sequence
from typing import Any

from gem_core.commands.job_text import job_lines, jobs_table, trouble_table
from gem_core.commands.outcome import DONE, NOT_SO, worst
from gem_core.commands.progress import Progress
from gem_core.commands.terminal import say, say_json, terminal_width
from gem_core.errors import RequestError
from gem_core.flows import find_trouble as finding
from gem_core.flows.manage_jobs import MAX_PAGE, Desk, show_job, show_manifest
from gem_core.flows.manage_jobs import list_jobs as list_page
from gem_core.wiring import now, state_desk


def list_jobs(
    *, stage: str | None, limit: int, after: str | None, every: bool, as_json: bool
) -> int:
    """Print pages of jobs until there are as many as were asked for."""
    # Only jobs of a page are held against the stage, so that pages are long where there is one.
    size = max(limit, MAX_PAGE) if stage or every else limit
    jobs: list[dict[str, Any]] = []
    while True:
        page = list_page(
            state_desk(), {"stage": stage or "", "limit": str(size), "after": after or ""}
        )
        jobs += page["jobs"]
        after = page["nextPage"]
        if not after or (len(jobs) >= limit and not every):
            break
    if as_json:
        say_json({"jobs": jobs, "nextPage": after})
        return DONE
    say(jobs_table(jobs, now(), width=terminal_width()) if jobs else ["no jobs"])
    if after:
        say([f"more: --after {after}"])
    return DONE


def list_trouble(*, as_json: bool) -> int:
    """Print the open jobs that need a look."""
    with Progress(sys.stderr) as progress:
        jobs = finding.find_trouble(
            state_desk(), on_read=lambda done, of: progress.say(f"{done:,} of {of:,} open jobs")
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


def show_jobs(job_run_ids: Sequence[str], *, manifest: bool, as_json: bool) -> int:
    """Print all that is known of jobs, or their manifests."""
    desk = state_desk()
    return worst(_show(desk, each, manifest=manifest, as_json=as_json) for each in job_run_ids)


def _show(desk: Desk, job_run_id: str, *, manifest: bool, as_json: bool) -> int:
    try:
        if manifest:
            say_json(show_manifest(desk, job_run_id))
        elif as_json:
            say_json(show_job(desk, job_run_id))
        else:
            say(job_lines(show_job(desk, job_run_id), now()))
    except RequestError as error:  # unknown, or without a manifest
        sys.stderr.write(f"{error}\n")
        return NOT_SO
    return DONE
