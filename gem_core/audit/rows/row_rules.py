"""The rules of rows, the columns that each one reads, and what they take from the job. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from gem_core.audit.rows.gers import GersFormat
from gem_core.gem.contracts.layout import Role


class RowRule(StrEnum):
    """A rule that every row keeps. It has the name of its check, whose title states it."""

    STATUS_PRESENT = "status_present"
    STATUS_VALUES = "status_values"
    GERS_ID_ON_MATCHED = "gers_id_on_matched"
    NO_GERS_ID_ON_UNMATCHED = "no_gers_id_on_unmatched"
    UNMATCHED_GERS_ID_NULL = "unmatched_gers_id_null"
    GERS_ID_NOT_BLANK = "gers_id_not_blank"
    GERS_ID_FORMAT = "gers_id_format"
    GERS_ID_FORMAT_OF_RELEASE = "gers_id_format_of_release"
    GERS_ID_LOWER_CASE = "gers_id_lower_case"
    CONFIDENCE_FINITE = "confidence_finite"
    CONFIDENCE_RANGE = "confidence_range"
    CONFIDENCE_ON_MATCHED = "confidence_on_matched"
    CONFIDENCE_THRESHOLD = "confidence_threshold"
    ID_PRESENT = "id_present"
    LINEAR_REFERENCE_VALUES = "linear_reference_values"
    LINEAR_REFERENCE_ORDER = "linear_reference_order"


COLUMNS_OF = {
    RowRule.STATUS_PRESENT: {Role.STATUS},
    RowRule.STATUS_VALUES: {Role.STATUS},
    RowRule.GERS_ID_ON_MATCHED: {Role.GERS_ID, Role.STATUS},
    RowRule.NO_GERS_ID_ON_UNMATCHED: {Role.GERS_ID, Role.STATUS},
    RowRule.UNMATCHED_GERS_ID_NULL: {Role.GERS_ID, Role.STATUS},
    RowRule.GERS_ID_NOT_BLANK: {Role.GERS_ID, Role.STATUS},
    RowRule.GERS_ID_FORMAT: {Role.GERS_ID},
    RowRule.GERS_ID_FORMAT_OF_RELEASE: {Role.GERS_ID},
    RowRule.GERS_ID_LOWER_CASE: {Role.GERS_ID},
    RowRule.CONFIDENCE_FINITE: {Role.CONFIDENCE},
    RowRule.CONFIDENCE_RANGE: {Role.CONFIDENCE},
    RowRule.CONFIDENCE_ON_MATCHED: {Role.CONFIDENCE, Role.STATUS},
    RowRule.CONFIDENCE_THRESHOLD: {Role.CONFIDENCE, Role.STATUS},
    RowRule.ID_PRESENT: {Role.ID},
    RowRule.LINEAR_REFERENCE_VALUES: {Role.LINEAR_START, Role.LINEAR_END},
    RowRule.LINEAR_REFERENCE_ORDER: {Role.LINEAR_START, Role.LINEAR_END},
}
"""The columns that each rule reads."""

OF_MATCHES = frozenset(
    {
        RowRule.GERS_ID_ON_MATCHED,
        RowRule.GERS_ID_NOT_BLANK,
        RowRule.CONFIDENCE_ON_MATCHED,
        RowRule.CONFIDENCE_THRESHOLD,
    }
)
"""The rules that need no status if each row is a match."""

OF_CONFIDENCE = frozenset(
    {
        RowRule.CONFIDENCE_FINITE,
        RowRule.CONFIDENCE_RANGE,
        RowRule.CONFIDENCE_ON_MATCHED,
        RowRule.CONFIDENCE_THRESHOLD,
    }
)
"""The rules that depend on what the confidences mean."""


ABOUT: dict[RowRule, tuple[Role, ...]] = {
    RowRule.STATUS_VALUES: (Role.STATUS,),
    RowRule.NO_GERS_ID_ON_UNMATCHED: (Role.GERS_ID,),
    RowRule.UNMATCHED_GERS_ID_NULL: (Role.GERS_ID,),
    RowRule.GERS_ID_NOT_BLANK: (Role.GERS_ID,),
    RowRule.GERS_ID_FORMAT: (Role.GERS_ID,),
    RowRule.GERS_ID_FORMAT_OF_RELEASE: (Role.GERS_ID,),
    RowRule.GERS_ID_LOWER_CASE: (Role.GERS_ID,),
    RowRule.CONFIDENCE_FINITE: (Role.CONFIDENCE,),
    RowRule.CONFIDENCE_RANGE: (Role.CONFIDENCE,),
    RowRule.CONFIDENCE_THRESHOLD: (Role.CONFIDENCE,),
    RowRule.ID_PRESENT: (Role.ID,),
    RowRule.LINEAR_REFERENCE_VALUES: (Role.LINEAR_START, Role.LINEAR_END),
    RowRule.LINEAR_REFERENCE_ORDER: (Role.LINEAR_START, Role.LINEAR_END),
}
"""The columns whose values break a rule, and are shown. A row breaks any other rule by a null."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the rules take from the job. A rule whose term is None is left out."""

    confidence_floor: float | None = None
    """Matched rows with a confidence (0 to 1) below it break CONFIDENCE_THRESHOLD."""
    gers_format: GersFormat | None = None
    """GERS ids of the other format break GERS_ID_FORMAT_OF_RELEASE."""

    @property
    def left_out(self) -> frozenset[RowRule]:
        """The rules that cannot be judged without a term."""
        terms = {
            RowRule.CONFIDENCE_THRESHOLD: self.confidence_floor,
            RowRule.GERS_ID_FORMAT_OF_RELEASE: self.gers_format,
        }
        return frozenset(rule for rule, term in terms.items() if term is None)
