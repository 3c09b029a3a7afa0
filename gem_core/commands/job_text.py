"""Jobs and poison messages as text for people, from the JSON of the HTTP endpoints. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from gem_core.commands.table import Column, age, plain, table, wrapped
from gem_core.gem.contracts.known import read_stored
from gem_core.watch.trouble import in_a_row, times

_LABEL = 12


def jobs_table(jobs: Sequence[Mapping[str, Any]], now: datetime, *, width: int) -> list[str]:
    """A table of jobs, as `listed_details` gives them."""
    columns = (Column("JOB"), Column("STATE"), Column("CHANGED"), Column("LABELS"))
    rows = [
        (job["jobRunId"], _state(job), age(job["changedAt"], now), _labels(job["labels"]) or "-")
        for job in jobs
    ]
    return table(columns, rows, width=width)


def _state(job: Mapping[str, Any]) -> str:
    """The stage, and what is known beyond it: GEM's status with progress, or the outcome."""
    running = f" {job['progress']:g}%" if job["progress"] is not None else ""
    if job["stage"] == "watching":
        return f"watching: {job['status']}{running}" if job["status"] else "watching"
    known = job["outcome"] or job["status"]
    return f"{job['stage'] or 'unknown'}{f': {known}' if known else ''}"


def _labels(labels: Mapping[str, str] | None) -> str:
    return ", ".join(f"{name}={text}" for name, text in (labels or {}).items())


def trouble_table(jobs: Sequence[Mapping[str, Any]], now: datetime, *, width: int) -> list[str]:
    """A table of the jobs that a person must look at."""
    columns = (
        Column("JOB"),
        Column("STAGE"),
        Column("TROUBLE"),
        Column("FOR"),
        Column("PROBLEM"),
    )
    rows = [
        (
            job["jobRunId"],
            job["stage"] or "-",
            job["trouble"],
            age(job["since"], now),
            job["problem"],
        )
        for job in jobs
    ]
    return table(columns, rows, width=width)


def poison_table(messages: Sequence[Mapping[str, Any]], now: datetime, *, width: int) -> list[str]:
    """A table of poison messages. A message of an unknown form is shown as text."""
    columns = (
        Column("JOB"),
        Column("STAGE"),
        Column("TICKETS"),
        Column("AGE"),
        Column("DELETED"),
        Column("QUEUE, TEXT OR JOBS"),
    )
    rows = [
        (
            each["jobRunId"] or ("a batch of jobs" if each["isBatch"] else "unknown"),
            each["stage"] or "-",
            "-" if each["tickets"] is None else str(each["tickets"]),
            age(each["since"], now),
            age(each["expiresAt"], now),
            f"{each['queue']}: {each['text'] or ', '.join(each['jobRunIds'])}".removesuffix(": "),
        )
        for each in messages
    ]
    return table(columns, rows, width=width)


def poison_counts(queues: Sequence[Mapping[str, Any]]) -> list[str]:
    """How many messages each poison queue has, and whether all of them are listed."""
    return [
        f"{each['queue']}: {each['messages']} messages"
        + (f", of which the first {each['listed']} are listed" if _has_more(each) else "")
        for each in queues
    ]


def _has_more(queue: Mapping[str, Any]) -> bool:
    return bool(queue["listed"] < queue["messages"])


def job_lines(
    job: Mapping[str, Any], failed: Sequence[str], now: datetime, *, width: int
) -> list[str]:
    """The details of one job, each on a line of its own.

    Args:
        job: as `show_job` gives it.
        failed: severity and name of each failed check of the last manifest.
        now: the moment from which ages are counted.
        width: width of the terminal in characters.

    """
    lines = [
        ("stage", _stage(job, now)),
        ("postponed", _postponed(job, now)),
        ("outcome", job["outcome"]),
        ("failed", ", ".join(failed)),
        ("registered", f"{job['registeredAt']} ({age(job['registeredAt'], now)} ago)"),
        ("labels", _labels(job["labels"])),
        ("input", _expected(job)),
        ("checked", _checked(job, now)),
        ("problem", job["lastProblem"]),
        ("GEM says", _answer(job)),
        *(("" if n else "history", f"{seen['at']} {seen['status']}")
          for n, seen in enumerate(job["history"])),
        ("manifest", job["manifestId"]),
        ("sent to", ", ".join(f"{name} {at}" for name, at in job["sentTo"].items())),
        ("not sent to", ", ".join((job["attempts"] or {}).get("pending", ()))),
        ("report", job.get("reportUrl")),
    ]  # fmt: skip
    return [plain(job["jobRunId"])] + [
        part
        for label, text in lines
        if text
        for part in wrapped(plain(f"  {label:<{_LABEL}}{text}"), width, indent=_LABEL + 2)
    ]


def failed_checks(manifest: Mapping[str, Any]) -> list[str]:
    """Severity and name of each failed check of a manifest."""
    checks = (manifest.get("data") or {}).get("checks") or {}
    return [
        f"{line['severity']} {line['name']}"
        for line in checks.get("notPassed") or ()
        if line["verdict"] == "failed"
    ]


def _stage(job: Mapping[str, Any], now: datetime) -> str:
    if job["stage"] == "watching":
        return f"watching, next check {_due(job['dueAt'], now)}"
    settled = f"{job['stage']}: {job['settlement']} {age(job['settledAt'], now)} ago"
    if job["stage"] == "delivered":
        return f"{settled}, manifest sent {age(job['deliveredAt'], now)} ago"
    return f"{settled}, ticket raised {times(job['tickets'])}, next {_due(job['dueAt'], now)}"


def _postponed(job: Mapping[str, Any], now: datetime) -> str:
    last = (job["attempts"] or {}).get("postponement")
    if not last:
        return ""
    return f"{times(last['times'])}, first {age(last['since'], now)} ago: {last['reason']}"


def _due(at: str, now: datetime) -> str:
    until = age(at, now)
    return until if until.startswith("in ") else f"due for {until}"


def _expected(job: Mapping[str, Any]) -> str:
    name = job["expectedInputName"]
    return f"expected {name} (from the registration)" if name else ""


def _checked(job: Mapping[str, Any], now: datetime) -> str:
    text = f"{times(job['timesChecked'])}, last {age(job['checkedAt'], now)} ago"
    if job["failures"]:
        text += f", no answer {in_a_row(job['failures'])}"
    if job["notFound"]:
        text += f", 404 {in_a_row(job['notFound'])}"
    return text if job["timesChecked"] else "never"


def _answer(record: Mapping[str, Any]) -> str:
    answer = record["lastAnswer"]
    if answer is None:
        return ""
    job = read_stored(answer, job_run_id=record["jobRunId"], contract=record["contract"])
    parts = {
        "status": job.status_text or None,
        "progress": job.progress,
        "storage": job.storage_id,
        "input": job.input_name,
        "output": job.output_name,
        "error": job.message or answer.get("error"),
        "contract": job.contract,
    }
    shown = [f"{name} {value}" for name, value in parts.items() if value is not None]
    return "; ".join((", ".join(shown), *job.drift))
