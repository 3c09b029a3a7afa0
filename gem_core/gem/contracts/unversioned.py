"""The contract of the newer pages, which have no header `X-Version`. Pure.

Sources: TomTom, later versions of "Get job details" (request, fields, status words, statistics,
name of the output) and "Road matching data" (columns, `FAILED` with a message). "Cancel job" names
no word for a cancelled job. Columns: also "Quick reference" (`confidence` as an integer from 0 to
100).
"""

import re
from collections.abc import Mapping

from gem_core.gem.contracts.contract import Contract
from gem_core.gem.contracts.figures import Figures
from gem_core.gem.contracts.layout import Column, ColumnType, Layout, Role
from gem_core.gem.contracts.members import Members, Shares, Statistic
from gem_core.gem.contracts.names import beside, job_path
from gem_core.gem.contracts.road_input import RoadInput
from gem_core.gem.job import JobStatus

NAME = "unversioned"

_STATUSES = {
    "REQUESTED": JobStatus.QUEUED,
    "IN_PROGRESS": JobStatus.RUNNING,
    "SUCCESS": JobStatus.FINISHED,
    "FAILED": JobStatus.FAILED,
}
_CANCELLED = re.compile(r"cancell?ed", re.ASCII | re.IGNORECASE)
"""No page shows the word, so both spellings count, in letters of any case."""


def _headers(_: str) -> Mapping[str, str]:
    return {}


def _status(word: str) -> JobStatus | None:
    return JobStatus.CANCELLED if _CANCELLED.fullmatch(word) else _STATUSES.get(word)


UNVERSIONED = Contract(
    name=NAME,
    path=job_path,
    headers=_headers,
    members=Members(
        job_id="job_id",
        storage_id="storage_id",
        input_name="input_filename",
        output_name="result_filename",
        matching_type="job_type",
        overture_release="overture_release",
        created_at="requested_at",
        message="message",
        integer_ids=True,
    ),
    status=_status,
    words=", ".join((*_STATUSES, "CANCELLED")),
    output_name=beside(".results.parquet"),
    # "Road matching data": without the column, all roads are navigable.
    road_input=RoadInput(id=Column("id", ColumnType.INTEGER_OR_TEXT), navigable_required=False),
    layout=Layout(
        name=NAME,
        marks=("gers", "confidence"),
        columns={
            Role.ID: Column("id", ColumnType.INTEGER_OR_TEXT),
            Role.GERS_ID: Column("gers", ColumnType.TEXT),
            Role.CONFIDENCE: Column("confidence", ColumnType.NUMBER),
        },
        others=("lr_id", "lr_gers"),
    ),
    figures=Figures(
        f"the contract {NAME}",
        {
            Statistic.ROADS: "num_roads_processed",
            Statistic.MATCHED_SHARE: "roads_matched_ratio",
            Statistic.UNMATCHED_SHARE: "roads_unmatched_ratio",
            Statistic.FULLY_MATCHED_SHARE: "roads_fully_matched_ratio",
            Statistic.PARTIALLY_MATCHED_SHARE: "roads_partially_matched_ratio",
            Statistic.CONFIDENCE_THRESHOLD: "confidence_threshold",
        },
        Shares.RATIO,
    ),
)
