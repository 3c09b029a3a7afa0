"""Checks about rows, ids, and whether the whole is plausible. Pure."""

from gem_core.audit.judging.check import ERROR, INFO, WARNING, Check, Missing, Severity, check
from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.job_statistics import threshold
from gem_core.audit.judging.parts import (
    extra_ids,
    matched_rows,
    missing_ids,
    of_answer,
    offenders,
    repeated_ids,
    rows,
    several_confidences,
    several_gers_ids,
)
from gem_core.audit.judging.verdict import Judgement, failed, passed
from gem_core.audit.rows.confidence import Confidence
from gem_core.audit.rows.gers import NO_RELEASE, GersFormat, ReleaseUnreadable, format_of_release
from gem_core.audit.rows.offenders import Offenders
from gem_core.audit.rows.profile import Profile
from gem_core.audit.rows.row_rules import RowRule


def _row(rule: RowRule, severity: Severity, title: str) -> Check:
    """No row breaks the rule."""
    return check(severity, title, rows, offenders(rule), name=rule.value)(_no_rows)


def _no_rows(profile: Profile, found: Offenders, explanation: str = "") -> Judgement:
    return _none(found, f"{profile.rows} rows{explanation}")


def _none(found: Offenders, of_which: str) -> Judgement:
    if not found.count:
        return passed()
    return failed(f"{found.count} of {of_which}", found.count, found.examples)


def _release(facts: Facts) -> str:
    """The job's Overture release, which decides the format of its ids."""
    release = of_answer(facts, facts.job.overture_release, NO_RELEASE)
    try:
        format_of_release(release)
    except ReleaseUnreadable as reason:
        raise Missing(str(reason)) from None
    return release


@check(
    WARNING,
    "Every GERS id has the format of the job's Overture release: a UUID since 2025-06, 32 "
    "hexadecimal digits before.",
    _release,
    rows,
    offenders(RowRule.GERS_ID_FORMAT_OF_RELEASE),
)
def gers_id_format_of_release(release: str, profile: Profile, found: Offenders) -> Judgement:
    """A release has no id of the other format: such an id is of another release, or made up."""
    is_uuid = format_of_release(release) is GersFormat.UUID
    form = "UUIDs" if is_uuid else "32 hexadecimal digits each"
    return _no_rows(profile, found, f"; ids of release {release} are {form}")


@check(
    WARNING,
    "No matched row has a confidence below the job's threshold.",
    threshold,
    rows,
    offenders(RowRule.CONFIDENCE_THRESHOLD),
)
def confidence_threshold(_: float, profile: Profile, found: Offenders) -> Judgement:
    """The job's threshold is percent, a confidence is 0 to 1."""
    return _no_rows(profile, found)


ROW_CHECKS = (
    _row(
        RowRule.LINEAR_REFERENCE_VALUES,
        ERROR,
        "Every linear reference is finite and not negative.",
    ),
    _row(RowRule.LINEAR_REFERENCE_ORDER, WARNING, "No match ends before it begins."),
    _row(RowRule.STATUS_PRESENT, ERROR, "Every row has a status."),
    _row(RowRule.STATUS_VALUES, ERROR, "Every status is matched or unmatched, in these letters."),
    _row(RowRule.GERS_ID_ON_MATCHED, ERROR, "Every matched row has a GERS id."),
    _row(RowRule.NO_GERS_ID_ON_UNMATCHED, ERROR, "No unmatched row has a GERS id."),
    _row(
        RowRule.UNMATCHED_GERS_ID_NULL,
        WARNING,
        "The GERS id of an unmatched row is null, not an empty string.",
    ),
    _row(RowRule.GERS_ID_NOT_BLANK, ERROR, "No GERS id is empty or only white space."),
    _row(
        RowRule.GERS_ID_FORMAT,
        ERROR,
        "Every GERS id is a UUID, or has the 32 hexadecimal digits of releases before 2025-06.",
    ),
    gers_id_format_of_release,
    _row(RowRule.GERS_ID_LOWER_CASE, INFO, "Every GERS id is in lower case, as Overture has it."),
    _row(RowRule.CONFIDENCE_FINITE, ERROR, "No confidence is infinite or not a number."),
    _row(RowRule.CONFIDENCE_RANGE, ERROR, "Every finite confidence is from 0 to 1."),
    _row(RowRule.CONFIDENCE_ON_MATCHED, ERROR, "Every matched row has a confidence."),
    confidence_threshold,
)


@check(ERROR, "Every id of the input is in the output.", missing_ids)
def input_ids_kept(missing: Offenders) -> Judgement:
    """Distinct ids of the input, compared exactly."""
    return _none(missing, "the input's ids")


@check(ERROR, "Every id of the output is in the input.", extra_ids)
def no_extra_ids(extra: Offenders) -> Judgement:
    """Distinct ids of the output, compared exactly."""
    return _none(extra, "the output's ids")


@check(INFO, "No id occurs twice.", repeated_ids)
def ids_unique(repeats: int) -> Judgement:
    """A repeated id is not a fault: nothing says that a road has one row."""
    return failed(f"{repeats} rows repeat an id", repeats) if repeats else passed()


ID_CHECKS = (
    _row(RowRule.ID_PRESENT, ERROR, "Every row has an id."),
    input_ids_kept,
    no_extra_ids,
    ids_unique,
)


@check(WARNING, "At least one row is matched.", matched_rows)
def some_matched(matched: int) -> Judgement:
    """A whole file of unmatched roads points to a wrong region or release."""
    return passed() if matched else failed("no row is matched")


@check(WARNING, "The matched rows do not all have the same confidence.", several_confidences)
def confidences_vary(found: Confidence) -> Judgement:
    """All equal points to a default value that was never replaced."""
    if found.minimum != found.maximum:
        return passed()
    return failed(f"all {found.count} are {found.minimum}", found.count)


@check(WARNING, "The matched rows do not all have the same GERS id.", several_gers_ids)
def gers_ids_vary(found: Profile) -> Judgement:
    """All equal points to a wrong join."""
    one = found.only_gers_id
    return passed() if one is None else failed(f"all {found.rows_with_gers_id} are {one}")


PLAUSIBILITY_CHECKS = (some_matched, confidences_vary, gers_ids_vary)
