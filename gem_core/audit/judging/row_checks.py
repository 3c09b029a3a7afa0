"""Checks about rows, ids and the sanity of the whole. Pure."""

from collections.abc import Callable

from gem_core.audit.against_input.values import ValueFacts
from gem_core.audit.contract import ID, promises_of
from gem_core.audit.ids.facts import IdFacts
from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.job_statistics import StatisticUnusable, read_threshold
from gem_core.audit.judging.verdict import Judgement, Verdict, failed, not_asked, not_run, passed
from gem_core.audit.rows.gers import GersForm, ReleaseUnreadable, form_of_release
from gem_core.audit.rows.row_rules import NEEDS, RowRule


def row_check(rule: RowRule) -> Callable[[Facts], Judgement]:
    """No row breaks the rule."""

    def judge(facts: Facts) -> Judgement:
        if not facts.profile:
            return not_run(facts.unread)
        found = facts.profile.offenders.get(rule)
        if found is None:
            columns = promises_of(facts.job).columns
            needed = " and ".join(sorted(columns[role].name for role in NEEDS[rule]))
            return not_run(f"it needs {needed} as promised")
        if not found.count:
            return passed()
        return failed(f"{found.count} of {facts.profile.rows} rows", found.count, found.examples)

    return judge


_below_threshold = row_check(RowRule.CONFIDENCE_LOW)


def confidence_threshold(facts: Facts) -> Judgement:
    """`confidence_threshold` is percent, match_confidence is 0 to 1."""
    try:
        read_threshold(facts.job)
    except StatisticUnusable as reason:
        return not_run(str(reason))
    return _below_threshold(facts)


_of_other_form = row_check(RowRule.GERS_OTHER_FORM)


def gers_id_format_of_release(facts: Facts) -> Judgement:
    """An id of the other form is none that the release has: ids of another release, or made up."""
    try:
        expected = form_of_release(facts.job.overture_release)
    except ReleaseUnreadable as reason:
        return not_run(str(reason))
    found = _of_other_form(facts)
    if found.verdict is not Verdict.FAILED:
        return found
    words = "UUIDs" if expected is GersForm.UUID else "32 hexadecimal digits each"
    detail = f"{found.detail}; ids of release {facts.job.overture_release} are {words}"
    return failed(detail, found.offending, found.examples)


def _ids_check(judge: Callable[[IdFacts], Judgement]) -> Callable[[Facts], Judgement]:
    def judged(facts: Facts) -> Judgement:
        if not facts.profile:
            return not_run(facts.unread)
        if not facts.ids:
            return not_run(facts.ids_fault or f"it needs {ID} as promised")
        return judge(facts.ids)

    return judged


@_ids_check
def input_ids_kept(ids: IdFacts) -> Judgement:
    """Distinct ids of the input, compared exactly."""
    if ids.missing is None:
        return not_run(ids.not_compared)
    if not ids.missing:
        return passed()
    return failed(f"{ids.missing} of the input's ids", ids.missing, ids.missing_examples)


@_ids_check
def no_extra_ids(ids: IdFacts) -> Judgement:
    """Distinct ids of the output, compared exactly."""
    if ids.invented is None:
        return not_run(ids.not_compared)
    if not ids.invented:
        return passed()
    return failed(f"{ids.invented} of the output's ids", ids.invented, ids.invented_examples)


@_ids_check
def ids_unique(ids: IdFacts) -> Judgement:
    """A repeated id is no fault: nothing says that a road has one row."""
    if ids.distinct is None:
        return not_run(ids.not_counted)
    repeats = ids.rows - ids.distinct
    return failed(f"{repeats} rows repeat an id", repeats) if repeats else passed()


def values_kept(facts: Facts) -> Judgement:
    """Row by row, of the columns that `contract.followed` finds again."""
    values = facts.values
    if not facts.opened:
        return not_run(facts.unopened)
    if not values:
        return not_asked(
            "only ids are compared; GEM_INPUT_COMPARE or --compare asks for all columns"
        )
    if facts.broken_off:
        return not_run(facts.broken_off)
    missed = values.stopped or _not_followed(values)
    if values.differing.count:
        columns = [f"{name[:100]} in {found.count}" for name, found in values.columns.items()]
        shown = ", ".join(columns[:10]) + (", …" if len(columns) > 10 else "")  # noqa: PLR2004 - a line
        detail = f"{values.differing.count} of {values.rows} rows: {shown}"
        rest = f"; {missed}" if missed else ""
        return failed(detail + rest, values.differing.count, values.differing.examples)
    return not_run(missed) if missed else passed()


def _not_followed(values: ValueFacts) -> str:
    names = ", ".join(name[:100] for name in values.not_followed[:10])
    return f"columns that cannot be followed: {names}" if names else ""


def some_matched(facts: Facts) -> Judgement:
    """A whole file of unmatched roads points to a wrong region or release."""
    if not facts.profile:
        return not_run(facts.unread)
    if facts.profile.matched is None or not facts.profile.rows:
        return not_run("there are no rows with a match_status")
    return passed() if facts.profile.matched else failed("no row is matched")


def confidences_vary(facts: Facts) -> Judgement:
    """All equal points to a default that was never filled in."""
    if not facts.profile:
        return not_run(facts.unread)
    confidence = facts.profile.confidence
    if confidence is None or confidence.count < 2:  # noqa: PLR2004 - one is always equal to itself
        return not_run("fewer than two matched rows have a match_confidence as promised")
    if confidence.minimum != confidence.maximum:
        return passed()
    return failed(f"all {confidence.count} are {confidence.minimum}", confidence.count)


def gers_ids_vary(facts: Facts) -> Judgement:
    """All equal points to a join that went wrong."""
    if not facts.profile:
        return not_run(facts.unread)
    if facts.profile.gers_rows < 2:  # noqa: PLR2004 - one is always equal to itself
        return not_run("fewer than two matched rows have a gers_id")
    one = facts.profile.one_gers_id
    return passed() if one is None else failed(f"all {facts.profile.gers_rows} are {one}")
