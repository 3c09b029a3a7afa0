"""The story of an audit: open, read once, fold into facts, judge; then look the GERS ids up."""

from contextlib import closing, nullcontext
from dataclasses import dataclass, replace

from gem_core.audit.against_input.input_facts import InputFacts
from gem_core.audit.against_input.input_file import InputFile, open_input_file
from gem_core.audit.against_input.values import ValueFacts, compare_values
from gem_core.audit.contract import ID, Promises, UsableColumns, promises_of
from gem_core.audit.ids.bounded import DiskBoundIds
from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.job_statistics import confidence_floor
from gem_core.audit.judging.not_opened import NotOpened
from gem_core.audit.judging.report import Report, judge
from gem_core.audit.options import DEFAULT_OPTIONS, AuditOptions
from gem_core.audit.overture.facts import OvertureFacts
from gem_core.audit.overture.look_up import look_up
from gem_core.audit.overture.release import NoRelease, Release
from gem_core.audit.parquet.opened_file import OpenedFile, open_parquet
from gem_core.audit.parquet.reader_errors import DataFault, Unsupported, in_short
from gem_core.audit.reading.range_file import RangeFile
from gem_core.audit.reading.source import Source
from gem_core.audit.rows.example import EXAMPLES
from gem_core.audit.rows.gers import expected_format
from gem_core.audit.rows.profile import Profiler
from gem_core.audit.rows.progress import OnRows, Pass
from gem_core.audit.rows.row_rules import Terms
from gem_core.gem.contracts.layout import Role
from gem_core.gem.job import GemJob


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
        job: GEM's answer about the job; its names and statistics are compared with the output.
        input_source: the input file of the job, if it can be read.
        input_note: why there is no input file to read.
        expected_input: the input's name as expected when the job was registered.
        on_rows: called with the progress after every batch.
        options: what the audit may use, and how much it compares.

    Raises:
        OutputChanged: the output was overwritten or deleted while it was read.
        OutputUnreachable: the output could not be read; says nothing about it.
        MemoryError: there was too little; says nothing about either file.

    """
    with RangeFile(output) as file:
        facts = Facts(
            job=job,
            file=open_parquet(file),
            name=output.name,
            size_bytes=output.size_bytes,
            input=InputFacts("the output is not readable Parquet", asked=options.with_input),
            expected_input=expected_input,
            values=ValueFacts() if options.with_values else None,
            overture=_NOT_ENDED if options.overture else None,
        )
        if facts.opened:
            promises = promises_of(job, facts.opened.schema)
            unknown = InputFacts("the layout of the output is not known", asked=options.with_input)
            facts = replace(facts, promises=promises, input=facts.input if promises else unknown)
        if facts.opened and facts.promises:
            with closing(open_input_file(input_source, input_note)) as input_file:
                files = _Reading(facts.opened, input_file, facts.promises, on_rows, options)
                facts = _read(facts, files)
        return judge(facts, bytes_read=file.bytes_read, requests=file.requests)


def look_up_ids(
    report: Report, output: Source, release: Release | NoRelease, options: AuditOptions
) -> Report:
    """The report of an audit, with its output's GERS ids looked up in their release.

    Whatever prevents it is a reason in the report: the audit stands without it.
    """
    facts = report.facts
    if not facts.promises or not facts.profile or not options.overture:
        return report
    if isinstance(release, NoRelease):
        found = OvertureFacts(release.reason, may_pass=release.may_pass)
    else:
        try:
            found = look_up(
                output,
                facts.promises,
                release,
                options.overture,
                options.id_limits,
                keep=max(EXAMPLES, options.failing_rows),
            )
        except MemoryError:
            found = OvertureFacts("there was too little memory for the look-up", may_pass=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, the verdict stands without it
            reason = f"the look-up failed: {type(error).__name__}: {in_short(error)}"
            found = OvertureFacts(reason, may_pass=True)
    return judge(
        replace(facts, overture=found), bytes_read=report.bytes_read, requests=report.requests
    )


_NOT_ENDED = OvertureFacts("the look-up in Overture did not come to its end", may_pass=True)
"""What stands in a report until the look-up has ended."""


def not_opened_report(job: GemJob, why: NotOpened, output: Source | None) -> Report:
    """Make the report of an output that is not opened; None when the job leads to no file."""
    facts = Facts(
        job=job,
        file=why,
        name=output.name if output else None,
        size_bytes=output.size_bytes if output else None,
        input=InputFacts(f"not read, since {why.obstacle}"),
    )
    return judge(facts, bytes_read=0, requests=0)


@dataclass(frozen=True, slots=True)
class _Reading:
    """The two files, and how they are read."""

    output: OpenedFile
    input: InputFile
    promises: Promises
    on_rows: OnRows | None
    options: AuditOptions

    @property
    def keep(self) -> int:
        """How many rows to keep for each broken rule."""
        return max(EXAMPLES, self.options.failing_rows)


def _read(facts: Facts, files: _Reading) -> Facts:
    """Read the rows: first the columns that the checks need, then all columns, if asked for."""
    facts = _check_rows(facts, files)
    keeps_input = files.promises.layout.keeps_input
    if files.options.with_values and keeps_input and not facts.broken_off:
        facts = _compare_values(facts, files)
    known = files.input.facts(files.output.schema, files.promises.added)
    columns = known.columns if keeps_input else None
    return replace(facts, input=replace(known, columns=columns, asked=files.options.with_input))


def _check_rows(facts: Facts, files: _Reading) -> Facts:
    """Check every row; count every id, and compare it with the input's."""
    usable = files.promises.usable(files.output.schema)
    if not usable.columns:
        return facts
    apart = files.output.costliest(usable.names) if files.options.two_threads else None
    terms = Terms(confidence_floor(facts), expected_format(facts.job.overture_release))
    profiler = Profiler(usable, terms, files.keep)
    ids = _ids(files, usable) if Role.ID in usable.columns else None
    found, done = None, 0
    try:
        with closing(ids) if ids else nullcontext():
            for batch in files.output.batches(
                usable.names, apart=apart, as_dictionary=usable.repeating
            ):
                matched = profiler.add(batch)
                if ids:
                    ids.add(batch.column(ID), matched)
                done += batch.num_rows
                if files.on_rows:
                    files.on_rows(Pass.CHECKED, done, files.output.rows)
            if ids:
                found = ids.finish()
    except DataFault as fault:
        return _broken_off(replace(facts, decoded_apart=apart), fault)
    return replace(
        facts,
        decoded_apart=apart,
        profile=profiler.profile(),
        ids=found,
        ids_fault=ids.fault if ids else "",
    )


def _ids(files: _Reading, usable: UsableColumns) -> DiskBoundIds:
    return DiskBoundIds(
        files.output,
        usable,
        files.input.ids(),
        files.options.id_limits,
        not_compared=files.input.note,
    )


def _compare_values(facts: Facts, files: _Reading) -> Facts:
    """Compare every value of the input's columns."""
    rows = files.input.rows()
    if not rows:
        return replace(facts, values=ValueFacts(stopped=files.input.note))
    try:
        values = compare_values(
            files.output,
            rows,
            files.promises.added,
            files.on_rows,
            two_threads=files.options.two_threads,
            keep=files.keep,
        )
    except DataFault as fault:
        return _broken_off(facts, fault)
    return replace(facts, values=values)


def _broken_off(facts: Facts, fault: DataFault) -> Facts:
    """Keep why the rows were not read to the end."""
    if isinstance(fault, Unsupported):
        return replace(facts, unsupported=f"pyarrow cannot read the rows: {fault}")
    return replace(facts, data_fault=str(fault))
