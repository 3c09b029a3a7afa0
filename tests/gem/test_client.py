"""One question to GEM: what it sends, and what each answer means."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from gem_core.errors import (
    GemAccessError,
    GemAnswerError,
    GemError,
    GemJobNotFound,
    GemQuestionRefused,
    GemUnavailable,
)
from gem_core.gem.client import MAX_RETRY_AFTER_SECONDS
from gem_core.gem.job import GemJob
from tests.builders import JOB
from tests.gem.build import GOOD, KEY, TOKENS, connected, error_of
from tests.gem.server import Reply


def test_a_question_sends_what_the_page_requires() -> None:
    with connected(GOOD) as (client, server, _):
        job = client.get_job(JOB)
    assert isinstance(job, GemJob)
    assert job.statistics["roads_matched"] == "84.68%"
    (asked,) = server.asked
    assert asked.path == f"/gem/jobs/{JOB}"
    assert asked.headers["tomtom-api-key"] == KEY
    assert asked.headers["authorization"] == f"Bearer {TOKENS[0]}"
    assert asked.headers["x-version"] == "1"
    assert asked.headers["accept"] == "application/json"


def test_an_empty_version_is_not_sent() -> None:
    with connected(GOOD, api_version="") as (client, server, _):
        client.get_job(JOB)
    assert "x-version" not in server.asked[0].headers


def test_all_questions_use_one_connection() -> None:
    with connected(GOOD, Reply(404), GOOD) as (client, server, _):
        client.get_job(JOB)
        with pytest.raises(GemJobNotFound):
            client.get_job(JOB)
        client.get_job(JOB)
    assert len({asked.peer for asked in server.asked}) == 1


def test_an_id_stays_one_segment_of_the_path() -> None:
    with connected(GOOD) as (client, server, _), pytest.raises(GemAnswerError):
        client.get_job("../a/b?c#d%2F")
    assert server.asked[0].path == "/gem/jobs/..%2Fa%2Fb%3Fc%23d%252F"


def test_a_compressed_answer_is_read() -> None:
    packed = Reply(body=gzip.compress(GOOD.body), headers={"Content-Encoding": "gzip"})
    with connected(packed) as (client, _, _):
        assert client.get_job(JOB).status_text == "finished"


def test_after_a_401_a_new_token_is_tried_once() -> None:
    with connected(Reply(401), GOOD) as (client, server, tokens):
        assert client.get_job(JOB).status_text == "finished"
    assert [asked.headers["authorization"] for asked in server.asked] == [
        f"Bearer {token}" for token in TOKENS[:2]
    ]
    assert tokens.forgotten == 1


def test_a_second_401_is_an_error() -> None:
    with connected(Reply(401)) as (client, server, _):
        with pytest.raises(GemAccessError, match="GEM answered 401: check GEM_API_KEY"):
            client.get_job(JOB)
        assert len(server.asked) == 2


def test_403_is_an_error_at_once() -> None:
    with connected(Reply(403)) as (client, server, tokens):
        with pytest.raises(GemAccessError, match="GEM answered 403: check that the key is enabled"):
            client.get_job(JOB)
        assert len(server.asked) == 1
        assert tokens.forgotten == 0


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, GemJobNotFound),
        (408, GemUnavailable),
        (429, GemUnavailable),
        (500, GemUnavailable),
        (503, GemUnavailable),
        (599, GemUnavailable),
        (201, GemAnswerError),
        (204, GemAnswerError),
        (301, GemAnswerError),
        (400, GemQuestionRefused),
        (410, GemAnswerError),
    ],
)
def test_each_status_has_its_meaning(status: int, kind: type[GemError]) -> None:
    error = error_of(Reply(status), kind=kind)
    assert type(error) is kind
    assert str(status) in str(error)


def test_gems_text_about_an_error_is_short_plain_and_apart_from_ours() -> None:
    body = {"detailedError": {"code": "INTERNAL", "message": "bad\x1b[31m\n" + "x" * 9000}}
    error = error_of(Reply(500, json.dumps(body).encode()), kind=GemUnavailable)
    assert str(error) == "GEM answered 500 (INTERNAL)"
    assert error.in_full.startswith("GEM answered 500 (INTERNAL); GEM says: bad[31mxxx")
    assert len(error.in_full) < 300


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("999999999", MAX_RETRY_AFTER_SECONDS),
        ("9" * 400, MAX_RETRY_AFTER_SECONDS),
        ("9" * 5000, None),
        ("\u0665", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("Mon, 99 Foo 2026 00:00:00 GMT", None),
        ("Tue, 20 Jan 1970 00:00:00 GMT", 0),
        ("Tue, 20 Jan 2970 00:00:00 GMT", MAX_RETRY_AFTER_SECONDS),
    ],
)
def test_retry_after_is_read_within_bounds(status: int, text: str, seconds: float | None) -> None:
    error = error_of(Reply(status, headers={"Retry-After": text}), kind=GemUnavailable)
    assert isinstance(error, GemUnavailable)
    assert error.retry_after_seconds == seconds


def test_retry_after_may_be_a_date() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=600), usegmt=True)
    error = error_of(Reply(503, headers={"Retry-After": at}), kind=GemUnavailable)
    assert isinstance(error, GemUnavailable)
    assert error.retry_after_seconds == pytest.approx(600, abs=60)


@pytest.mark.parametrize(
    "location", ["http://127.0.0.1:1/", "http://[", "//", "mailto:x", "http://a b"]
)
def test_a_location_that_is_no_address_is_an_answer_like_any_other(location: str) -> None:
    error = error_of(Reply(302, headers={"Location": location}), kind=GemAnswerError)
    assert str(error) == "GEM answered 302"


def test_nothing_of_an_answer_comes_back_with_the_next_question() -> None:
    """One new cookie an answer grew the request until GEM refused it, for every job."""
    replies = [
        Reply(404, headers={"Set-Cookie": f"c{number}={'x' * 1000}; Path=/"})
        for number in range(20)
    ]
    with connected(*replies) as (client, server, _):
        for _ in replies:
            with pytest.raises(GemJobNotFound):
                client.get_job(JOB)
    first, *others = (asked.headers for asked in server.asked)
    assert "cookie" not in first
    assert all(headers == first for headers in others)
