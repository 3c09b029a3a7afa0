"""An answer of the page "Get job details" becomes a job, or an error that says why not."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.errors import GemAnswerError
from gem_core.gem.contracts.reader import read_job
from gem_core.gem.contracts.x_version_1 import X_VERSION_1
from gem_core.gem.job import GemJob, JobStatus
from gem_core.gem.reading import MAX_DRIFT, MAX_STATUS
from tests.builders import JOB, job, page_answer

read = partial(read_job, X_VERSION_1, ())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
MEMBERS = [
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


def test_the_finished_job_of_the_page_is_read() -> None:
    answer = page_answer("finished")
    assert read(answer, job_run_id=JOB) == GemJob(
        job_run_id=JOB,
        contract="x-version-1",
        status_text="finished",
        answer=answer,
        status=JobStatus.FINISHED,
        storage_id="storage-001",
        input_name="your_data.parquet",
        output_name="your_data_matched.parquet",
        promised_output="your_data_matched.parquet",
        matching_type="road",
        overture_release="<latest-overture-release>",
        progress=None,
        created_at=datetime(2026, 1, 20, 10, 0, tzinfo=UTC),
        modified_at=datetime(2026, 1, 20, 10, 25, tzinfo=UTC),
        statistics=answer["statistics"],
        drift=(),
    )


def test_the_running_job_of_the_page_is_read() -> None:
    found = read(page_answer("running"), job_run_id=JOB)
    assert found.status is JobStatus.RUNNING
    assert found.progress == 65
    assert found.output_name is None
    assert found.statistics == {}
    assert found.drift == ()


def test_gem_is_asked_as_the_page_says() -> None:
    assert X_VERSION_1.path(JOB) == f"/jobs/{JOB}"
    assert X_VERSION_1.headers("1") == {"X-Version": "1"}


@pytest.mark.parametrize("status", JobStatus)
def test_only_three_statuses_are_final(status: JobStatus) -> None:
    found = job(status)
    assert found.status is status
    assert status.is_final == (status in {"finished", "failed", "cancelled"})
    assert not found.drift


@pytest.mark.parametrize("status", ["paused", "Finished", "finished ", "FAILED", "complete"])
def test_any_other_status_is_kept_and_is_drift(status: str) -> None:
    found = read(page_answer("finished") | {"status": status})
    assert found.status is None
    assert found.status_text == status
    assert "not one of queued, running, finished, failed, cancelled" in found.drift[0]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("progress", 140, "140 is not between 0 and 100"),
        ("progress", -0.5, "-0.5 is not between 0 and 100"),
        ("progress", float("nan"), ""),
        ("progress", "65%", "expected a number, got str"),
        ("progress", True, "expected a number, got bool"),
        ("progress", [65], "expected a number, got list"),
        ("storageId", 7, "expected a string, got int"),
        ("inputFileName", {"a": 1}, "expected a string, got dict"),
        ("outputFileName", [], "expected a string, got list"),
        ("matchingType", 1.5, "expected a string, got float"),
        ("overtureRelease", False, "expected a string, got bool"),
        ("createdAt", 1768903200, "expected a string, got int"),
        ("createdAt", "yesterday", "createdAt"),
        ("modifiedAt", "2026-13-45T00:00:00Z", "modifiedAt"),
        ("statistics", ["84.68%"], "expected an object, got list"),
        ("statistics", "none", "expected an object, got str"),
    ],
)
def test_a_wrong_member_is_none_and_one_line_of_drift(name: str, value: object, words: str) -> None:
    found = job(**{name: value})
    assert len(found.drift) == 1
    assert found.drift[0].startswith(f"{name}: ")
    assert words in found.drift[0]
    assert found.answer[name] in (value, "nan")  # NaN is kept as text
    assert found.status is JobStatus.RUNNING


def test_a_status_of_more_than_200_characters_is_refused() -> None:
    assert job("x" * MAX_STATUS).status_text == "x" * MAX_STATUS
    with pytest.raises(GemAnswerError, match="longer than 200 characters"):
        job("x" * (MAX_STATUS + 1))


def test_a_line_of_drift_is_short() -> None:
    """It may quote a value as long as an answer; a log line must not be that long."""
    found = job(createdAt="x" * 100_000)
    (line,) = found.drift
    assert line.startswith("createdAt: Invalid isoformat string: 'xxx")
    assert len(line) == MAX_DRIFT


@pytest.mark.parametrize("name", MEMBERS)
def test_null_means_the_same_as_absent(name: str) -> None:
    assert job(**{name: None}).drift == ()


@pytest.mark.parametrize("progress", [0, 100, 65, 0.5])
def test_progress_between_its_bounds_is_taken(progress: float) -> None:
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
    found = job("running", createdAt=text)
    assert found.created_at is None
    assert found.drift


def test_unknown_members_are_kept() -> None:
    found = job("running", region="EU", nested={"a": [1, None]})
    assert found.answer["region"] == "EU"
    assert found.answer["nested"] == {"a": [1, None]}
    assert found.drift == ()


@pytest.mark.parametrize("text", ['"\\ud800"', "NaN", "1e400", "-Infinity", '{"\\udfff": [1e999]}'])
def test_a_value_that_our_own_json_cannot_hold_is_kept_as_text(text: str) -> None:
    found = job(extra=json.loads(text))
    json.dumps(found.answer, allow_nan=False, ensure_ascii=False).encode()
    assert found.status is JobStatus.RUNNING


def test_a_status_with_a_lone_surrogate_can_be_encoded() -> None:
    assert job(json.loads('"odd \\ud800"')).status_text.encode().startswith(b"odd ")


@pytest.mark.parametrize("answer", [None, [], "finished", 7, True, [{"jobRunId": JOB}]])
def test_an_answer_that_is_not_an_object_is_refused(answer: object) -> None:
    with pytest.raises(GemAnswerError, match="expected a JSON object"):
        read(answer, job_run_id=JOB)


@pytest.mark.parametrize("named", ["job-other", None, 7, JOB.upper(), f"{JOB} ", "x" * 10_000])
def test_an_answer_about_another_job_is_refused(named: object) -> None:
    with pytest.raises(GemAnswerError, match=f"asked about job '{JOB}'") as caught:
        read(page_answer("finished") | {"jobRunId": named}, job_run_id=JOB)
    assert len(str(caught.value)) < 300


def test_without_a_question_the_answer_names_the_job() -> None:
    assert read(page_answer("finished")).job_run_id == JOB


@pytest.mark.parametrize("named", [None, 7.0, True, [JOB], {}])
def test_without_a_question_an_answer_must_name_its_job(named: object) -> None:
    with pytest.raises(GemAnswerError, match="has no jobRunId"):
        read(page_answer("finished") | {"jobRunId": named})


@pytest.mark.parametrize("status", [None, "", 3, ["finished"], {"name": "finished"}, True])
def test_an_answer_without_a_status_is_refused(status: object) -> None:
    with pytest.raises(GemAnswerError, match="no status"):
        read(page_answer("finished") | {"status": status}, job_run_id=JOB)


@given(JSON)
def test_any_json_is_a_job_or_is_refused(answer: object) -> None:
    with pytest.raises(GemAnswerError):
        read(answer, job_run_id=JOB)


@given(
    st.fixed_dictionaries(
        {"jobRunId": st.just(JOB), "status": st.sampled_from([*JobStatus, "new"]) | JSON},
        optional={name: JSON | st.datetimes().map(str) for name in MEMBERS},
    )
)
def test_any_member_is_read_or_is_drift(answer: dict[str, Any]) -> None:
    try:
        found = read(answer, job_run_id=JOB)
    except GemAnswerError:
        assert not isinstance(answer["status"], str) or not answer["status"]
        return
    kept = json.dumps(found.answer, allow_nan=False, ensure_ascii=False).encode()
    with suppress(ValueError):  # NaN and infinities, which JSON does not have
        assert json.dumps(answer, allow_nan=False, ensure_ascii=False).encode() == kept
    assert found.progress is None or 0 <= found.progress <= 100
    for moment in (found.created_at, found.modified_at):
        assert moment is None or moment.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("input_name", "output_name"),
    [
        ("your_data.parquet", "your_data_matched.parquet"),
        ("roads_data.parquet", "roads_data_matched.parquet"),
        ("2026/roads.v2.parquet", "2026/roads.v2_matched.parquet"),
        ("roads", "roads_matched.parquet"),
        ("ROADS.PARQUET", "ROADS_matched.parquet"),
        ("a.b/roads", "a.b/roads_matched.parquet"),
    ],
)
def test_the_output_is_named_after_the_input(input_name: str, output_name: str) -> None:
    answer = page_answer("finished") | {"inputFileName": input_name}
    assert read(answer).promised_output == output_name
