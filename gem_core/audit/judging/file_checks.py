"""Checks about the file as a whole. Pure."""

from pathlib import PurePosixPath

from gem_core.audit.contract import Promises
from gem_core.audit.judging.check import (
    ERROR,
    WARNING,
    Check,
    Missing,
    Need,
    NotAsked,
    check,
)
from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.not_opened import NotOpened, Obstacle
from gem_core.audit.judging.parts import (
    NOT_PARQUET,
    answer,
    content,
    footer,
    of_answer,
    output_name,
    promises,
    rows,
)
from gem_core.audit.judging.verdict import Judgement, failed, no_problem, passed
from gem_core.audit.parquet.opened_file import Fault, FaultKind, OpenedFile
from gem_core.gem.contracts.known import CONTRACTS, layout_of

_STEPS = tuple(FaultKind)


def _obstacle(*these: Obstacle) -> Need[str]:
    """What happened at one of these obstacles, in words, or empty."""

    def happened(facts: Facts) -> str:
        if not isinstance(facts.file, NotOpened):
            return ""
        if facts.file.obstacle in these:
            return facts.file.detail
        if Obstacle.NAMES in these:
            return ""  # it comes before the others
        raise Missing(facts.file.obstacle)

    return happened


@check(ERROR, "The names that GEM gives are plain names.", _obstacle(Obstacle.NAMES))
def names_usable(problem: str) -> Judgement:
    """A name must not lead out of the storage in which the output is looked for."""
    return no_problem(problem)


def _expected_input(facts: Facts) -> str:
    if facts.expected_input is None:
        raise NotAsked("no expectedInputName was given at the registration")
    return facts.expected_input


def _job_input(facts: Facts) -> str:
    return of_answer(facts, facts.job.input_name, "GEM names no input file")


@check(ERROR, "The job's input is the file named at its registration.", _expected_input, _job_input)
def input_as_registered(expected: str, found: str) -> Judgement:
    """Shows that a job has another input before its output is used."""
    return passed() if found == expected else failed(f"{found!r} instead of {expected!r}")


@check(ERROR, "The output exists and can be read.", output_name)
def exists(_: str) -> Judgement:
    """A missing output raises OutputMissing before there are facts; see `audit`."""
    return passed()


def _limit(facts: Facts) -> str:
    return _obstacle(Obstacle.ENDED_EARLY)(facts) or facts.unsupported or _unreadable(facts)


def _unreadable(facts: Facts) -> str:
    """The columns of the checks that nobody here can read."""
    if not (facts.opened and facts.promises):
        return ""
    promised = facts.promises.columns.values()
    reasons = (promise.unreadable(facts.opened.schema) for promise in promised)
    return "; ".join(reason for reason in reasons if reason)


@check(ERROR, "The app can read the output, within the limits of memory and time.", _limit)
def auditable(problem: str) -> Judgement:
    """A limit of the app says nothing about the output."""
    return no_problem(problem)


def _layout(facts: Facts) -> str:
    """Why the app does not know the layout, or empty."""
    if isinstance(facts.file, NotOpened) and facts.file.obstacle is Obstacle.CONTRACT:
        return facts.file.detail
    opened = footer(facts)
    if facts.promises:
        return ""
    names = ", ".join(name[:100] for name in opened.schema.names[:20])
    layout = layout_of(facts.job, opened.schema.names)
    kind = f"a {layout.name} output, which has no GERS ids; its" if layout else "its"
    return f"{kind} columns are {names}" + (", …" if len(opened.schema.names) > 20 else "")  # noqa: PLR2004 - as cut


@check(ERROR, "The app knows the layout of the output.", _layout)
def layout_known(problem: str) -> Judgement:
    """A file whose columns no page describes says nothing about the output."""
    return no_problem(problem)


@check(
    WARNING,
    "The layout of the output is that of GEM's answer.",
    answer,
    promises,
    lambda facts: facts.job.contract,
)
def layout_of_contract(_: object, found: Promises, contract: str) -> Judgement:
    """An answer of one generation with the file of another may be a mistake of GEM's."""
    own, layout = CONTRACTS[contract].layout, found.layout
    return (
        passed()
        if layout is own
        else failed(
            f"the output has the layout {layout.name}, GEM answered in the contract {contract}"
        )
    )


