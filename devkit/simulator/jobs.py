"""The jobs of the simulator: their files in blob storage and the answers about them."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Any, Protocol

import pyarrow as pa
from azure.core.exceptions import AzureError

from devkit.simulator import page
from devkit.simulator.faults import output_bytes
from devkit.simulator.life import CLEAN, Answer, Ending, Life, Upload, answer_at, output_uploads
from devkit.simulator.roads import Figures, match_roads, road_network, statistics
from devkit.simulator.script import Script

type OnMatches = Callable[[pa.Table], object]
"""Is called with each output, as it is without a fault, before the job exists."""


class Container(Protocol):
    """The part of `azure.storage.blob.ContainerClient` that the simulator uses."""

    def upload_blob(self, name: str, data: Iterable[bytes], *, overwrite: bool) -> object:
        """Write a blob from an open binary file."""


class OutputNotWritten(Exception):
    """Storage refused the output, so the job must not be reported as finished."""


@dataclass(slots=True)
class Job:
    """One job. Its state is not stored, but computed from `life`, `created` and the clock."""

    job_run_id: str
    script: Script
    life: Life
    """The life of the script, in real seconds."""
    created: datetime
    input_file_name: str
    output_file_name: str
    statistics: Mapping[str, Any]
    """The statistics that the finished job will have."""
    uploads: list[tuple[datetime, bytes | Path]]
    """Versions of the output that are not written yet, with their times, earliest first."""
    asked: int = 0
    """Number of requests about the job."""
    written: datetime | None = None
    """When the first version of the output was written."""
    lock: Lock = field(default_factory=Lock, repr=False)
    """Held while a file of this job is written, so that each version is written only once."""


class JobBook:
    """All jobs. Thread-safe."""

    def __init__(
        self,
        container: Container,
        clock: Callable[[], datetime],
        *,
        time_scale: float = 1.0,
        on_matches: OnMatches | None = None,
    ) -> None:
        self._container = container
        self._clock = clock
        self._time_scale = time_scale
        self._on_matches = on_matches or (lambda _: None)
        self._jobs: dict[str, Job] = {}
        self._lock = Lock()

    def add(self, job_run_id: str, script: Script) -> Job:
        """Create a job, and upload its input unless the script disables that.

        A job with the same id is replaced. The life of the documentation's example has its own file
        name and number of roads.

        Raises:
            ValueError: the life is that of the documentation's example and the job id is another;
                the input name is not a file name; or there are too few roads for wrong statistics.

        """
        if script.life.page:
            if job_run_id != page.JOB_RUN_ID:
                raise ValueError(f"the job of the documentation's example is {page.JOB_RUN_ID}")
            script = replace(script, rows=page.ROADS, input_file_name=page.INPUT_FILE_NAME)
        life = script.life.compressed(self._time_scale)
        files = _files(script, self._on_matches)
        now = self._clock()
        input_file_name = script.input_file_name or f"{job_run_id}.parquet"
        job = Job(
            job_run_id=job_run_id,
            script=script,
            life=life,
            created=now,
            input_file_name=input_file_name,
            output_file_name=_stem(input_file_name) + _ending(script, life),
            statistics=statistics(
                files.figures,
                execution_seconds=script.life.running_for,
                points_off=life.points_off,
            ),
            uploads=[(when, files.outputs[which]) for when, which in output_uploads(life, now)],
        )
        if script.upload_input and files.sent is not None:
            self._upload(job.input_file_name, files.sent)
        with self._lock:
            self._jobs[job_run_id] = job
        return job

    def find(self, job_run_id: str) -> Job | None:
        """The job, or None if it does not exist."""
        with self._lock:
            return self._jobs.get(job_run_id)

    def all(self) -> tuple[Job, ...]:
        """All jobs in the order of their creation."""
        with self._lock:
            return tuple(self._jobs.values())

    def ask(self, job: Job) -> Answer:
        """Answer a request about a job. Counts the request, and writes due outputs first.

        Raises:
            OutputNotWritten: the job should be finished, but storage refused the output.

        """
        with self._lock:
            asked, job.asked = job.asked, job.asked + 1
        answer = answer_at(job.life, job.created, self._clock(), asked=asked)
        self._write_due(job)
        return answer

    def state(self, job: Job) -> Answer:
        """The current answer without faults. The request is not counted and nothing is written."""
        return answer_at(job.life, job.created, self._clock(), asked=len(job.life.troubles))

    def write_due(self) -> tuple[str, ...]:
        """Write all due outputs. Returns the errors of storage as texts."""
        problems = []
        for job in self.all():
            try:
                self._write_due(job)
            except OutputNotWritten as problem:
                problems.append(str(problem))
        return tuple(problems)

    def _write_due(self, job: Job) -> None:
        with job.lock:
            while job.uploads and job.uploads[0][0] <= self._clock():
                try:
                    self._upload(job.output_file_name, job.uploads[0][1])
                except (AzureError, OSError) as error:
                    raise OutputNotWritten(f"{job.output_file_name}: {error}") from error
                del job.uploads[0]
                job.written = job.written or self._clock()

    def _upload(self, name: str, data: bytes | Path) -> None:
        with BytesIO(data) if isinstance(data, bytes) else data.open("rb") as stream:
            self._container.upload_blob(name, stream, overwrite=True)


def _ending(script: Script, life: Life) -> str:
    """The life may have an ending of its own, which is not the documented one."""
    documented = life.output_suffix == CLEAN.output_suffix
    return script.generation.ending_text if documented else life.output_suffix


def _stem(input_file_name: str) -> str:
    """The `{original_filename}` of GEM's documentation: with folders, without the extension."""
    return str(PurePosixPath(input_file_name).with_suffix(""))


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of a job."""

    sent: bytes | Path | None
    outputs: Mapping[Upload, bytes | Path]
    figures: Figures


def _files(script: Script, on_matches: OnMatches) -> _Files:
    if large := script.large_output:
        return _Files(large.input_path, dict.fromkeys(Upload, large.path), large.figures)
    roads = road_network(script.rows, seed=script.seed)
    first, figures = match_roads(roads, seed=script.seed)
    on_matches(first)
    fault = script.life.output_fault
    generation = script.generation
    outputs = {Upload.FIRST: output_bytes(first, fault, generation=generation)}
    if script.life.overwrite_after is not None:
        # Other matches, but the same number of them, so that the statistics stay correct.
        second, _ = match_roads(roads, seed=script.seed + 1)
        on_matches(second)
        outputs[Upload.SECOND] = output_bytes(second, fault, generation=generation)
    return _Files(output_bytes(roads, None), outputs, figures)


def job_body(job: Job, answer: Answer) -> bytes:
    """The JSON of a job, as in GEM's documentation. Unknown members are absent, never null."""
    if job.life.page and answer.status and (text := page.example(answer.status)):
        return text
    finished = answer.status == Ending.FINISHED
    modified = answer.modified
    if finished and job.written and not job.life.late_by:
        # The output is not newer than the last update, unless the script makes it late.
        modified = max(modified, job.written)
    body: dict[str, Any] = {
        "jobRunId": job.job_run_id,
        "storageId": job.script.storage_id,
        "inputFileName": job.input_file_name,
    }
    if finished:
        body["outputFileName"] = job.output_file_name
    body["matchingType"] = job.script.matching_type
    body["overtureRelease"] = job.script.overture_release
    body["status"] = answer.status
    if answer.progress is not None:
        body["progress"] = answer.progress
    body["createdAt"] = moment(job.created)
    body["modifiedAt"] = moment(modified)
    if finished:
        body["statistics"] = dict(job.statistics)
    return json.dumps(job.script.generation.body(body)).encode()


def moment(time: datetime) -> str:
    """ISO 8601 in UTC with whole seconds and Z, as in the examples of GEM's documentation."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
