"""The arguments of `jobs`. Its work is imported when it runs: azure is slow to import."""

import argparse
from pathlib import Path
from typing import Any

from gem_core.commands.options import add_command, add_group, count, name_and_value
from gem_core.outcome import Outcome

_STAGES = ("watching", "settled", "delivered")
_SORTS = {"id": "id", "newest": "-changedAt"}
"""The words of the command for those of a query (`flows.job_query`)."""
_DEFAULT_LIMIT = 100
_MAX_LIMIT = 1_000_000


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command and its actions."""
    jobs = add_group(
        commands,
        "jobs",
        about="list, show, register, check, redeliver or forget jobs of a deployed app",
        description="Manage the jobs of a deployed app through its storage.",
    )
    _add_list(jobs)
    _add_show(jobs)
    _add_register(jobs)
    check = add_command(
        jobs,
        "check",
        about="Ask GEM about jobs now, even if they are not due. Needs all settings.",
        run=_check,
    )
    _add_ids(check)
    redeliver = add_command(
        jobs,
        "redeliver",
        about="Deliver settled jobs again, from their current outputs.\n"
        "The app does the delivery. The same output and rules give the same manifest id.",
        run=_redeliver,
    )
    _add_ids(redeliver)
    route = redeliver.add_mutually_exclusive_group()
    route.add_argument(
        "--route",
        metavar="NAME",
        help="send the last manifest to this route only, again or at once; nothing is audited. "
        "NAME is the name of a queue, or default",
    )
    route.add_argument(
        "--drop-route",
        metavar="NAME",
        help="stop trying to send the manifest to this route, which fails",
    )
    forget = add_command(
        jobs,
        "forget",
        about="Stop watching jobs and delete their records. Their reports stay.\n"
        "A forgotten job that was not delivered yet will never be delivered.",
        run=_forget,
    )
    _add_ids(forget)
    forget.add_argument("--yes", action="store_true", help="do not ask for confirmation")


def _add_list(jobs: "argparse._SubParsersAction[Any]") -> None:
    parser = add_command(jobs, "list", about="List jobs.", run=_list)
    parser.add_argument("--stage", choices=_STAGES, help="only jobs in this stage")
    parser.add_argument(
        "--outcome", choices=[*map(str, Outcome)], metavar="OUTCOME",
        help=f"only jobs whose last manifest has this outcome: {', '.join(Outcome)}",
    )  # fmt: skip
    parser.add_argument(
        "--label",
        type=name_and_value,
        metavar="NAME=VALUE",
        help="only jobs with this label; reads the record of each job that may have it",
    )
    parser.add_argument(
        "--sort",
        choices=_SORTS,
        help="by id, or the jobs that changed last first (id)",
    )
    parser.add_argument(
        "--trouble",
        action="store_true",
        help="only open jobs with a problem, the oldest problem first: settled and not delivered, "
        "overdue, GEM does not answer, 404, unknown status, unreadable record",
    )
    number = parser.add_mutually_exclusive_group()
    number.add_argument(
        "--limit",
        type=count(_MAX_LIMIT),
        metavar="N",
        help=f"list at most N jobs ({_DEFAULT_LIMIT})",
    )
    number.add_argument("--all", action="store_true", help="list all jobs")
    parser.add_argument(
        "--after", metavar="TOKEN", help="continue after an earlier listing, which printed TOKEN"
    )
    parser.set_defaults(refuse=parser.error)


def _add_show(jobs: "argparse._SubParsersAction[Any]") -> None:
    parser = add_command(jobs, "show", about="Show the details of jobs.", run=_show)
    _add_ids(parser)
    document = parser.add_mutually_exclusive_group()
    document.add_argument(
        "--manifest", action="store_true", help="print the last manifest, exactly as it was sent"
    )
    document.add_argument("--report", action="store_true", help="print the last report as JSON")
    document.add_argument(
        "--html", metavar="FILE", type=Path, help="write the last report as an HTML page"
    )


def _add_register(jobs: "argparse._SubParsersAction[Any]") -> None:
    parser = add_command(
        jobs,
        "register",
        about="Start to watch jobs. A job that is already registered does not change.",
        run=_register,
    )
    _add_ids(parser)
    parser.add_argument(
        "--label",
        action="append",
        type=name_and_value,
        default=[],
        metavar="NAME=VALUE",
        help="a label, which the manifest repeats; the option may be used several times",
    )
    parser.add_argument(
        "--expected-input-name",
        metavar="NAME",
        help="the name of the input file; the audit compares it with the name that GEM reports",
    )


def _add_ids(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("jobs", metavar="JOB", nargs="+", help="a job id")


def _list(arguments: argparse.Namespace) -> int:
    query = {
        "stage": arguments.stage,
        "outcome": arguments.outcome,
        "label": arguments.label and ":".join(arguments.label),
        "sort": arguments.sort and _SORTS[arguments.sort],
    }
    others = (*query.values(), arguments.limit, arguments.all, arguments.after)
    if arguments.trouble and any(others):
        arguments.refuse("--trouble accepts no other selection")
    from gem_core.commands.jobs_read import list_jobs, list_trouble  # noqa: PLC0415 - imports azure

    if arguments.trouble:
        return list_trouble(as_json=arguments.json)
    return list_jobs(
        {name: word for name, word in query.items() if word},
        limit=None if arguments.all else arguments.limit or _DEFAULT_LIMIT,
        after=arguments.after,
        as_json=arguments.json,
    )


def _show(arguments: argparse.Namespace) -> int:
    from gem_core.commands import jobs_read  # noqa: PLC0415 - imports azure

    if arguments.html:
        return jobs_read.write_page(arguments.jobs, arguments.html)
    if arguments.manifest or arguments.report:
        return jobs_read.show_documents(arguments.jobs, report=arguments.report)
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
    from gem_core.commands import jobs_change  # noqa: PLC0415 - imports azure

    if arguments.drop_route is not None:
        return jobs_change.drop_route(arguments.jobs, arguments.drop_route, as_json=arguments.json)
    return jobs_change.redeliver(arguments.jobs, arguments.route, as_json=arguments.json)


def _forget(arguments: argparse.Namespace) -> int:
    from gem_core.commands.jobs_change import forget  # noqa: PLC0415 - imports azure

    return forget(arguments.jobs, yes=arguments.yes, as_json=arguments.json)
