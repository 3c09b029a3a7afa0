"""Runs the command `advise`. Edge: terminal, files, storage."""

import sys
from collections.abc import Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa

from gem_core.advice.advise import Means, Output, advise
from gem_core.advice.fold import Folded
from gem_core.advice.result import NAMES, Advice, State
from gem_core.audit.options import IdLimits, OvertureLimits
from gem_core.audit.overture.keys import Keys, texts_of
from gem_core.audit.reading.source import Source
from gem_core.audit.rows.gers import GersFormat, format_of_release
from gem_core.commands.advice_text import advice_lines, told_json, told_lines
from gem_core.commands.exit_codes import COULD_NOT, DONE, NOT_SO
from gem_core.commands.memory import limit_memory, shortage_explained
from gem_core.commands.open_source import open_source
from gem_core.commands.page_file import check_folder, check_output_file
from gem_core.commands.parquet_file import NewParquetFile
from gem_core.commands.progress import ProgressLine
from gem_core.commands.table import plain
from gem_core.commands.terminal import print_error, print_json, print_lines, terminal_width
from gem_core.deliver.outdated import DeliveredOutput
from gem_core.errors import OutputChanged, RequestError
from gem_core.flows.send_outdated import Told, Unread, delivered_outputs, send_outdated
from gem_core.settings.route import EventType
from gem_core.wiring.environment import state_settings
from gem_core.wiring.managers import state_manager
from gem_core.wiring.overture import storage_of
from gem_core.wiring.stores import stores

_A_DAY = 24 * 60 * 60
"""In seconds. A person waits and may press Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments of the command."""

    files: tuple[str, ...]
    """Files or addresses; empty: the delivered jobs of the app."""
    release: str
    old: str | None
    """Of the files."""
    overture: str
    """Address or folder."""
    overture_max_mib: int
    ids: Path | None
    send: bool
    as_json: bool
    disk_mib: int
    folder: Path | None
    """None is the system's temporary directory."""


type _Job = DeliveredOutput | Unread


def run(request: Request) -> int:
    """Give advice, print it, send events. Returns the exit code.

    Raises:
        CourierError: there is no advice; the message gives the reason.

    """
    _check(request)
    storage = storage_of(request.overture, "--overture")
    file = NewParquetFile(request.ids, "--ids") if request.ids else None
    limit_memory()
    with (
        shortage_explained(),
        ProgressLine(sys.stderr) as progress,
        closing(file) if file else nullcontext(),
    ):
        jobs = () if request.files else _jobs(progress)
        outputs = [_of_job(job) for job in jobs] or [
            _of_file(each, request) for each in request.files
        ]
        means = Means(
            OvertureLimits(request.overture_max_mib << 20, _A_DAY, _A_DAY),
            IdLimits(folder=request.folder, disk_bytes=request.disk_mib << 20),
            progress.show,
            partial(_write_ids, file, outputs, format_of_release(request.release))
            if file
            else lambda _: None,
        )
        found = advise(outputs, request.release, storage, means)
        if file:
            file.finish()
        told = _send(request, jobs, found, progress) if request.send else None
    _print(request, found, told)
    return _exit_code(found, told or ())


def _jobs(progress: ProgressLine) -> tuple[_Job, ...]:
    progress.show("listing the delivered jobs")
    return tuple(delivered_outputs(state_manager()))


def _check(request: Request) -> None:
    """Check the arguments before anything is read. Raises RequestError."""
    if request.files and not request.old:
        raise RequestError("files need --from: the release that they were matched with")
    if request.old and not request.files:
        raise RequestError("--from is for files; the manifests of jobs have their releases")
    if request.files and request.send:
        raise RequestError("--send is for the jobs of the app, not for files")
    if request.send and not _takers():
        raise RequestError(
            "no route of GEM_RESULTS_ROUTES takes job.outdated, so nobody would get it"
        )
    if request.ids:
        check_output_file(request.ids, request.files, option="--ids")
    if request.folder:
        check_folder(request.folder)


def _takers() -> dict[str, str]:
    """The queues of the routes that take the events, by the name of the route."""
    routes = state_settings().routes
    return {route.name: route.queue for route in routes if EventType.JOB_OUTDATED in route.types}


def _of_file(text: str, request: Request) -> Output:
    return Output(text.partition("?")[0], request.old, lambda: open_source(text))


def _of_job(job: _Job) -> Output:
    if isinstance(job, Unread):
        return Output(job.job_run_id, None, partial(open_source, ""), job.reason)
    problem = "" if job.url else "its manifest has no address of the output"
    return Output(job.job_run_id, job.release, partial(_open, job), problem)


def _open(job: DeliveredOutput) -> Source:
    """The output of a job, in the version that its manifest is about. Raises OutputError."""
    source = open_source(job.url or "")
    if source.etag != job.etag:
        raise OutputChanged("the output was replaced after its manifest")
    return source


def _write_ids(
    file: NewParquetFile, outputs: Sequence[Output], format_: GersFormat, folded: Folded
) -> None:
    texts = {
        fate: ",".join(name for each, name in NAMES.items() if fate & each)
        for fate in {*folded.fate.tolist()}
    }
    columns = {
        "output": pa.array([outputs[each].name for each in folded.output.tolist()], pa.string()),
        "id": texts_of(Keys(folded.mixed, folded.low), format_),
        "changes": pa.array([texts[fate] for fate in folded.fate.tolist()], pa.string()),
        "roads": pa.array(folded.roads, pa.int64()),
    }
    file.add(pa.RecordBatch.from_pydict(columns))


def _send(
    request: Request, jobs: Sequence[_Job], found: Sequence[Advice], progress: ProgressLine
) -> list[Told]:
    """Send an event for each outdated job."""
    encoding, manager = state_settings().results_queue_encoding, state_manager()
    queues = {name: stores().results_queue(queue, encoding) for name, queue in _takers().items()}
    told: list[Told] = []
    for job, advice in zip(jobs, found, strict=True):
        if advice.state is State.OUTDATED and advice.figures and isinstance(job, DeliveredOutput):
            progress.show(f"sending, {len(told) + 1}: {job.job_run_id}")
            changes = advice.figures.to_json()
            told.append(send_outdated(manager, queues, job, request.release, changes))
    return told


def _print(request: Request, found: Sequence[Advice], told: Sequence[Told] | None) -> None:
    if request.as_json:
        print_json(
            {
                "release": request.release,
                "outputs": [each.to_json() for each in found],
                "events": None if told is None else [told_json(each) for each in told],
            }
        )
    else:
        print_lines(advice_lines(found, request.release, width=terminal_width()))
        print_lines(told_lines(told) if told is not None else [])
    for each in told or ():
        for problem in each.failed:
            print_error(
                plain(f"{each.job_run_id}: the event was not sent: {problem}; run this again")
            )


def _exit_code(found: Sequence[Advice], told: Sequence[Told]) -> int:
    states = {each.state for each in found}
    if State.NOT_VERIFIABLE in states or any(each.failed for each in told):
        return COULD_NOT
    return NOT_SO if State.OUTDATED in states else DONE
