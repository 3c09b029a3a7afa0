"""GEM's answers become a job, or an error that says why not; drift becomes words."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.errors import GemAnswerError
from gem_core.gem.job import MAX_DRIFT, MAX_STATUS, GemJob, JobStatus, parse_job
from tests.builders import JOB, job, page_answer

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
FIELDS = [
    "storageId",
    "inputFileName",
    "outputFileName",
    "matchingType",
    "overtureRelease",
    "progress",
    "createdAt",
    "modifiedAt",
    "statistics",
]


def test_the_finished_job_of_the_page() -> None:
    answer = page_answer("finished")
    assert parse_job(answer, job_run_id=JOB) == GemJob(
        job_run_id=JOB,
        status_text="finished",
        answer=answer,
        storage_id="storage-001",
        input_file_name="your_data.parquet",
        output_file_name="your_data_matched.parquet",
        matching_type="road",
        overture_release="<latest-overture-release>",
        progress=None,
        created_at=datetime(2026, 1, 20, 10, 0, tzinfo=UTC),
        modified_at=datetime(2026, 1, 20, 10, 25, tzinfo=UTC),
        statistics=answer["statistics"],
        drift=(),
    )


def test_the_running_job_of_the_page() -> None:
    told = parse_job(page_answer("running"), job_run_id=JOB)
    assert told.status is JobStatus.RUNNING
    assert told.progress == 65
    assert told.output_file_name is None
    assert told.statistics == {}
    assert told.drift == ()


@pytest.mark.parametrize("status", JobStatus)
def test_only_three_statuses_are_final(status: JobStatus) -> None:
    told = job(status)
    assert told.status is status
    assert status.is_final == (status in {"finished", "failed", "cancelled"})
    assert not told.drift


@pytest.mark.parametrize("status", ["paused", "Finished", "finished ", "FAILED", "complete"])
def test_any_other_status_is_kept_and_is_drift(status: str) -> None:
    told = job(status)
    assert told.status is None
    assert told.status_text == status
    assert "none of queued, running, finished, failed, cancelled" in told.drift[0]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("progress", 140, "140 is not within 0 to 100"),
        ("progress", -0.5, "-0.5 is not within 0 to 100"),
        ("progress", float("nan"), ""),
        ("progress", "65%", "a number is expected, got str"),
        ("progress", True, "a number is expected, got bool"),
        ("progress", [65], "a number is expected, got list"),
        ("storageId", 7, "a string is expected, got int"),
        ("inputFileName", {"a": 1}, "a string is expected, got dict"),
        ("outputFileName", [], "a string is expected, got list"),
        ("matchingType", 1.5, "a string is expected, got float"),
        ("overtureRelease", False, "a string is expected, got bool"),
        ("createdAt", 1768903200, "a string is expected, got int"),
        ("createdAt", "yesterday", "createdAt"),
        ("modifiedAt", "2026-13-45T00:00:00Z", "modifiedAt"),
        ("statistics", ["84.68%"], "an object is expected, got list"),
        ("statistics", "none", "an object is expected, got str"),
    ],
)
def test_a_wrong_field_is_none_and_one_line_of_drift(name: str, value: object, words: str) -> None:
    told = job(**{name: value})
    assert len(told.drift) == 1
    assert told.drift[0].startswith(f"{name}: ")
    assert words in told.drift[0]
    assert told.answer[name] in (value, "nan")  # NaN is kept as text
    assert told.status is JobStatus.RUNNING


def test_a_status_is_a_word_and_no_book() -> None:
    assert job("x" * MAX_STATUS).status_text == "x" * MAX_STATUS
    with pytest.raises(GemAnswerError, match="longer than 200 letters"):
        job("x" * (MAX_STATUS + 1))


def test_a_line_of_drift_stays_a_line() -> None:
    """What it quotes may be as long as an answer; a log line must not."""
    told = job(createdAt="x" * 100_000)
    (line,) = told.drift
    assert line.startswith("createdAt: Invalid isoformat string: 'xxx")
    assert len(line) == MAX_DRIFT


@pytest.mark.parametrize("name", FIELDS)
def test_null_is_the_same_as_left_out(name: str) -> None:
    told = job(**{name: None})
    assert told.drift == ()


@pytest.mark.parametrize("progress", [0, 100, 65, 0.5])
def test_progress_within_its_bounds(progress: float) -> None:
    assert job("running", progress=progress).progress == progress


@pytest.mark.parametrize(
    "text",
    ["2026-01-20T10:00:00", "2026-01-20T10:00:00Z", "2026-01-20T12:00:00+02:00"],
)
def test_times_are_utc_also_without_a_zone(text: str) -> None:
    created_at = job("running", createdAt=text).created_at
    assert created_at == datetime(2026, 1, 20, 10, 0, tzinfo=UTC)
    assert created_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_time_beyond_the_calendar_is_drift(text: str) -> None:
    told = job("running", createdAt=text)
    assert told.created_at is None
    assert told.drift


def test_unknown_fields_are_kept() -> None:
    told = job("running", region="EU", nested={"a": [1, None]})
    assert told.answer["region"] == "EU"
    assert told.answer["nested"] == {"a": [1, None]}
    assert told.drift == ()


@pytest.mark.parametrize("text", ['"\\ud800"', "NaN", "1e400", "-Infinity", '{"\\udfff": [1e999]}'])
def test_what_our_own_json_cannot_carry_on_is_kept_as_text(text: str) -> None:
    told = job(extra=json.loads(text))
    json.dumps(told.answer, allow_nan=False, ensure_ascii=False).encode()
    assert told.status is JobStatus.RUNNING


def test_a_status_that_is_no_unicode_can_be_written() -> None:
    job(json.loads('"odd \\ud800"')).status_text.encode()


@pytest.mark.parametrize("answer", [None, [], "finished", 7, True, [{"jobRunId": JOB}]])
def test_what_is_no_object_is_no_job(answer: object) -> None:
    with pytest.raises(GemAnswerError, match="expected a JSON object"):
        parse_job(answer, job_run_id=JOB)


@pytest.mark.parametrize("told", ["job-other", None, 7, JOB.upper(), f"{JOB} ", "x" * 10_000])
def test_another_jobs_answer_is_refused(told: object) -> None:
    with pytest.raises(GemAnswerError, match=f"asked about job '{JOB}'") as caught:
        parse_job(page_answer("finished") | {"jobRunId": told}, job_run_id=JOB)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("status", [None, "", 3, ["finished"], {"name": "finished"}, True])
def test_no_status_is_no_job(status: object) -> None:
    with pytest.raises(GemAnswerError, match="no status"):
        parse_job(page_answer("finished") | {"status": status}, job_run_id=JOB)


@given(JSON)
def test_any_json_is_a_job_or_a_clear_refusal(answer: object) -> None:
    with pytest.raises(GemAnswerError):
        parse_job(answer, job_run_id=JOB)


@given(
    st.fixed_dictionaries(
        {"jobRunId": st.just(JOB), "status": st.sampled_from([*JobStatus, "new"]) | JSON},
        optional={name: JSON | st.datetimes().map(str) for name in FIELDS},
    )
)
def test_any_fields_are_read_or_are_drift(answer: dict[str, Any]) -> None:
    try:
        told = parse_job(answer, job_run_id=JOB)
    except GemAnswerError:
        assert not isinstance(answer["status"], str) or not answer["status"]
        return
    kept = json.dumps(told.answer, allow_nan=False, ensure_ascii=False).encode()
    with suppress(ValueError):  # NaN and infinities, which are no JSON
        assert json.dumps(answer, allow_nan=False, ensure_ascii=False).encode() == kept
    assert told.progress is None or 0 <= told.progress <= 100
    for moment in (told.created_at, told.modified_at):
        assert moment is None or moment.utcoffset() == timedelta(0)
