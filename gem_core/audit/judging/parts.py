"""The parts of the facts that checks need, each with the reason when it is missing. Pure."""

from collections.abc import Collection, Mapping
from typing import Any

from gem_core.audit.against_input.columns import ColumnChanges
from gem_core.audit.against_input.values import ValueFacts
from gem_core.audit.contract import Promises
from gem_core.audit.ids.facts import IdFacts
from gem_core.audit.judging.check import Missing, Need, NotAsked, known
from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.not_opened import NotOpened, Obstacle
from gem_core.audit.parquet.opened_file import Fault, OpenedFile
from gem_core.audit.rows.confidence import Confidence
from gem_core.audit.rows.offenders import Offenders
from gem_core.audit.rows.profile import Profile
from gem_core.audit.rows.row_rules import COLUMNS_OF, OF_MATCHES, RowRule
from gem_core.gem.contracts.layout import Role

NOT_PARQUET = "the output is not readable Parquet"
UNKNOWN_LAYOUT = "the layout of the output is not known"
NO_STATUS = "the rows of this layout have no status: each one is a match"
KEEPS_NO_COLUMNS = "outputs of this layout do not keep the columns of the input"


def answer(facts: Facts) -> Mapping[str, Any]:
    """GEM's answer about the job. Raises NotAsked for a file that is audited without its job."""
    if not facts.job.answer:
        raise NotAsked("there is no answer of GEM about a job")
    return facts.job.answer


def of_answer[T](facts: Facts, value: T | None, reason: str) -> T:
    """What GEM's answer has about the job. Raises NotAsked without an answer, else Missing."""
    if value is None:
        answer(facts)
        raise Missing(reason)
    return value


def output_name(facts: Facts) -> str:
    """The output's name in its storage."""
    return known(facts.name, Obstacle.NAMES)


def content(facts: Facts) -> OpenedFile | Fault:
    """The bytes of one version, as Parquet or as the fault that shows that they are not."""
    if isinstance(facts.file, NotOpened):
        raise Missing(facts.file.obstacle)
    return facts.file


def footer(facts: Facts) -> OpenedFile:
    """The output's footer: schema, rows, column chunks."""
    file = content(facts)
    if isinstance(file, Fault):
        raise Missing(NOT_PARQUET)
    return file


def promises(facts: Facts) -> Promises:
    """What the output's layout promises."""
    footer(facts)
    return known(facts.promises, UNKNOWN_LAYOUT)


def rows(facts: Facts) -> Profile:
    """The rows, read to the end."""
    promises(facts)
    none_read = "the output has none of the columns that are checked"
    return known(facts.profile, facts.broken_off or none_read)


def offenders(rule: RowRule) -> Need[Offenders]:
    """The rows that break a rule."""

    def found(facts: Facts) -> Offenders:
        by_match = rule in OF_MATCHES and promises(facts).layout.row_per_match
        _require(facts, sorted(COLUMNS_OF[rule] - ({Role.STATUS} if by_match else set())))
        return rows(facts).offenders[rule]

    return found


def matched_rows(facts: Facts) -> int:
    """The number of matched rows."""
    profile = rows(facts)
    if profile.matched is None or not (profile.rows or promises(facts).layout.row_per_match):
        raise Missing("there are no rows with a status")
    return profile.matched


def several_confidences(facts: Facts) -> Confidence:
    """The confidences of the matched rows, at least two."""
    found = rows(facts).confidence
    if found is None or found.count < 2:  # noqa: PLR2004 - one is always equal to itself
        raise Missing("fewer than two matched rows have a usable confidence")
    return found


def several_gers_ids(facts: Facts) -> Profile:
    """The rows, of which at least two are matched and have a GERS id."""
    profile = rows(facts)
    if profile.rows_with_gers_id < 2:  # noqa: PLR2004 - as above
        raise Missing("fewer than two matched rows have a GERS id")
    return profile


