"""How each generation of GEM's pages writes a job, and mixtures of them. Pure.

The rest of the simulator writes as the page "Get job details" does. These functions turn that into
the words of another generation, or into words that no page has. Sources: see
`gem_core/gem/contracts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


class Kind(StrEnum):
    """Whose words are used."""

    PAGE = "page"
    """The page "Get job details", with X-Version."""
    NEWER = "newer"
    """The newer pages."""
    INVENTED = "invented"
    """Words of no page."""


class Columns(StrEnum):
    """The columns of an output."""

    PAGE = "page"
    NEWER = "newer"
    TECHNICAL = "technical"
    """The page "Technical documentation"."""
    LANE = "lane"
    INVENTED = "invented"


@dataclass(frozen=True, slots=True)
class Generation:
    """Whose words each part of a job uses."""

    members: Kind = Kind.PAGE
    words: Kind = Kind.PAGE
    figures: Kind = Kind.PAGE
    ending: Kind = Kind.PAGE
    """Of the output's name."""
    columns: Columns = Columns.PAGE

    @property
    def ending_text(self) -> str:
        """What follows the stem of the input's name."""
        return _ENDINGS[self.ending]

    def body(self, page: Mapping[str, Any]) -> dict[str, Any]:
        """An answer of the page in these words."""
        answer = dict(page)
        answer["status"] = _WORDS[self.words].get(answer["status"], answer["status"])
        if "statistics" in answer:
            answer["statistics"] = _figures(answer["statistics"], self.figures)
        if self.members is Kind.PAGE:
            return answer
        names = _MEMBERS[self.members]
        answer = {names.get(name, name): value for name, value in answer.items() if name in names}
        if self.members is Kind.NEWER:
            job_id = str(answer["job_id"])
            answer["job_id"] = int(job_id) if job_id.isdigit() else job_id
            answer["job_type"] = "ROAD_MATCHING"
            answer = {"result_filename": None, "statistics": None} | answer
        return answer

    def table(self, page: pa.Table) -> pa.Table:
        """An output of the page with these columns."""
        return _TABLES[self.columns](page)


PAGE = Generation()
NEWER = Generation(Kind.NEWER, Kind.NEWER, Kind.NEWER, Kind.NEWER, Columns.NEWER)

_ENDINGS = {
    Kind.PAGE: "_matched.parquet",
    Kind.NEWER: ".results.parquet",
    Kind.INVENTED: "-aligned.pq",
}
_STATUSES = ("queued", "running", "finished", "failed", "cancelled")
_WORDS: dict[Kind, dict[str, str]] = {
    Kind.PAGE: {},
    Kind.NEWER: dict(
        zip(_STATUSES, ("REQUESTED", "IN_PROGRESS", "SUCCESS", "FAILED", "CANCELED"), strict=True)
    ),
    Kind.INVENTED: dict(
        zip(_STATUSES, ("waiting", "busy", "ready", "broken", "stopped"), strict=True)
    ),
}
_PAGE_MEMBERS = (
    "jobRunId", "storageId", "inputFileName", "outputFileName", "matchingType", "overtureRelease",
    "status", "createdAt", "statistics",
)  # fmt: skip
_MEMBERS = {
    Kind.NEWER: dict(
        zip(
            _PAGE_MEMBERS,
            (
                "job_id", "storage_id", "input_filename", "result_filename", "job_type",
                "overture_release", "status", "requested_at", "statistics",
            ),
            strict=True,
        )
    ),
    Kind.INVENTED: dict(
        zip(
            _PAGE_MEMBERS,
            (
                "run", "store", "source", "target", "task", "base", "state", "began", "numbers",
            ),
            strict=True,
        )
    ),
}  # fmt: skip
_RATIOS = {
    "roads_matched": "roads_matched_ratio",
    "roads_unmatched": "roads_unmatched_ratio",
    "roads_fully_matched": "roads_fully_matched_ratio",
    "roads_partially_matched": "roads_partially_matched_ratio",
}


def _figures(page: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    if kind is Kind.PAGE:
        return dict(page)
    if kind is Kind.INVENTED:
        return {f"n_{name}": value for name, value in page.items()}
    ratios = {
        ratio: round(float(page[name].removesuffix("%")) / 100, 4)
        for name, ratio in _RATIOS.items()
    }
    return {name: value for name, value in page.items() if name not in _RATIOS} | ratios


def _newer(page: pa.Table) -> pa.Table:
    """One row for each match."""
    matched = page.filter(pc.equal(page["match_status"], "matched"))
    columns = {"id": matched["id"].cast(pa.string()), "gers": matched["gers_id"]}
    if "match_confidence" in matched.column_names:
        percent = pc.round(pc.multiply(matched["match_confidence"].cast(pa.float64()), 100))
        columns["confidence"] = percent.cast(pa.int32())
    whole = pa.array(["0.0-1.0"] * matched.num_rows, pa.string())
    return pa.table({**columns, "lr_id": whole, "lr_gers": whole})


def _technical(page: pa.Table) -> pa.Table:
    words = {"matched": "full", "unmatched": "none"}
    status = [words.get(word, word) for word in page["match_status"].to_pylist()]
    is_match = [word == "full" for word in status]
    columns = {"id": page["id"], "gers_id": page["gers_id"]}
    if "match_confidence" in page.column_names:
        columns["confidence"] = page["match_confidence"]
    return pa.table(
        {
            **columns,
            "match_type": pa.array(status, pa.string()),
            "linear_ref_start": pa.array([0.0 if each else None for each in is_match]),
            "linear_ref_end": pa.array([25.0 if each else None for each in is_match]),
            "overture_release": pa.array(["2026-01-21.0"] * page.num_rows),
        }
    )


def _lane(page: pa.Table) -> pa.Table:
    return pa.table(
        {
            "traceId": page["id"].cast(pa.string()),
            "mapRevisionId": pa.array(["7"] * page.num_rows),
            "roads": page["match_status"],
        }
    )


def _invented(page: pa.Table) -> pa.Table:
    return pa.table({"road": page["id"], "entity": page["gers_id"], "score": page["match_status"]})


_TABLES = {
    Columns.PAGE: lambda page: page,
    Columns.NEWER: _newer,
    Columns.TECHNICAL: _technical,
    Columns.LANE: _lane,
    Columns.INVENTED: _invented,
}
