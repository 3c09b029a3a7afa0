"""Counts over rows, against a plain reading of the rules in Python."""

import math
import re
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.audit.arrow.text import escaped
from gem_core.audit.contract import UsableColumns
from gem_core.audit.rows.example import EXAMPLES, Example
from gem_core.audit.rows.gers import GersFormat
from gem_core.audit.rows.profile import Profile, Profiler
from gem_core.audit.rows.row_rules import ABOUT, COLUMNS_OF, RowRule, Terms
from gem_core.gem.contracts.layout import Role
from tests.audit.build import LINEAR, gers

USABLE = UsableColumns(
    {Role.ID: "id", Role.GERS_ID: "gers", Role.CONFIDENCE: "score", Role.STATUS: "state"},
    matched=("matched",),
    unmatched=("unmatched",),
)
"""Names of our own: rows are judged by role."""
RULES = {rule for rule in RowRule if rule.value not in LINEAR}
"""Of these columns."""
FLOOR = 0.6

type Row = tuple[object, str | None, float | None, str | None]


def profiled(
    rows: list[Row],
    *,
    size: int = 4,
    kind: pa.DataType | None = None,
    without: Role | None = None,
    form: GersFormat | None = GersFormat.UUID,
) -> Profile:
    kinds = (kind or pa.int64(), pa.string(), pa.float64(), pa.string())
    usable = USABLE.only(*(role for role in Role if role is not without))
    profiler = Profiler(usable, Terms(FLOOR, form))
    for start in range(0, len(rows), size):
        columns = zip(*rows[start : start + size], strict=True)
        arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
        batch = pa.record_batch(arrays, names=USABLE.names)
        status = [row[3] for row in rows[start : start + size]]
        matched = profiler.add(batch.select(usable.names))
        if without is not Role.STATUS:
            assert matched.tolist() == [word == "matched" for word in status]
    return profiler.profile()


def broken(row: Row, form: GersFormat = GersFormat.UUID) -> set[RowRule]:
    """The rules again, one row at a time and in the plainest words."""
    id_, gers_id, confidence, status = row
    found = gers_faults(gers_id, status, form) | confidence_faults(confidence, status)
    if id_ is None or not str(id_).strip():
        found.add(RowRule.ID_PRESENT)
    if status is None:
        found.add(RowRule.STATUS_PRESENT)
    elif status not in {"matched", "unmatched"}:
        found.add(RowRule.STATUS_VALUES)
    return found


FORM = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def gers_faults(gers_id: str | None, status: str | None, form: GersFormat) -> set[RowRule]:
    if gers_id is None:
        return {RowRule.GERS_ID_ON_MATCHED} if status == "matched" else set()
    if gers_id == "" and status == "unmatched":
        return {RowRule.UNMATCHED_GERS_ID_NULL}
    if not gers_id.strip():
        return {RowRule.GERS_ID_NOT_BLANK}
    well_formed = FORM.fullmatch(gers_id) is not None
    return {
        *([RowRule.NO_GERS_ID_ON_UNMATCHED] if status == "unmatched" else []),
        *([RowRule.GERS_ID_FORMAT] if not well_formed else []),
        *(
            [RowRule.GERS_ID_FORMAT_OF_RELEASE]
            if well_formed and ("-" in gers_id) is (form is GersFormat.DIGITS)
            else []
        ),
        *([RowRule.GERS_ID_LOWER_CASE] if well_formed and gers_id != gers_id.lower() else []),
    }


def confidence_faults(confidence: float | None, status: str | None) -> set[RowRule]:
    matched = status == "matched"
    if confidence is None:
        return {RowRule.CONFIDENCE_ON_MATCHED} if matched else set()
    if not math.isfinite(confidence):
        return {RowRule.CONFIDENCE_FINITE}
    if not 0 <= confidence <= 1:
        return {RowRule.CONFIDENCE_RANGE}
    return {RowRule.CONFIDENCE_THRESHOLD} if matched and confidence < FLOOR else set()


gers_ids = st.sampled_from(
    [
        None,
        "",
        " ",
        "\n",
        gers(1),
        gers(2).upper(),
        gers(3).replace("-", ""),
        gers(4) + "\n",
        "R_1",
        "é",
    ]
)
confidences = st.sampled_from([None, 0.0, 0.5, 0.6, 1.0, 1.5, -0.1, math.nan, math.inf, -math.inf])
statuses = st.sampled_from(["matched", "unmatched", "matched", "unmatched", None, "", "Matched"])
some_rows = st.lists(
    st.tuples(st.none() | st.integers(0, 99), gers_ids, confidences, statuses), max_size=30
)


SHOWN = {Role.ID: 0, Role.GERS_ID: 1, Role.CONFIDENCE: 2, Role.STATUS: 3}


def shown(rule: RowRule, row: Row) -> str | None:
    """The value that an example shows."""
    value = row[SHOWN[ABOUT[rule][0]]] if rule in ABOUT else None
    return escaped(pa.scalar(value)) if value is not None else None


