"""Every check of an output, in the order of the report; and how a check is run. Pure.

This list is the documentation of what an audit proves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from gem_core.audit.judging import column_checks, file_checks, row_checks, statistics_checks
from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.job_statistics import MATCHED_SHARE, UNMATCHED_SHARE
from gem_core.audit.judging.verdict import Judgement
from gem_core.audit.parquet.opened_file import FaultKind
from gem_core.audit.rows.row_rules import RowRule


class Severity(StrEnum):
    """What a failed check means for the output."""

    ERROR = "error"
    """The output is invalid."""
    WARNING = "warning"
    """Somebody should look; the output stays valid."""
    INFO = "info"
    """Only told."""


@dataclass(frozen=True, slots=True)
class Check:
    """One promise of an output."""

    name: str
    """Stable: listeners filter by it."""
    severity: Severity
    title: str
    """What is proven when the check passes."""
    judge: Callable[[Facts], Judgement]


_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
_opens, _row = file_checks.opens, row_checks.row_check

CHECKS = (
    # The file
    Check(
        "names_usable",
        _ERROR,
        "The storage and file names that GEM gives are plain names.",
        file_checks.names_usable,
    ),
    Check(
        "input_as_registered",
        _ERROR,
        "The job's input is the one that was expected when it was registered.",
        file_checks.input_as_registered,
    ),
    Check("exists", _ERROR, "The output exists and can be read.", file_checks.exists),
    Check(
        "auditable",
        _ERROR,
        "It can be audited within bounds of memory and time, without ending the process.",
        file_checks.auditable,
    ),
    Check("named_by_job", _ERROR, "It is the file that the job names.", file_checks.named_by_job),
    Check(
        "name_pattern",
        _WARNING,
        "Its name is the input's name without extension, then _matched.parquet.",
        file_checks.name_pattern,
    ),
    Check(
        "unchanged_while_read",
        _ERROR,
        "It stayed the same version while it was read (ETag).",
        file_checks.unchanged_while_read,
    ),
    Check("not_empty", _ERROR, "It has bytes.", _opens(FaultKind.EMPTY)),
    Check(
        "magic_bytes", _ERROR, "It starts and ends as Parquet files do.", _opens(FaultKind.MAGIC)
    ),
    Check(
        "footer_not_encrypted", _ERROR, "Its footer is not encrypted.", _opens(FaultKind.ENCRYPTED)
    ),
    Check("footer_readable", _ERROR, "Its footer can be read.", _opens(FaultKind.FOOTER)),
    Check(
        "chunks_in_bounds",
        _ERROR,
        "Every column chunk, also of columns that are not read, lies before the footer.",
        file_checks.chunks_in_bounds,
    ),
    Check("has_rows", _ERROR, "It has at least one row.", file_checks.has_rows),
    Check(
        "rows_readable",
        _ERROR,
        "Every row group can be read to the end in the columns that the checks need, and has the "
        "rows that the footer says.",
        file_checks.rows_readable,
    ),
    # Columns
    Check(
        "gers_id_column",
        _ERROR,
        "There is one column gers_id, of a text type.",
        column_checks.gers_id_column,
    ),
    Check(
        "confidence_column",
        _ERROR,
        "There is one column match_confidence, float32 or float64 and no integer percentage.",
        column_checks.confidence_column,
    ),
    Check(
        "status_column",
        _ERROR,
        "There is one column match_status, of a text type.",
        column_checks.status_column,
    ),
    Check("id_column", _ERROR, "There is one column id, integer or text.", column_checks.id_column),
    Check(
        "column_names_unique",
        _WARNING,
        "No other column name occurs twice.",
        column_checks.column_names_unique,
    ),
    Check("input_columns_kept", _ERROR, "Every input column is still there.", column_checks.kept),
    Check(
        "input_types_kept",
        _ERROR,
        "Every input column still has its type (text stays text, whichever way it is encoded).",
        column_checks.types_kept,
    ),
    Check(
        "input_order_kept",
        _WARNING,
        "The input columns stand in the input's order.",
        column_checks.order_kept,
    ),
    Check(
        "no_extra_columns",
        _WARNING,
        "There is no column beside the input's and the three promised ones.",
        column_checks.no_extra,
    ),
    Check(
        "no_name_clash",
        _WARNING,
        "No input column already had the name of a promised one.",
        column_checks.no_name_clash,
    ),
    Check(
        "input_values_kept",
        _ERROR,
        "Every value of the input's columns is as it was; looked at when asked for.",
        row_checks.values_kept,
    ),
    # match_status
    Check("status_present", _ERROR, "Every row has a match_status.", _row(RowRule.STATUS_NULL)),
    Check(
        "status_values",
        _ERROR,
        "Every match_status is matched or unmatched, in exactly these letters.",
        _row(RowRule.STATUS_WORD),
    ),
    # gers_id
    Check(
        "gers_id_on_matched", _ERROR, "Every matched row has a gers_id.", _row(RowRule.GERS_MISSING)
    ),
    Check(
        "no_gers_id_on_unmatched",
        _ERROR,
        "No unmatched row has a gers_id.",
        _row(RowRule.GERS_ON_UNMATCHED),
    ),
    Check(
        "unmatched_gers_id_null",
        _WARNING,
        "The gers_id of unmatched rows is null, not an empty string.",
        _row(RowRule.GERS_EMPTY_ON_UNMATCHED),
    ),
    Check(
        "gers_id_not_blank",
        _ERROR,
        "No gers_id consists of spaces or of nothing.",
        _row(RowRule.GERS_BLANK),
    ),
    Check(
        "gers_id_format",
        _ERROR,
        "Every gers_id is a UUID, or has the 32 hexadecimal digits of releases before 2025-06.",
        _row(RowRule.GERS_FORM),
    ),
    Check(
        "gers_id_format_of_release",
        _WARNING,
        "Every gers_id has the form of the job's overtureRelease: a UUID since 2025-06, 32 "
        "hexadecimal digits before.",
        row_checks.gers_id_format_of_release,
    ),
    Check(
        "gers_id_lower_case",
        _INFO,
        "Every gers_id is in lower case, as Overture writes it.",
        _row(RowRule.GERS_CAPITALS),
    ),
    # match_confidence
    Check(
        "confidence_finite",
        _ERROR,
        "No match_confidence is infinite or not a number.",
        _row(RowRule.CONFIDENCE_NOT_FINITE),
    ),
    Check(
        "confidence_range",
        _ERROR,
        "Every finite match_confidence is within 0 to 1.",
        _row(RowRule.CONFIDENCE_RANGE),
    ),
    Check(
        "confidence_on_matched",
        _ERROR,
        "Every matched row has a match_confidence.",
        _row(RowRule.CONFIDENCE_MISSING),
    ),
    Check(
        "confidence_threshold",
        _WARNING,
        "No matched row is below the job's confidence_threshold.",
        row_checks.confidence_threshold,
    ),
    # ids
    Check("id_present", _ERROR, "Every row has an id.", _row(RowRule.ID_MISSING)),
    Check("input_ids_kept", _ERROR, "Every id of the input is there.", row_checks.input_ids_kept),
    Check("no_extra_ids", _ERROR, "Every id is one of the input's.", row_checks.no_extra_ids),
    Check("ids_unique", _INFO, "Every id occurs once.", row_checks.ids_unique),
    # The job's statistics
    Check(
        "road_count",
        _ERROR,
        "num_roads_processed is the number of rows, or of distinct ids.",
        statistics_checks.road_count,
    ),
    Check(
        "matched_share_close",
        _ERROR,
        "The matched share is within 1 percentage point of roads_matched.",
        statistics_checks.share_close(MATCHED_SHARE),
    ),
    Check(
        "matched_share_exact",
        _WARNING,
        "The matched share rounds or truncates to the digits of roads_matched.",
        statistics_checks.share_exact(MATCHED_SHARE),
    ),
    Check(
        "unmatched_share_close",
        _ERROR,
        "The unmatched share is within 1 percentage point of roads_unmatched.",
        statistics_checks.share_close(UNMATCHED_SHARE),
    ),
    Check(
        "unmatched_share_exact",
        _WARNING,
        "The unmatched share rounds or truncates to the digits of roads_unmatched.",
        statistics_checks.share_exact(UNMATCHED_SHARE),
    ),
    Check(
        "matched_parts_sum",
        _WARNING,
        "roads_fully_matched and roads_partially_matched add up to roads_matched.",
        statistics_checks.matched_parts_sum,
    ),
    Check(
        "shares_sum",
        _WARNING,
        "roads_matched and roads_unmatched add up to 100%, within rounding.",
        statistics_checks.shares_sum,
    ),
    # Sanity
    Check("some_matched", _WARNING, "At least one row is matched.", row_checks.some_matched),
    Check(
        "confidences_vary",
        _WARNING,
        "The matched rows do not all have the same match_confidence.",
        row_checks.confidences_vary,
    ),
    Check(
        "gers_ids_vary",
        _WARNING,
        "The matched rows do not all have the same gers_id.",
        row_checks.gers_ids_vary,
    ),
)
"""In the order of the report: cheap ones, which stop those after them, come first."""
