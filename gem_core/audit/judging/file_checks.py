"""Checks about the file as a whole. Pure."""

from collections.abc import Callable
from pathlib import PurePosixPath

from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.verdict import Judgement, failed, not_asked, not_run, passed
from gem_core.audit.parquet.opened_file import FaultKind

_STEPS = tuple(FaultKind)


def names_usable(facts: Facts) -> Judgement:
    """What GEM names must not lead out of the storage that it is looked for in."""
    return failed(facts.refused) if facts.refused else passed()


def auditable(facts: Facts) -> Judgement:
    """A file may be made so that reading it takes more memory than there is."""
    if trouble := facts.given_up or facts.too_much:
        return failed(trouble)
    return not_run(facts.unopened) if facts.refused or facts.changed else passed()


def exists(facts: Facts) -> Judgement:
    """A missing output is an OutputMissing before there are facts; see `audit`."""
    return not_run(facts.unopened) if facts.refused else passed()


def input_as_registered(facts: Facts) -> Judgement:
    """Tells a job of another input before anybody uses its output."""
    expected, told = facts.expected_input, facts.job.input_name
    if expected is None:
        return not_asked("no expectedInputName was given when the job was registered")
    if told is None:
        return not_run("the job has no inputFileName")
    return passed() if told == expected else failed(f"{told!r} instead of {expected!r}")


def named_by_job(facts: Facts) -> Judgement:
    """Compare with the details' `outputFileName`."""
    if facts.name is None:
        return not_run(facts.unopened)
    told = facts.job.output_name
    if told is None:
        return not_run("the job has no outputFileName")
    return passed() if told == facts.name else failed(f"{facts.name!r}, the job names {told!r}")


def name_pattern(facts: Facts) -> Judgement:
    """Compare with what the page promises; the folder is the storage's own affair."""
    promised = facts.job.promised_output
    if facts.name is None:
        return not_run(facts.unopened)
    if not promised:
        return not_run("the job has no inputFileName")
    expected, found = PurePosixPath(promised).name, PurePosixPath(facts.name).name
    return passed() if found == expected else failed(f"{found!r} instead of {expected!r}")


def unchanged_while_read(facts: Facts) -> Judgement:
    """Every read carries If-Match, so an output that was read at all did not change."""
    if facts.refused or facts.given_up:
        return not_run(facts.unopened)
    return failed(facts.changed) if facts.changed else passed()


def opens(step: FaultKind) -> Callable[[Facts], Judgement]:
    """One step of opening the file as Parquet; a step that failed keeps later ones from running."""

    def judge(facts: Facts) -> Judgement:
        if not facts.opened and not facts.fault:
            return not_run(facts.unopened)
        if not facts.fault or _STEPS.index(step) < _STEPS.index(facts.fault.kind):
            return passed()
        return failed(facts.fault.detail) if step is facts.fault.kind else not_run(facts.unopened)

    return judge


def chunks_in_bounds(facts: Facts) -> Judgement:
    """Tells a file with a hole, or a footer of another file, without reading the data."""
    if not facts.opened:
        return not_run(facts.unopened)
    count = facts.opened.chunks_past_footer
    return failed(f"{count} column chunks lie outside of the data", count) if count else passed()


def has_rows(facts: Facts) -> Judgement:
    """As the footer says."""
    if not facts.opened:
        return not_run(facts.unopened)
    return passed() if facts.opened.rows else failed("there are no rows")


def rows_readable(facts: Facts) -> Judgement:
    """Only the columns that the checks need are decoded; geometry never is."""
    if not facts.opened:
        return not_run(facts.unopened)
    if facts.data_fault:
        return failed(facts.data_fault)
    if facts.too_much:
        return not_run(facts.unread)
    if not facts.profile:
        return not_run("there is no column to read")
    read, told = facts.profile.rows, facts.opened.rows
    return passed() if read == told else failed(f"{read} rows were read, the footer says {told}")
