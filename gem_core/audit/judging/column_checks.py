"""Checks about columns: the promised ones, and what became of the input's. Pure."""

from collections import Counter
from collections.abc import Callable

from gem_core.audit.against_input.columns import ColumnChanges
from gem_core.audit.contract import promises_of
from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.verdict import Judgement, failed, not_run, passed
from gem_core.gem.contracts.contract import Role


def _promised(role: Role) -> Callable[[Facts], Judgement]:
    def judge(facts: Facts) -> Judgement:
        if not facts.opened:
            return not_run(facts.unopened)
        problem = promises_of(facts.job).columns[role].problem(facts.opened.schema)
        return failed(problem) if problem else passed()

    return judge


gers_id_column = _promised(Role.GERS_ID)
confidence_column = _promised(Role.CONFIDENCE)
status_column = _promised(Role.STATUS)
id_column = _promised(Role.ID)


def column_names_unique(facts: Facts) -> Judgement:
    """Parquet allows equal names; most readers refuse them or lose a column."""
    if not facts.opened:
        return not_run(facts.unopened)
    judged = {column.name for column in promises_of(facts.job).columns.values()}
    twice = [
        name
        for name, times in Counter(facts.opened.schema.names).items()
        if times > 1 and name not in judged
    ]
    return failed(_listed(twice), len(twice)) if twice else passed()


def _against_input(
    offenders: Callable[[ColumnChanges], tuple[str, ...]], explanation: str = ""
) -> Callable[[Facts], Judgement]:
    def judge(facts: Facts) -> Judgement:
        if not facts.opened:
            return not_run(facts.unopened)
        if not facts.input.columns:
            return not_run(facts.input.note)
        found = offenders(facts.input.columns)
        return failed(_listed(found) + explanation, len(found)) if found else passed()

    return judge


kept = _against_input(lambda columns: columns.missing)
types_kept = _against_input(lambda columns: columns.retyped)
order_kept = _against_input(lambda columns: columns.moved)
no_extra = _against_input(lambda columns: columns.extra)
no_name_clash = _against_input(
    lambda columns: columns.clashing,
    "; the output's column of that name is judged as GEM's result, "
    "and what became of the input's own cannot be told",
)


def _listed(names: list[str] | tuple[str, ...]) -> str:
    shown = ", ".join(name[:100] for name in names[:10])
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10} more"  # noqa: PLR2004 - a line
