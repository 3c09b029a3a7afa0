"""Every check of an output, in the order of the report. Pure.

The lists are the documentation of what an audit proves.
"""

from gem_core.audit.judging.column_checks import COLUMN_CHECKS
from gem_core.audit.judging.file_checks import FILE_CHECKS
from gem_core.audit.judging.overture_checks import OVERTURE_CHECKS
from gem_core.audit.judging.parts import AGAINST_INPUT
from gem_core.audit.judging.row_checks import ID_CHECKS, PLAUSIBILITY_CHECKS, ROW_CHECKS
from gem_core.audit.judging.statistics_checks import STATISTICS_CHECKS

CHECKS = (
    *FILE_CHECKS,
    *COLUMN_CHECKS,
    *ROW_CHECKS,
    *ID_CHECKS,
    *STATISTICS_CHECKS,
    *PLAUSIBILITY_CHECKS,
    *OVERTURE_CHECKS,
)

COMPARISONS = frozenset(check.name for check in CHECKS if AGAINST_INPUT & set(check.needs))
"""The names of the checks that need the input file."""