def _job_output(facts: Facts) -> str:
    return of_answer(facts, facts.job.output_name, "GEM names no output file")


@check(ERROR, "The output is the file that the job names.", output_name, _job_output)
def named_by_job(found: str, reported: str) -> Judgement:
    """Compared with the name in GEM's answer."""
    return passed() if reported == found else failed(f"{found!r}, the job names {reported!r}")


def _promised_output(facts: Facts) -> str:
    return of_answer(facts, facts.job.promised_output, "GEM names no input file")


@check(
    WARNING,
    "The output's name is the one that GEM documents for this input.",
    output_name,
    _promised_output,
)
def name_pattern(path: str, promised: str) -> Judgement:
    """Compared without folders, which depend on the storage."""
    found, expected = PurePosixPath(path).name, PurePosixPath(promised).name
    return passed() if found == expected else failed(f"{found!r} instead of {expected!r}")


@check(
    ERROR,
    "The output stayed the same version (ETag) while it was read.",
    _obstacle(Obstacle.CHANGED),
)
def unchanged_while_read(problem: str) -> Judgement:
    """Every read carries If-Match, so an output that was read at all did not change."""
    return no_problem(problem)


def _opens(name: str, title: str, step: FaultKind) -> Check:
    """One step of opening the file as Parquet. After a step that failed, later ones do not run."""

    def fault(facts: Facts) -> str:
        file = content(facts)
        if not isinstance(file, Fault) or _STEPS.index(step) < _STEPS.index(file.kind):
            return ""
        if step is not file.kind:
            raise Missing(NOT_PARQUET)
        return file.detail

    return check(ERROR, title, fault, name=name)(no_problem)


@check(ERROR, "Every column chunk, also of columns not read, lies before the footer.", footer)
def chunks_in_bounds(file: OpenedFile) -> Judgement:
    """Finds a file with a hole, or with the footer of another file, without reading the data."""
    count = file.chunks_past_footer
    if file.elsewhere:
        return failed(
            f"this is a summary, like the files _metadata: the data lies in other files, such as "
            f"{file.elsewhere}"
        )
    return failed(f"{count} column chunks lie outside of the data", count) if count else passed()


def _with_rows(facts: Facts) -> OpenedFile:
    if promises(facts).layout.row_per_match:
        raise NotAsked("an output of this layout has no rows if no road was matched")
    return footer(facts)


@check(ERROR, "The output has at least one row.", _with_rows)
def has_rows(file: OpenedFile) -> Judgement:
    """As the footer states."""
    return passed() if file.rows else failed("there are no rows")


def _rows_read(facts: Facts) -> int | str:
    """The number of rows that were read, or the fault that stopped reading."""
    footer(facts)
    if facts.data_fault:
        return facts.data_fault
    if facts.unsupported:
        raise Missing(facts.broken_off)
    return rows(facts).rows


@check(
    ERROR,
    "Every row group can be read to its end in the columns that the checks need, and has the rows "
    "that the footer states.",
    footer,
    _rows_read,
)
def rows_readable(file: OpenedFile, read: int | str) -> Judgement:
    """Only the columns that the checks need are decoded; geometry never is."""
    if isinstance(read, str):
        return failed(read)
    if read != file.rows:
        return failed(f"{read} rows were read, the footer states {file.rows}")
    return passed()


footer_not_encrypted = _opens(
    "footer_not_encrypted", "The footer is not encrypted.", FaultKind.ENCRYPTED
)

FILE_CHECKS = (
    names_usable,
    input_as_registered,
    exists,
    auditable,
    named_by_job,
    name_pattern,
    unchanged_while_read,
    _opens("not_empty", "The output has at least one byte.", FaultKind.EMPTY),
    _opens("magic_bytes", "The output starts and ends as Parquet files do.", FaultKind.MAGIC),
    footer_not_encrypted,
    _opens("footer_readable", "The footer can be read.", FaultKind.FOOTER),
    chunks_in_bounds,
    layout_known,
    layout_of_contract,
    has_rows,
    rows_readable,
)
