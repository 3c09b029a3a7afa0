"""Answers of the newer pages, and mixtures of two generations."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from gem_core.errors import GemAnswerError
from gem_core.gem.contracts import known
from gem_core.gem.contracts.members import Statistic
from gem_core.gem.contracts.unversioned import UNVERSIONED
from gem_core.gem.job import GemJob, JobStatus
from tests.builders import JOB, page_answer
from tests.gem.contracts.newer import NUMBER, newer_answer


def read(answer: object, job_run_id: str = NUMBER) -> GemJob:
    return known.read(answer, job_run_id=job_run_id)


def test_the_finished_job_of_the_newer_pages_is_read() -> None:
    answer = newer_answer()
    assert read(answer) == GemJob(
        job_run_id=NUMBER,
        contract="unversioned",
        status_text="SUCCESS",
        answer=answer,
        status=JobStatus.FINISHED,
        storage_id="storage-001",
        input_name="test_data.parquet",
        output_name="test_data.results.parquet",
        promised_output="test_data.results.parquet",
        matching_type="ROAD_MATCHING",
        overture_release="2026-01-21.0",
        created_at=datetime(2026, 2, 18, 10, 38, 59, 31762, UTC),
        statistics=answer["statistics"],
    )


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("REQUESTED", JobStatus.QUEUED),
        ("IN_PROGRESS", JobStatus.RUNNING),
        ("FAILED", JobStatus.FAILED),
        ("CANCELLED", JobStatus.CANCELLED),
        ("CANCELED", JobStatus.CANCELLED),
        ("Cancelled", JobStatus.CANCELLED),
        ("canceled", JobStatus.CANCELLED),
    ],
)
def test_each_word_of_the_newer_pages_is_a_status(word: str, status: JobStatus) -> None:
    found = read(newer_answer(word))
    assert (found.status, found.output_name, found.statistics) == (status, None, {})
    assert found.drift == ()


@pytest.mark.parametrize("word", ["CANCELLING", "DONE", "success", "", "REQUESTED "])
def test_no_other_word_means_anything(word: str) -> None:
    assert UNVERSIONED.status(word) is None


def test_a_failed_job_says_why() -> None:
    assert read(newer_answer("FAILED", message="no geometry")).message == "no geometry"


def test_gem_is_asked_as_the_newer_pages_say() -> None:
    assert UNVERSIONED.path(NUMBER) == f"/jobs/{NUMBER}"
    assert UNVERSIONED.headers("1") == {}


@pytest.mark.parametrize("named", [123456789, "123456789"], ids=repr)
def test_an_id_is_an_integer_or_text(named: object) -> None:
    found = read(newer_answer(job_id=named))
    assert (found.job_run_id, found.answer["job_id"], found.drift) == (NUMBER, named, ())


@pytest.mark.parametrize("named", [1, "0123456789", 123456789.0, True, None, [123456789]])
def test_an_answer_about_another_job_is_refused(named: object) -> None:
    with pytest.raises(GemAnswerError, match="asked about job '123456789'"):
        read(newer_answer(job_id=named))


def test_two_ids_that_differ_are_refused() -> None:
    with pytest.raises(GemAnswerError, match="asked about job"):
        read(newer_answer(jobRunId="job-other"))


HYBRIDS: dict[str, tuple[dict[str, Any], str, JobStatus | None, str]] = {
    "word": (
        page_answer("finished") | {"status": "SUCCESS"},
        "x-version-1",
        JobStatus.FINISHED,
        "status 'SUCCESS' is a word of the contract unversioned",
    ),
    "word of the page": (
        newer_answer() | {"status": "finished", "job_id": JOB},
        "unversioned",
        JobStatus.FINISHED,
        "status 'finished' is a word of the contract x-version-1",
    ),
    "name of the output": (
        page_answer("finished")
        | {"outputFileName": None, "result_filename": "your_data_matched.parquet"},
        "x-version-1",
        JobStatus.FINISHED,
        "result_filename is a member of the contract unversioned",
    ),
    "two names": (
        page_answer("finished") | {"result_filename": "other.parquet"},
        "x-version-1",
        JobStatus.FINISHED,
        "outputFileName and result_filename differ",
    ),
    "id": (
        {**page_answer("finished"), "job_id": JOB},
        "x-version-1",
        JobStatus.FINISHED,
        "job_id is a member of the contract unversioned",
    ),
    "figure": (
        page_answer("finished") | {"statistics": {"roads_matched_ratio": 0.8468}},
        "x-version-1",
        JobStatus.FINISHED,
        "statistics: roads_matched_ratio is a member of the contract unversioned",
    ),
    "invented word": (
        newer_answer() | {"status": "DONE", "job_id": JOB},
        "unversioned",
        None,
        "status 'DONE' is not one of REQUESTED, IN_PROGRESS, SUCCESS, FAILED, CANCELLED",
    ),
}


@pytest.mark.parametrize(("answer", "contract", "status", "drift"), HYBRIDS.values(), ids=HYBRIDS)
def test_a_mixture_is_understood_and_is_drift(
    answer: dict[str, Any], contract: str, status: JobStatus | None, drift: str
) -> None:
    found = read(answer, JOB)
    assert (found.contract, found.status) == (contract, status)
    assert drift in found.drift
    assert found.answer == answer
    assert known.read_stored(found.answer, job_run_id=JOB, contract=contract) == found


def test_the_name_in_the_jobs_own_contract_comes_first() -> None:
    found = read(page_answer("finished") | {"result_filename": "other.parquet"}, JOB)
    assert found.output_name == "your_data_matched.parquet"


def test_an_answer_without_hints_is_read_in_the_contract_of_the_question() -> None:
    answer = {"jobRunId": JOB, "job_id": JOB, "status": "FAILED"}
    assert known.read(answer, asked_in=UNVERSIONED).contract == "unversioned"
    assert known.read(answer).contract == "x-version-1"


@pytest.mark.parametrize(
    ("value", "percent", "digits"),
    [(0.8468, "84.68", 2), (0.675, "67.5", 1), (0, "0", 0), (1, "100", 0), (1.0, "100", 0)],
)
def test_a_ratio_is_a_share_with_its_digits(value: float, percent: str, digits: int) -> None:
    found = UNVERSIONED.figures.read_share(value)
    assert (found.value, found.digits) == (Decimal(percent), digits)
    assert found.prints(Fraction(percent) / 100)


@pytest.mark.parametrize("value", [1.5, -0.1, float("nan"), float("inf"), True, "0.5", None, 84.68])
def test_what_is_no_ratio_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"expected a number|within 0 to 1"):
        UNVERSIONED.figures.read_share(value)


def test_a_percent_sign_is_understood_under_every_name() -> None:
    figures = {"roads_matched_ratio": "84.68%", "roads_unmatched": 0.1531}
    found = read(page_answer("finished") | {"statistics": figures}, JOB)
    assert known.figure(found, Statistic.MATCHED_SHARE).share().value == Decimal("84.68")
    with pytest.raises(ValueError, match="expected a percent string, got float"):
        known.figure(found, Statistic.UNMATCHED_SHARE).share()


def test_figures_of_the_oldest_pages_are_understood_and_told() -> None:
    """The example of an early version of "Get job details"."""
    figures = {"totalRecords": 50000, "matchedRecords": 47500, "unmatchedRecords": 2500}
    statistics = figures | {"matchRate": 95.0}
    found = read(page_answer("finished") | {"statistics": statistics}, JOB)
    assert known.figure(found, Statistic.ROADS).value == 50000
    assert known.figure(found, Statistic.MATCHED_SHARE).share().value == 95
    assert known.figure(found, Statistic.UNMATCHED_SHARE).name == "roads_unmatched"
    assert [line for line in found.drift if "statistics" in line] == [
        "statistics: totalRecords is a member of the oldest pages",
        "statistics: matchRate is a member of the oldest pages",
    ]
    for wrong in (101, -1, True, "95", float("nan")):
        answer = page_answer("finished") | {"statistics": {"matchRate": wrong}}
        with pytest.raises(ValueError, match=r"expected a number|within 0 to 100"):
            known.figure(read(answer, JOB), Statistic.MATCHED_SHARE).share()


def test_other_names_of_an_output() -> None:
    found = read(page_answer("finished"), JOB)
    assert known.other_outputs(found) == ("your_data.results.parquet", "predictions.parquet")
    assert known.other_outputs(read(newer_answer())) == (
        "test_data_matched.parquet",
        "predictions.parquet",
    )
