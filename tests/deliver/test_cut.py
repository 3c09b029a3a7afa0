"""A message always fits: what is cut, in which order, and what is never cut."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gem_core.audit.judging.check import Severity
from gem_core.audit.judging.checks import CHECKS
from gem_core.audit.judging.report import CheckResult
from gem_core.audit.judging.verdict import Verdict
from gem_core.audit.rows.example import Example
from gem_core.deliver.cut import MAX_BODY_BYTES, cut_to_fit
from gem_core.deliver.manifest import AuditParts, manifest
from gem_core.watch.record import JobRecord, Settlement, StatusChange
from gem_core.watch.registration import register
from tests.builders import JOB, check_manifest, job, new_record
from tests.deliver.build import (
    ID,
    NO_AUDIT,
    REPORT,
    check,
    event,
    message,
    parts,
    settled,
)
from tests.fakes import START


def _of_length(length: int) -> dict[str, Any]:
    whole = json.loads(message(settled(), parts()).body)
    whole["data"]["job"]["answer"]["filler"] = ""
    short = len(json.dumps(whole, separators=(",", ":")))
    whole["data"]["job"]["answer"]["filler"] = "x" * (length - short)
    return dict(whole)


def test_a_message_at_the_limit_is_not_cut() -> None:
    body = cut_to_fit(_of_length(49_152))
    assert len(body) == MAX_BODY_BYTES == 49_152
    assert json.loads(body)["data"]["cut"] == []


def test_one_byte_more_is_cut() -> None:
    body = cut_to_fit(_of_length(49_153))
    assert len(body) < 49_152
    data = check_manifest(body)["data"]
    assert data["cut"][-1] == "job.answer"
    assert data["job"]["answer"] is None
    assert data["job"]["status"] == "finished"


def test_cutting_does_not_change_the_whole_event() -> None:
    columns = [{"name": f"c{number}", "type": "string"} for number in range(5_000)]
    whole = event(settled(), parts(output={"columns": columns}))
    before = json.dumps(whole)
    sent = check_manifest(manifest(whole, ()).body)
    assert json.dumps(whole) == before
    cut = ["checks.notPassed.examples", "input.differences", "output.columns"]
    assert sent["data"]["cut"] == cut
    assert sent["data"]["output"]["columns"] == columns[:100]


def test_the_least_important_part_is_cut_first() -> None:
    examples = tuple(Example(number, "x" * 200) for number in range(5))
    whole = event(settled(), parts(*[check(examples=examples, detail="bad words")] * 60))
    data = check_manifest(manifest(whole, ()).body)["data"]
    assert data["cut"] == ["checks.notPassed.examples"]
    assert len(data["checks"]["notPassed"]) == 60
    for line in data["checks"]["notPassed"]:
        assert line["detail"] == "bad words"
        assert "examples" not in line
    assert data["output"]["columns"]


_WIDE = {
    "unknown field of 1 MB": (settled(blob="x" * 2**20), parts()),
    "unknown field, non-ASCII": (settled(blob="é" * 2**18), parts()),
    "100,000 columns": (
        settled(),
        parts(output={"columns": [{"name": f"c{n}", "type": "int64"} for n in range(100_000)]}),
    ),
    "long column names": (
        settled(),
        parts(output={"columns": [{"name": "\U0001f6e3" * 9_999, "type": "s" * 99_999}] * 500}),
    ),
    "deep types": (settled(), parts(output={"columns": [{"name": "c", "type": "<" * 10**6}]})),
    "long words of GEM": (
        settled(
            **dict.fromkeys(("storageId", "inputFileName", "matchingType"), "\U0001f6e3" * 9_999)
        ),
        parts(),
    ),
    "differences": (
        settled(),
        parts(
            input={
                "differences": [
                    {"column": f"c{n}", "rows": 1, "examples": [{"row": 0}]} for n in range(5_000)
                ],
            }
        ),
    ),
    "drift": (
        replace(settled(), job=replace(job("finished"), drift=("\U0001f6e3" * 200,) * 99)),
        parts(),
    ),
    "statistics": (settled(), parts(statistics={"reported": {"a": "x" * 10**6}})),
    "details": (settled(), parts(*[check(detail="x" * 10**5)] * 30)),
    "output name of 1,024 letters beyond ASCII": (
        settled(outputFileName="\U0001f6e3" * 1024),
        parts(
            subject="default/" + "\U0001f6e3" * 1024,
            output={
                "name": "\U0001f6e3" * 1024,
                "url": "https://output.example/default/" + "%F0%9F%9B%A3" * 1024,
            },
            input={"name": "\U0001f6e3" * 1024},
        ),
    ),
    "everything beyond ASCII": (
        replace(
            settled(
                **dict.fromkeys(("storageId", "inputFileName", "matchingType"), "\U0001f6e3" * 999),
                **dict.fromkeys(("outputFileName", "overtureRelease"), "\U0001f6e3" * 999),
            ),
            history=(StatusChange(START, "\U0001f6e3" * 999),) * 99,
            labels={f"{number:02}": "\U0001f6e3" * 18 for number in range(32)},
        ),
        parts(output={"name": "\U0001f6e3" * 1024, "url": "https://a/" + "%F0%9F" * 2048}),
    ),
}


@pytest.mark.parametrize(("record", "found"), _WIDE.values(), ids=list(_WIDE))
def test_any_long_part_is_cut(record: JobRecord, found: AuditParts) -> None:
    sent = check_manifest(message(record, found).body)
    assert sent["id"] == ID
    assert sent["data"]["outcome"] == "valid"
    assert sent["data"]["report"]["url"] == REPORT
    assert sent["data"]["cut"]


def test_long_names_are_shortened_before_the_job_is_left_out() -> None:
    long = "\U0001f6e3" * 900
    names = {"inputFileName": long, "outputFileName": long, "overtureRelease": long}
    found = parts(subject=long, output={"name": long}, input={"name": long, "note": long})
    data = check_manifest(message(settled(**names), found).body)["data"]
    assert data["output"]["columns"] is None
    assert [data["job"][name] for name in ("inputName", "outputName", "overtureRelease")] == [
        long[:200]
    ] * 3
    assert data["job"]["answer"] is None
    assert data["cut"][-6:] == [
        "checks.notPassed.detail",
        "subject",
        "output.name",
        "input.name",
        "input.note",
        "job",
    ]


def test_the_longest_labels_are_whole_in_the_message() -> None:
    labels = {f"{number:02}": "\U0001f6e3" * 20 for number in range(32)}
    record = replace(
        settled(blob="x" * 10**5), labels=register(JOB, {"labels": labels}, START).labels
    )
    assert check_manifest(message(record, parts()).body)["data"]["labels"] == labels


def test_a_long_address_is_left_out_whole_and_labels_stay() -> None:
    """Each character in the name of a blob can take 12 bytes in its address."""
    url = "https://output.example/default/" + "%F0%9F%9B%A3" * 3_000
    record = replace(settled(), labels={"a": "\U0001f6e3" * 600}, last_problem="x" * 6_000)
    data = check_manifest(message(record, parts(output={"url": url})).body)["data"]
    assert data["cut"][-1] == "output.url"
    assert data["output"]["url"] is None
    assert data["labels"] == record.labels
    assert data["settlement"]["lastProblem"] == record.last_problem


def test_a_record_of_another_program_fits() -> None:
    record = replace(settled(), labels={"a": "x" * 10**5}, last_problem="y" * 10**5)
    found = parts(output=dict.fromkeys(("container", "etag", "versionId"), "z" * 10**5))
    data = check_manifest(message(record, found).body)["data"]
    assert {"labels", "settlement.lastProblem", "output.etag"} <= set(data["cut"])
    assert data["labels"] == {}
    texts = [data["settlement"]["lastProblem"]]
    texts += [data["output"][name] for name in ("container", "etag", "versionId")]
    assert [len(text) for text in texts] == [200] * 4


def test_empty_parts_can_be_cut() -> None:
    lost = new_record().answered_not_found(START).settled(Settlement.LOST, START)
    whole = json.loads(message(lost, NO_AUDIT).body)
    cut = json.loads(cut_to_fit(whole, limit=1))
    assert cut["id"] == ID
    assert cut["data"]["report"] == {"url": REPORT, "page": None}


def test_a_long_history_is_cut_to_its_first_and_latest_entries() -> None:
    record = new_record()
    for number in range(100):
        record = record.answered(job(f"{number} " + "é" * 190), START)
    record = record.settled(Settlement.EXPIRED, START)
    data = check_manifest(message(record, NO_AUDIT).body)["data"]
    words = [seen["status"].split()[0] for seen in data["settlement"]["history"]]
    assert words == ["0", *(str(number) for number in range(91, 100))]


_TEXT = st.text(st.characters(codec="utf-8"), max_size=60)


_WORDS = st.builds(lambda text, times: text * times, _TEXT, st.sampled_from([1, 1, 1, 20, 400]))


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=10,
)


_LONG = _WORDS.map(lambda text: text or "x")
_OUTPUTS = st.fixed_dictionaries(
    dict.fromkeys(("container", "name", "etag"), _LONG)
    | {
        "url": _WORDS.map(lambda name: f"https://output.example/default/{quote(name)}"),
        "versionId": st.none() | _WORDS,
        "columns": st.lists(st.fixed_dictionaries({"name": _WORDS, "type": _WORDS}), max_size=8),
    }
)
_INPUTS = st.fixed_dictionaries(
    {
        "name": st.none() | _WORDS,
        "differences": st.lists(
            st.fixed_dictionaries({"column": _WORDS, "rows": st.just(1), "examples": st.just([])}),
            max_size=8,
        ),
        "note": st.none() | _WORDS,
    }
)


_CHECKS = st.builds(
    check,
    st.sampled_from(Verdict),
    st.sampled_from(Severity),
    detail=_WORDS,
    examples=st.lists(st.builds(Example, st.integers(0), _WORDS), max_size=10).map(tuple),
)


@settings(max_examples=40, deadline=None)
@given(
    fields=st.dictionaries(_TEXT, _ANY, max_size=6),
    labels=st.dictionaries(_TEXT, _WORDS, max_size=8),
    problem=st.none() | _WORDS,
    seen=st.lists(_LONG, max_size=9),
    output=_OUTPUTS,
    input_=_INPUTS,
    repeats=st.sampled_from([1, 1, 100]),
    checks=st.lists(_CHECKS, max_size=len(CHECKS)),
)
def test_any_parts_make_a_message_that_fits(
    *,
    fields: dict[str, Any],
    labels: dict[str, str],
    problem: str | None,
    seen: list[str],
    output: dict[str, Any],
    input_: dict[str, Any],
    repeats: int,
    checks: list[CheckResult],
) -> None:
    answer = {name: value for name, value in fields.items() if name not in {"jobRunId", "status"}}
    history = tuple(StatusChange(START, word) for word in seen * repeats)
    record = replace(settled(**answer), labels=labels, last_problem=problem, history=history)
    found = parts(
        *checks,
        subject=f"{output['container']}/{output['name']}",
        output=output | {"columns": output["columns"] * repeats},
        input=input_,
    )
    sent = check_manifest(message(record, found).body)
    assert sent["id"] == ID
    assert sent["data"]["outcome"] == "valid"
    assert sent["data"]["report"]["url"] == REPORT


@pytest.mark.parametrize("text", ["1e400", "-1e400", "NaN"])
def test_a_message_with_a_huge_number_is_valid_json(text: str) -> None:
    check_manifest(message(settled(cost=json.loads(text)), parts()).body)
