"""`jobs`: its arguments. The stories are imported when they run, since azure is slow to load."""

import argparse
from pathlib import Path
from typing import Any

from gem_core.commands.options import add_command, count

_STAGES = ("watching", "settled", "delivered")
_DEFAULT_LIMIT = 100
_MAX_LIMIT = 1_000_000


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command with its own commands."""
    parser = commands.add_parser(
        "jobs",
        help="list, show, register, check, redeliver, forget the jobs of a deployed app",
        description="The jobs of a deployed app, straight from its storage.",
    )
    jobs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_list(jobs)
    _add_show(jobs)
    _add_register(jobs)
    check = add_command(
        jobs, "check", about="Ask GEM about jobs now, due or not. Needs all settings.", run=_check
    )
    _add_ids(check)
    redeliver = add_command(
        jobs,
        "redeliver",
        about="Deliver settled jobs once more, from their outputs as they are now.\n"
        "The app does the delivery; the same output under the same rules keeps its manifest id.",
        run=_redeliver,
    )
    _add_ids(redeliver)
    forget = add_command(
        jobs,
        "forget",
        about="Stop watching jobs and forget them; their reports stay.\n"
        "A job that was not delivered yet will never be.",
        run=_forget,
    )
    _add_ids(forget)
    forget.add_argument("--yes", action="store_true", help="do not ask")


def _add_list(jobs: "argparse._SubParsersAction[Any]") -> None:
    parser = add_command(jobs, "list", about="List jobs, by id; or what needs a look.", run=_list)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--stage", choices=_STAGES, help="only jobs of this stage")
    which.add_argument(
        "--trouble",
        action="store_true",
        help="open jobs that need a look, the oldest trouble first: settled and not delivered, "
        "overdue, GEM does not answer, 404, unknown status, unreadable record",
    )
    many = parser.add_mutually_exclusive_group()
    many.add_argument(
        "--limit",
        type=count(_MAX_LIMIT),
        metavar="N",
        help=f"at most so many jobs ({_DEFAULT_LIMIT})",
    )
    many.add_argument("--all", action="store_true", help="all jobs")
    parser.add_argument("--after", metavar="TOKEN", help="go on where a former listing ended")
    parser.set_defaults(refuse=parser.error)


def _add_show(jobs: "argparse._SubParsersAction[Any]") -> None:
    parser = add_command(jobs, "show", about="Show all that is known of jobs.", run=_show)
    _add_ids(parser)
    paper = parser.add_mutually_exclusive_group()
    paper.add_argument(
        "--manifest", action="store_true", help="print the last manifest, as it was sent"
    )
    paper.add_argument("--report", action="store_true", help="print the last report, as JSON")
    paper.add_argument(
        "--html", metavar="FILE", type=Path, help="write the last report as an HTML page"
    )


def _add_register(jobs: "argparse._SubParsersAction[Any]") -> None:
    parser = add_command(
        jobs, "register", about="Watch jobs from now on; one that is known stays.", run=_register
    )
    _add_ids(parser)
    parser.add_argument(
        "--label",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="handed back in the manifest; may be repeated",
    )
    parser.add_argument(
        "--expected-input-name", metavar="NAME", help="compared with the name that GEM reports"
    )


def _add_ids(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("jobs", metavar="JOB", nargs="+", help="a job id")


def _list(arguments: argparse.Namespace) -> int:
    if arguments.trouble and (arguments.limit or arguments.all or arguments.after):
        arguments.refuse("--trouble lists all of it, and takes no --limit, --all or --after")
    from gem_core.commands.jobs_read import list_jobs, list_trouble  # noqa: PLC0415 - imports azure

    if arguments.trouble:
        return list_trouble(as_json=arguments.json)
    return list_jobs(
        stage=arguments.stage,
        limit=None if arguments.all else arguments.limit or _DEFAULT_LIMIT,
        after=arguments.after,
        as_json=arguments.json,
    )


def _show(arguments: argparse.Namespace) -> int:
    from gem_core.commands import jobs_read  # noqa: PLC0415 - imports azure

    if arguments.html:
        return jobs_read.write_page(arguments.jobs, arguments.html)
    if arguments.manifest or arguments.report:
        return jobs_read.show_papers(arguments.jobs, report=arguments.report)
    return jobs_read.show_jobs(arguments.jobs, as_json=arguments.json)


def _register(arguments: argparse.Namespace) -> int:
    from gem_core.commands.jobs_change import register  # noqa: PLC0415 - imports azure

    return register(
        arguments.jobs,
        labels=arguments.label,
        expected_input_name=arguments.expected_input_name,
        as_json=arguments.json,
    )


def _check(arguments: argparse.Namespace) -> int:
    from gem_core.commands.jobs_change import check  # noqa: PLC0415 - imports azure

    return check(arguments.jobs, as_json=arguments.json)


def _redeliver(arguments: argparse.Namespace) -> int:
    from gem_core.commands.jobs_change import redeliver  # noqa: PLC0415 - imports azure

    return redeliver(arguments.jobs, as_json=arguments.json)


def _forget(arguments: argparse.Namespace) -> int:
    from gem_core.commands.jobs_change import forget  # noqa: PLC0415 - imports azure

    return forget(arguments.jobs, yes=arguments.yes, as_json=arguments.json)
