"""The contract of the page "Get job details" with the header `X-Version: 1`. Pure.

Source of everything here: TomTom, "Get job details": request headers, response fields, job status
values, output file, output file structure. The words of that page stand in this module only.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gem_core.errors import GemAnswerError
from gem_core.gem.contracts.contract import (
    Column,
    ColumnType,
    Contract,
    OutputFile,
    Role,
    Statistic,
)
from gem_core.gem.job import GemJob, JobStatus
from gem_core.gem.reading import (
    MemberReader,
    Redact,
    json_object,
    moment,
    progress,
    read_answer,
    read_status,
    storable,
    text,
)

if TYPE_CHECKING:
    from gem_core.gem.contracts.percent import Percent

NAME = "x-version-1"

_STATUSES = {
    "queued": JobStatus.QUEUED,
    "running": JobStatus.RUNNING,
    "finished": JobStatus.FINISHED,
    "failed": JobStatus.FAILED,
    "cancelled": JobStatus.CANCELLED,
}


def _path(job_run_id: str) -> str:
    """The id stays within one segment of the path."""
    return f"/jobs/{quote(job_run_id, safe='')}"


def _headers(api_version: str) -> Mapping[str, str]:
    """An empty version sends no header."""
    return {"X-Version": api_version} if api_version else {}


def _read(answer: object, *, job_run_id: str | None = None, redact: Redact = str) -> GemJob:
    received = read_answer(answer)
    job_run_id = _job_id(received, job_run_id, redact)
    kept = storable(received, redact) | {"jobRunId": job_run_id}
    status_text = read_status(kept.get("status"))
    read = MemberReader(kept)
    if status_text not in _STATUSES:
        read.drift.append(f"status {status_text[:40]!r} is not one of {', '.join(_STATUSES)}")
    return GemJob(
        job_run_id=job_run_id,
        contract=NAME,
        status_text=status_text,
        answer=kept,
        status=_STATUSES.get(status_text),
        storage_id=read("storageId", text),
        input_name=(input_name := read("inputFileName", text)),
        output_name=read("outputFileName", text),
        promised_output=_output_name(input_name) if input_name else None,
        matching_type=read("matchingType", text),
        overture_release=read("overtureRelease", text),
        progress=read("progress", progress),
        created_at=read("createdAt", moment),
        modified_at=read("modifiedAt", moment),
        statistics=read("statistics", json_object) or {},
        drift=tuple(read.drift),
    )


def _job_id(answer: Mapping[str, Any], asked: str | None, redact: Redact) -> str:
    named = answer.get("jobRunId")
    if asked is None and isinstance(named, str):
        return named
    if asked is None:
        raise GemAnswerError("the answer has no jobRunId")
    if named != asked:
        shown = redact(str(named))[:80]
        raise GemAnswerError(f"asked about job {asked!r}, the answer is about {shown!r}")
    return asked


def _output_name(input_name: str) -> str:
    """In the input's folder.

    The page's pattern is `{original_filename}_matched.parquet`. Its example shows that the name
    without its extension is meant.
    """
    folder, slash, name = input_name.rpartition("/")
    return f"{folder}{slash}{PurePosixPath(name).stem}_matched.parquet"


def _read_share(value: object) -> "Percent":
    """A string such as "84.68%"."""
    # decimal and fractions would slow down the start of the app, which needs neither.
    from gem_core.gem.contracts.percent import read_percent  # noqa: PLC0415 - as just said

    return read_percent(value)


X_VERSION_1 = Contract(
    name=NAME,
    path=_path,
    headers=_headers,
    read=_read,
    statuses=_STATUSES,
    output=OutputFile(
        columns={
            # The page names no id: it is one of the "original columns", which the output keeps.
            Role.ID: Column("id", ColumnType.INTEGER_OR_TEXT),
            Role.GERS_ID: Column("gers_id", ColumnType.TEXT),
            Role.CONFIDENCE: Column("match_confidence", ColumnType.FLOAT),
            Role.STATUS: Column("match_status", ColumnType.TEXT),
        },
        matched="matched",
        unmatched="unmatched",
    ),
    statistics={
        Statistic.ROADS: "num_roads_processed",
        Statistic.MATCHED_SHARE: "roads_matched",
        Statistic.UNMATCHED_SHARE: "roads_unmatched",
        Statistic.FULLY_MATCHED_SHARE: "roads_fully_matched",
        Statistic.PARTIALLY_MATCHED_SHARE: "roads_partially_matched",
        Statistic.CONFIDENCE_THRESHOLD: "confidence_threshold",
    },
    read_share=_read_share,
)
