"""The story of an audit: open, read once, fold into facts, judge."""

from contextlib import closing, nullcontext
from dataclasses import dataclass, field, replace

from gem_core.audit.against_input.input_facts import InputFacts
from gem_core.audit.against_input.input_file import InputFile, open_input_file
from gem_core.audit.against_input.values import ValueFacts, compare_values
from gem_core.audit.contract import ID, promises_of
from gem_core.audit.ids.bounded import DiskBoundIds
from gem_core.audit.ids.facts import IdLimits
from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.job_statistics import confidence_floor
from gem_core.audit.judging.report import Report, judge
from gem_core.audit.parquet.opened_file import DataFault, Fault, OpenedFile, TooMuch, open_parquet
from gem_core.audit.parquet.threads import two_at_once
from gem_core.audit.reading.range_file import RangeFile
from gem_core.audit.reading.source import Source
from gem_core.audit.rows.gers import expected_form
from gem_core.audit.rows.profile import Profiler
from gem_core.audit.rows.progress import OnRows, Pass
from gem_core.audit.rows.row_rules import Terms
from gem_core.gem.contracts.contract import Role
from gem_core.gem.job import GemJob


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """What an audit may take, and how far it goes."""

    id_limits: IdLimits = field(default_factory=IdLimits)
    two_threads: bool | None = None
    """Decode a large output in two threads; None does so on two processors. What is found is the
    same."""
    with_values: bool = False
    """Compare every value of the input's columns too, which reads both files whole."""


DEFAULT_OPTIONS = AuditOptions()


def audit(
    output: Source,
    job: GemJob,
    *,
    input_source: Source | None,
    input_note: str = "",
    expected_input: str | None = None,
    on_rows: OnRows | None = None,
    options: AuditOptions = DEFAULT_OPTIONS,
) -> Report:
    """Judge one version of an output. A file that breaks its promises is a report.

    Args:
        output: the version to judge.
        job: what GEM says of the job; its names and statistics are held against the output.
        input_source: the file that the job was given, if it can be read.
        input_note: why there is none.
        expected_input: the input's name as expected when the job was registered.
        on_rows: told of progress after every batch.
        options: what it may take, and how far it goes.

    Raises:
        OutputChanged: the output was overwritten or deleted while it was read.
        OutputUnreachable: the output could not be read; says nothing about it.

    """
    facts = Facts(
        job=job,
        name=output.name,
        size_bytes=output.size_bytes,
        input=InputFacts("the output is no readable Parquet"),
        expected_input=expected_input,
        values=ValueFacts() if options.with_values else None,
    )
    with RangeFile(output) as file:
        opened = open_parquet(file)
        if isinstance(opened, Fault):
            facts = replace(facts, fault=opened)
        else:
            with closing(open_input_file(input_source, input_note)) as input_file:
                facts = _found(replace(facts, opened=opened), opened, input_file, on_rows, options)
        return judge(facts, bytes_read=file.bytes_read, requests=file.requests)


def changed_report(output: Source, job: GemJob) -> Report:
    """Make the report of an output that changed each time it was read."""
    return judge(
        Facts(
            job=job,
            name=output.name,
            size_bytes=output.size_bytes,
            input=InputFacts("the output changed while it was read"),
            changed="it was overwritten each time while it was read",
        ),
        bytes_read=0,
        requests=0,
    )


def given_up_report(output: Source, job: GemJob, *, begun: int) -> Report:
    """Make the report of an output whose audit has begun so often and never ended."""
    return judge(
        Facts(
            job=job,
            name=output.name,
            size_bytes=output.size_bytes,
            input=InputFacts("the audit was given up"),
            given_up=f"{begun} audits of it began, and none ended",
        ),
        bytes_read=0,
        requests=0,
    )


def refused_report(job: GemJob, reason: str) -> Report:
    """Make the report of an output that was not asked for, since GEM's names are none."""
    unread = InputFacts("the output was not read")
    return judge(
        Facts(job=job, name=None, size_bytes=None, input=unread, refused=reason),
        bytes_read=0,
        requests=0,
    )


def _found(
    facts: Facts,
    opened: OpenedFile,
    input_file: InputFile,
    on_rows: OnRows | None,
    options: AuditOptions,
) -> Facts:
    """Read the rows."""
    two = two_at_once() if options.two_threads is None else options.two_threads
    promises = promises_of(facts.job)
    apart = opened.costliest(promises.usable(opened.schema).names) if two else None
    facts = _read(
        replace(facts, decoded_apart=apart), opened, input_file, on_rows, options.id_limits
    )
    if options.with_values and not facts.broken_off:
        facts = _compare(facts, opened, input_file, on_rows, two_threads=two)
    return replace(facts, input=input_file.facts(opened.schema, promises.added))


def _read(
    facts: Facts,
    opened: OpenedFile,
    input_file: InputFile,
    on_rows: OnRows | None,
    id_limits: IdLimits,
) -> Facts:
    """Stream the needed columns once."""
    usable = promises_of(facts.job).usable(opened.schema)
    if not usable.columns:
        return facts
    terms = Terms(confidence_floor(facts.job), expected_form(facts.job.overture_release))
    profiler = Profiler(usable, terms)
    ids = (
        DiskBoundIds(opened, usable, input_file.ids(), id_limits, not_compared=input_file.note)
        if Role.ID in usable.columns
        else None
    )
    found, done = None, 0
    try:
        with closing(ids) if ids else nullcontext():
            for batch in opened.batches(
                usable.names, apart=facts.decoded_apart, as_dictionary=usable.repeating
            ):
                matched = profiler.add(batch)
                if ids:
                    ids.add(batch.column(ID), matched)
                done += batch.num_rows
                if on_rows:
                    on_rows(Pass.CHECKED, done, opened.rows)
            if ids:
                found = ids.finish()
    except DataFault as fault:
        return _stopped(facts, fault)
    return replace(facts, profile=profiler.profile(), ids=found, ids_fault=ids.fault if ids else "")


def _compare(
    facts: Facts,
    opened: OpenedFile,
    input_file: InputFile,
    on_rows: OnRows | None,
    *,
    two_threads: bool,
) -> Facts:
    """Stream all of the input's columns, of both files."""
    rows = input_file.rows()
    if not rows:
        return replace(facts, values=ValueFacts(stopped=input_file.note))
    try:
        values = compare_values(
            opened, rows, promises_of(facts.job).added, on_rows, two_threads=two_threads
        )
    except DataFault as fault:
        return _stopped(facts, fault)
    return replace(facts, values=values)


def _stopped(facts: Facts, fault: DataFault) -> Facts:
    """Why the rows were not read to the end."""
    if isinstance(fault, TooMuch):
        return replace(facts, too_much=str(fault))
    return replace(facts, data_fault=str(fault))
