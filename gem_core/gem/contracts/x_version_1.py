"""The contract of the page "Get job details" with the header `X-Version: 1`. Pure.

Source of everything here: TomTom, "Get job details": request headers, response fields, job status
values, output file, output file structure. The words of that page stand in this module only.
"""

from collections.abc import Mapping

from gem_core.gem.contracts.contract import Contract
from gem_core.gem.contracts.figures import Figures
from gem_core.gem.contracts.layout import Column, ColumnType, Layout, Role, Scale
from gem_core.gem.contracts.members import Members, Shares, Statistic
from gem_core.gem.contracts.names import beside, job_path
from gem_core.gem.contracts.road_input import RoadInput
from gem_core.gem.job import JobStatus

NAME = "x-version-1"

_STATUSES = {
    "queued": JobStatus.QUEUED,
    "running": JobStatus.RUNNING,
    "finished": JobStatus.FINISHED,
    "failed": JobStatus.FAILED,
    "cancelled": JobStatus.CANCELLED,
}


def _headers(api_version: str) -> Mapping[str, str]:
    """An empty version sends no header."""
    return {"X-Version": api_version} if api_version else {}


X_VERSION_1 = Contract(
    name=NAME,
    path=job_path,
    headers=_headers,
    members=Members(
        job_id="jobRunId",
        storage_id="storageId",
        input_name="inputFileName",
        output_name="outputFileName",
        matching_type="matchingType",
        overture_release="overtureRelease",
        created_at="createdAt",
        progress="progress",
        modified_at="modifiedAt",
    ),
    status=_STATUSES.get,
    words=", ".join(_STATUSES),
    # The page's pattern is `{original_filename}_matched.parquet`. Its example shows that the name
    # without its extension is meant.
    output_name=beside("_matched.parquet"),
    # "Technical documentation" and "Data preparation": all three columns are required.
    road_input=RoadInput(id=Column("id", ColumnType.INTEGER), navigable_required=True),
    layout=Layout(
        name=NAME,
        marks=("gers_id", "match_confidence", "match_status"),
        columns={
            # The page names no id: it is one of the "original columns", which the output keeps.
            Role.ID: Column("id", ColumnType.INTEGER_OR_TEXT),
            Role.GERS_ID: Column("gers_id", ColumnType.TEXT),
            Role.CONFIDENCE: Column("match_confidence", ColumnType.FLOAT),
            Role.STATUS: Column("match_status", ColumnType.TEXT),
        },
        matched=("matched",),
        unmatched=("unmatched",),
        scale=Scale.UNIT,
        keeps_input=True,
    ),
    figures=Figures(
        f"the contract {NAME}",
        {
            Statistic.ROADS: "num_roads_processed",
            Statistic.MATCHED_SHARE: "roads_matched",
            Statistic.UNMATCHED_SHARE: "roads_unmatched",
            Statistic.FULLY_MATCHED_SHARE: "roads_fully_matched",
            Statistic.PARTIALLY_MATCHED_SHARE: "roads_partially_matched",
            Statistic.CONFIDENCE_THRESHOLD: "confidence_threshold",
        },
        Shares.PERCENT_TEXT,
    ),
)
