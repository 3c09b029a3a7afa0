"""GEM's list of jobs: how it is asked for, and that it is read within its own bound."""

import json
from typing import Any

import pytest

from gem_core.errors import GemAnswerError
from gem_core.gem.client import MAX_ANSWER_BYTES, MAX_LIST_BYTES
from gem_core.gem.contracts.unversioned import UNVERSIONED
from tests.builders import page_answer
from tests.gem.build import KEY, TOKENS, connected
from tests.gem.contracts.newer import newer_answer
from tests.gem.server import Reply


def list_of(*jobs: object) -> Reply:
    return Reply(body=json.dumps({"jobs": jobs}).encode())


def page_job(number: int) -> dict[str, Any]:
    return page_answer("finished") | {"jobRunId": f"job-{number}"}


def test_the_list_is_asked_for_with_the_type_that_the_page_requires() -> None:
    with connected(list_of(page_job(1), newer_answer())) as (client, server, _):
        jobs = client.list_jobs()
        client.list_jobs(UNVERSIONED)
    first, second = server.asked
    assert first.path == second.path == "/gem/jobs?job_type=ROAD_MATCHING"
    assert (first.headers["x-version"], "x-version" in second.headers) == ("1", False)
    assert [(job.job_run_id, job.contract) for job in jobs] == [
        ("job-1", "x-version-1"),
        ("123456789", "unversioned"),
    ]


def test_a_list_may_be_longer_than_an_answer_about_one_job() -> None:
    reply = list_of(*map(page_job, range(2000)))
    assert MAX_ANSWER_BYTES < len(reply.body) < MAX_LIST_BYTES
    with connected(reply) as (client, _, _):
        assert len(client.list_jobs()) == 2000


def test_a_list_beyond_its_bound_is_not_read() -> None:
    with (
        connected(Reply(body=b" " * (MAX_LIST_BYTES + 1))) as (client, _, _),
        pytest.raises(GemAnswerError, match="longer than 33,554,432 bytes"),
    ):
        client.list_jobs()


def test_jobs_that_cannot_be_read_are_left_out() -> None:
    odd: tuple[object, ...] = (
        None,
        7,
        [],
        {},
        {"status": "finished"},
        page_job(2) | {"status": None},
    )
    with connected(list_of(*odd, page_job(1))) as (client, _, _):
        assert [job.job_run_id for job in client.list_jobs()] == ["job-1"]


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"jobs": null}', b'{"jobs": {}}', b"<html>"])
def test_what_is_no_list_is_refused(body: bytes) -> None:
    with (
        connected(Reply(body=body)) as (client, _, _),
        pytest.raises(GemAnswerError, match=r"no list of jobs|JSON"),
    ):
        client.list_jobs()


def test_a_secret_in_a_list_is_taken_out() -> None:
    job = page_job(1) | {"storageId": f"{KEY} {TOKENS[1]}"}
    with connected(Reply(401), list_of(job)) as (client, _, _):
        (found,) = client.list_jobs()
    assert found.storage_id
    assert KEY not in found.storage_id
    assert TOKENS[1] not in found.storage_id
