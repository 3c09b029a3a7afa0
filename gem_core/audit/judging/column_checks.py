"""Checks about columns: those that GEM adds, and those of the input. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence

from gem_core.audit.against_input.columns import ColumnChanges
from gem_core.audit.against_input.values import ValueFacts
from gem_core.audit.judging.check import ERROR, WARNING, Check, Severity, check
from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.parts import column, footer, input_columns, input_values, promises
from gem_core.audit.judging.verdict import Judgement, failed, no_problem, not_run, passed
from gem_core.gem.contracts.layout import Role


def _promised(name: str, role: Role, title: str) -> Check:
    """A column that every output has, once and of an accepted type."""

    def problem(facts: Facts) -> str:
        return column(facts, role)

    return check(ERROR, title, problem, name=name)(no_problem)


def _other_names(facts: Facts) -> list[str]:
    """The names of all columns but those that have a check of their own."""
    checked = {promise.name for promise in promises(facts).columns.values()}
    return [name for name in footer(facts).schema.names if name not in checked]


@check(WARNING, "No other column name occurs twice.", _other_names)
def column_names_unique(names: list[str]) -> Judgement:
    """Parquet allows equal names; most readers reject them or lose a column."""
    return _no_columns([name for name, times in Counter(names).items() if times > 1])


def _input_columns(
    name: str,
    severity: Severity,
    title: str,
    offenders: Callable[[ColumnChanges], Sequence[str]],
    explanation: str = "",
) -> Check:
    """What became of the input's columns."""
    return check(severity, title, input_columns, name=name)(
        lambda columns: _no_columns(offenders(columns), explanation)
    )


def _no_columns(names: Sequence[str], explanation: str = "") -> Judgement:
    """Fail for any of these columns; the first ten are named."""
    if not names:
        return passed()
    shown, more = ", ".join(name[:100] for name in names[:10]), len(names) - 10
    return failed(shown + (f" and {more} more" if more > 0 else "") + explanation, len(names))


@check(
    ERROR,
    "Every value in the input's columns is unchanged; compared only on request.",
    input_values,
)
def input_values_kept(values: ValueFacts) -> Judgement:
    """Row by row, in the columns that can be compared (`columns.comparable_columns`)."""
    names = ", ".join(name[:100] for name in values.left_out_columns[:10])
    left_out = values.stopped or (f"columns that cannot be compared: {names}" if names else "")
    if not values.differing.count:
        return not_run(left_out) if left_out else passed()
    columns = [f"{name[:100]} in {found.count}" for name, found in values.columns.items()]
    shown = ", ".join(columns[:10]) + (", …" if len(columns) > 10 else "")  # noqa: PLR2004 - a line
    detail = f"{values.differing.count} of {values.rows} rows: {shown}"
    rest = f"; {left_out}" if left_out else ""
    return failed(detail + rest, values.differing.count, values.differing.examples)


@check(
    WARNING,
    "Every row of the output can be paired with its row of the input, so that values can be "
    "compared; only on request.",
    input_values,
)
def input_rows_paired(values: ValueFacts) -> Judgement:
    """Rows are paired in the order of the input (`pairing`)."""
    if values.stopped and not values.unpaired:
        return not_run(values.stopped)
    return no_problem(values.unpaired)


COLUMN_CHECKS = (
    _promised("gers_id_column", Role.GERS_ID, "There is one column of GERS ids, of a text type."),
    _promised(
        "confidence_column",
        Role.CONFIDENCE,
        "There is one column of confidences, float32 or float64; an integer percentage only in "
        "layouts that have it.",
    ),
    _promised("status_column", Role.STATUS, "There is one column of statuses, of a text type."),
    _promised("id_column", Role.ID, "There is one column of ids, integer or text."),
    column_names_unique,
    _input_columns(
        "input_columns_kept",
        ERROR,
        "Every column of the input is in the output.",
        lambda columns: columns.missing,
    ),
    _input_columns(
        "input_types_kept",
        ERROR,
        "Every column of the input keeps its Parquet type, or gets one that holds all its values.",
        lambda columns: columns.retyped,
    ),
    _input_columns(
        "input_types_not_widened",
        WARNING,
        "Every column of the input keeps its unit of time and its number of bits or digits.",
        lambda columns: columns.widened,
    ),
    _input_columns(
        "input_order_kept",
        WARNING,
        "The columns of the input keep their order.",
        lambda columns: columns.moved,
    ),
    _input_columns(
        "no_extra_columns",
        WARNING,
        "The output has no columns but the input's and those that GEM adds.",
        lambda columns: columns.extra,
    ),
    _input_columns(
        "no_name_clash",
        WARNING,
        "No column of the input has the name of a column that GEM adds.",
        lambda columns: columns.clashing,
        "; the output's column of that name is taken to be GEM's, "
        "so the input's own column cannot be compared",
    ),
    input_values_kept,
    input_rows_paired,
)