def ids(facts: Facts) -> IdFacts:
    """The ids."""
    _require(facts, {Role.ID})
    rows(facts)
    return known(facts.ids, facts.ids_fault)


def roads(facts: Facts) -> tuple[int, int]:
    """The number of roads, and of those with a match. A road is a distinct id.

    A layout with a row for each match has no row for other roads: they are counted in the input.
    """
    distinct, matched = distinct_ids(facts)
    if not promises(facts).layout.row_per_match:
        return distinct, matched
    try:
        absent, foreign = _missing_ids(facts).count, extra_ids(facts).count
    except Missing as reason:
        raise Missing(f"roads without a match are only in the input: {reason}") from None
    return distinct - foreign + absent, matched - foreign


def distinct_ids(facts: Facts) -> tuple[int, int]:
    """The number of distinct ids, and of those that have a matched row."""
    found = ids(facts)
    distinct = known(found.distinct, found.not_counted)
    return distinct, known(found.distinct_matched, found.not_counted)


def repeated_ids(facts: Facts) -> int:
    """The number of rows whose id an earlier row has."""
    distinct, _ = distinct_ids(facts)
    return ids(facts).rows - distinct


def missing_ids(facts: Facts) -> Offenders:
    """The distinct ids of the input that the output lacks, if it is to have them all."""
    if promises(facts).layout.row_per_match:
        raise NotAsked("outputs of this layout have no row for a road without a match")
    return _missing_ids(facts)


def _missing_ids(facts: Facts) -> Offenders:
    _require_input(facts)
    found = ids(facts)
    return Offenders(known(found.missing, found.not_compared), found.missing_examples)


def extra_ids(facts: Facts) -> Offenders:
    """The distinct ids of the output that the input lacks."""
    _require_input(facts)
    found = ids(facts)
    return Offenders(known(found.extra, found.not_compared), found.extra_examples)


def input_columns(facts: Facts) -> ColumnChanges:
    """The input's columns beside the output's."""
    _require_input(facts)
    _require_kept_columns(facts)
    return known(facts.input.columns, facts.input.note)


def input_values(facts: Facts) -> ValueFacts:
    """The values of the input's columns beside the output's."""
    _require_input(facts)
    if facts.values is None:
        raise NotAsked("only ids are compared; GEM_INPUT_COMPARE or --compare asks for all columns")
    _require_kept_columns(facts)
    if facts.broken_off:
        raise Missing(facts.broken_off)
    return facts.values


AGAINST_INPUT = frozenset({missing_ids, extra_ids, input_columns, input_values})
"""The parts that only an input gives."""


def _require_input(facts: Facts) -> None:
    """Raise NotAsked unless a comparison with the input was asked for."""
    if not facts.input.asked:
        raise NotAsked(facts.input.note)


def _require_kept_columns(facts: Facts) -> None:
    """Raise NotAsked unless the output is to have the columns of the input."""
    if not promises(facts).layout.keeps_input:
        raise NotAsked(KEEPS_NO_COLUMNS)


def column(facts: Facts, role: Role) -> str:
    """What is wrong with a column, in words; empty when nothing is.

    Raises Missing if nobody here can read it, and NotAsked if the output's layout does not have the
    column, or need not have it.
    """
    found, schema = promises(facts), footer(facts).schema
    if promise := found.columns.get(role):
        if reason := promise.unreadable(schema):
            raise Missing(reason)
        return promise.problem(schema)
    if role is Role.STATUS:
        raise NotAsked(NO_STATUS)
    optional = found.optional.get(role)
    if optional is None or optional.name not in schema.names:
        raise NotAsked(f"the output has no column for the {role}")
    return optional.problem(schema)


def _require(facts: Facts, roles: Collection[Role]) -> None:
    """Raise Missing, with what is wrong, unless the output has these columns as promised."""
    for role in roles:
        if problem := column(facts, role):
            raise Missing(problem)