@given(some_rows, st.integers(1, 9), st.sampled_from(GersFormat))
def test_counts_agree_with_the_plain_reading(rows: list[Row], size: int, form: GersFormat) -> None:
    found = profiled(rows, size=size, form=form)
    expected = Counter(rule for row in rows for rule in broken(row, form))
    assert {rule: offenders.count for rule, offenders in found.offenders.items()} == {
        rule: expected[rule] for rule in RULES
    }
    for rule, offenders in found.offenders.items():
        assert (
            offenders.examples
            == tuple(
                Example(number, None if row[0] is None else str(row[0]), shown(rule, row))
                for number, row in enumerate(rows)
                if rule in broken(row, form)
            )[:EXAMPLES]
        )
    assert (found.rows, found.matched, found.unmatched) == (
        len(rows),
        sum(row[3] == "matched" for row in rows),
        sum(row[3] == "unmatched" for row in rows),
    )


@given(some_rows)
def test_confidences_of_matched_rows_agree(rows: list[Row]) -> None:
    found = profiled(rows).confidence
    valid = sorted(
        row[2] for row in rows if row[3] == "matched" and row[2] is not None and 0 <= row[2] <= 1
    )
    assert found is not None
    assert found.count == len(valid)
    assert found.minimum == (valid[0] if valid else None)
    assert found.maximum == (valid[-1] if valid else None)


@pytest.mark.parametrize("role", USABLE.columns)
def test_a_rule_without_its_column_is_left_out(role: Role) -> None:
    found = profiled([(1, None, None, "unmatched")], without=role)
    assert RULES - set(found.offenders) == {
        rule for rule, needed in COLUMNS_OF.items() if role in needed
    }
    if role is Role.STATUS:
        assert (found.matched, found.unmatched, found.confidence) == (None, None, None)


@pytest.mark.parametrize("role", [Role.GERS_ID, Role.STATUS])
def test_without_its_column_no_row_has_a_gers_id(role: Role) -> None:
    found = profiled([(1, gers(1), 0.9, "matched")], without=role)
    assert (found.rows_with_gers_id, found.only_gers_id) == (0, None)


def test_without_its_term_a_rule_is_left_out() -> None:
    def left_out(terms: Terms) -> set[RowRule]:
        return RULES - set(Profiler(USABLE, terms).profile().offenders)

    assert left_out(Terms(0.5, GersFormat.UUID)) == set()
    assert left_out(Terms(gers_format=GersFormat.UUID)) == {RowRule.CONFIDENCE_THRESHOLD}
    assert left_out(Terms(confidence_floor=0.0)) == {RowRule.GERS_ID_FORMAT_OF_RELEASE}


def test_text_ids_are_shown_short_and_blank_ones_are_missing() -> None:
    rows: list[Row] = [("", None, 2.0, "unmatched"), (" ", None, 2.0, "unmatched")]
    rows += [("x" * 999, None, 2.0, "unmatched")]
    found = profiled(rows, kind=pa.large_string()).offenders
    assert found[RowRule.ID_PRESENT].count == 2
    assert [each.value for each in found[RowRule.ID_PRESENT].examples] == ["", " "]
    assert found[RowRule.CONFIDENCE_RANGE].examples[-1] == Example(2, "x" * 100, "2.0")


def test_all_of_unicode_s_white_space_is_blank() -> None:
    spaces = [chr(code) for code in range(0x10000) if chr(code).isspace()]
    rows: list[Row] = [(space, space, None, "unmatched") for space in spaces]
    found = profiled([*rows, ("é", None, None, "unmatched")], kind=pa.string()).offenders
    assert found[RowRule.ID_PRESENT].count == found[RowRule.GERS_ID_NOT_BLANK].count == len(spaces)
    assert RowRule.GERS_ID_FORMAT not in found or not found[RowRule.GERS_ID_FORMAT].count


def test_text_that_is_no_utf8_is_judged_and_shown() -> None:
    raw = pa.array([b"\xff\xfe", gers(1).encode()])
    broken_text = pa.StringArray.from_buffers(2, *raw.buffers()[1:])
    batch = pa.record_batch(
        [broken_text, broken_text, pa.array([0.9, 0.9]), pa.array(["matched"] * 2)],
        names=USABLE.names,
    )
    profiler = Profiler(USABLE)
    profiler.add(batch)
    offenders = profiler.profile().offenders[RowRule.GERS_ID_FORMAT]
    assert (offenders.count, offenders.examples) == (1, (Example(0, "��", r"\xff\xfe"),))


@pytest.mark.parametrize(
    ("gers_ids", "one", "rows"),
    [
        ([gers(1)] * 9, gers(1), 9),
        ([gers(1)] * 8 + [gers(2)], None, 9),
        ([gers(1), None], gers(1), 1),
        ([None, None], None, 0),
    ],
)
def test_one_gers_id_for_all_matches_is_noticed(
    gers_ids: list[str | None], one: str | None, rows: int
) -> None:
    found = profiled([(n, gers_id, 0.9, "matched") for n, gers_id in enumerate(gers_ids)])
    assert (found.only_gers_id, found.rows_with_gers_id) == (one, rows)
