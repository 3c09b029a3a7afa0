"""One method, one request: what goes out, what each answer means, and that no secret leaks."""

import gzip
import json
import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from gem_core.errors import (
    GemAccessError,
    GemAnswerError,
    GemError,
    GemJobNotFound,
    GemUnavailable,
)
from gem_core.gem.client import MAX_ANSWER_BYTES, MAX_RETRY_AFTER_SECONDS, GemClient
from gem_core.gem.job import GemJob
from gem_core.setting_reader import Secret
from gem_core.watch.record_json import record_to_bytes
from tests.builders import JOB, new_record, page_answer
from tests.fakes import START
from tests.gem.server import Reply, ScriptedServer

KEY = "key-5f2b8c1d"
TOKENS = ["token-one-71aa", "token-two-92bb", "token-three-13cc"]
GOOD = Reply(body=json.dumps(page_answer("finished")).encode())


class Tokens:
    """A fresh token after each `forget`."""

    def __init__(self) -> None:
        self.forgotten = 0

    def token(self) -> str:
        return TOKENS[self.forgotten]

    def forget(self, token: str) -> None:
        assert token == TOKENS[self.forgotten]
        self.forgotten += 1


@contextmanager
def connected(
    *replies: Reply, api_version: str = "1"
) -> Iterator[tuple[GemClient, ScriptedServer, Tokens]]:
    tokens = Tokens()
    with (
        ScriptedServer(*replies) as server,
        GemClient(
            f"{server.url}/gem", api_key=Secret(KEY), token=tokens, api_version=api_version
        ) as client,
    ):
        yield client, server, tokens


def refusal(*replies: Reply, kind: type[GemError]) -> GemError:
    """The error that these answers end in; exactly of that kind."""
    with connected(*replies) as (client, _, _), pytest.raises(kind) as caught:
        client.get_job(JOB)
    return caught.value


def test_a_question_carries_what_the_page_asks_for() -> None:
    with connected(GOOD) as (client, server, _):
        told = client.get_job(JOB)
    assert isinstance(told, GemJob)
    assert told.statistics["roads_matched"] == "84.68%"
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


def test_all_questions_go_over_one_connection() -> None:
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


def test_one_401_is_answered_by_one_fresh_token() -> None:
    with connected(Reply(401), GOOD) as (client, server, tokens):
        assert client.get_job(JOB).status_text == "finished"
    assert [asked.headers["authorization"] for asked in server.asked] == [
        f"Bearer {token}" for token in TOKENS[:2]
    ]
    assert tokens.forgotten == 1


def test_a_second_401_is_a_refusal() -> None:
    with connected(Reply(401)) as (client, server, _):
        with pytest.raises(GemAccessError, match="GEM answered 401: check GEM_API_KEY"):
            client.get_job(JOB)
        assert len(server.asked) == 2


def test_403_is_a_refusal_at_once() -> None:
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
        (400, GemAnswerError),
        (410, GemAnswerError),
    ],
)
def test_each_status_has_its_meaning(status: int, kind: type[GemError]) -> None:
    error = refusal(Reply(status), kind=kind)
    assert type(error) is kind
    assert str(status) in str(error)


def test_the_documented_error_text_is_shown_short_and_plain() -> None:
    body = {"detailedError": {"code": "INTERNAL", "message": "bad\x1b[31m\n" + "x" * 9000}}
    error = refusal(Reply(500, json.dumps(body).encode()), kind=GemUnavailable)
    assert str(error).startswith("GEM answered 500 (INTERNAL: bad[31mxxx")
    assert len(str(error)) < 300


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("999999999", MAX_RETRY_AFTER_SECONDS),
        ("9" * 400, MAX_RETRY_AFTER_SECONDS),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("Mon, 99 Foo 2026 00:00:00 GMT", None),
        ("Tue, 20 Jan 1970 00:00:00 GMT", 0),
        ("Tue, 20 Jan 2970 00:00:00 GMT", MAX_RETRY_AFTER_SECONDS),
    ],
)
def test_retry_after_is_honoured_within_bounds(
    status: int, text: str, seconds: float | None
) -> None:
    error = refusal(Reply(status, headers={"Retry-After": text}), kind=GemUnavailable)
    assert isinstance(error, GemUnavailable)
    assert error.retry_after_seconds == seconds


def test_retry_after_may_be_a_date() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=600), usegmt=True)
    error = refusal(Reply(503, headers={"Retry-After": at}), kind=GemUnavailable)
    assert isinstance(error, GemUnavailable)
    assert error.retry_after_seconds == pytest.approx(600, abs=60)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Sign in</body></html>",
        b'{"jobRunId": "job-abc123-def456", "status": ',
        b"\xff\xfe\xfa",
        b"[]",
        b"null",
        b"{}",
        b'{"jobRunId": "another", "status": "finished"}',
        b"[" * 200_000,
        b'{"progress": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_200_that_is_no_job(body: bytes) -> None:
    error = refusal(Reply(body=body), kind=GemAnswerError)
    assert len(str(error)) < 400


@pytest.mark.parametrize("depth", [100, 900, 2_000, 20_000])
def test_an_answer_nested_however_deep_is_a_job_that_can_be_stored_or_none(depth: int) -> None:
    nested = b'"x": ' + b"[" * depth + b"]" * depth
    body = GOOD.body.rstrip(b"} \n") + b"}, " + nested + b"}"
    with connected(Reply(body=body)) as (client, _, _), suppress(GemAnswerError):
        record_to_bytes(new_record().answered(client.get_job(JOB), START))


@pytest.mark.parametrize("body", [b"[" * 200_000, b"<html>", b'{"detailedError": []}'])
def test_a_refusal_with_any_body_is_the_refusal(body: bytes) -> None:
    assert str(refusal(Reply(500, body), kind=GemUnavailable)) == "GEM answered 500"


@pytest.mark.parametrize("status", [200, 500])
def test_an_endless_answer_is_not_read(status: int) -> None:
    long = Reply(status, b" " * (MAX_ANSWER_BYTES + 1))
    error = refusal(long, kind=GemAnswerError)
    assert "longer than 1,048,576 bytes" in str(error)


def test_an_answer_that_unpacks_to_too_much_is_not_read() -> None:
    packed = gzip.compress(b" " * (20 * MAX_ANSWER_BYTES))
    error = refusal(Reply(body=packed, headers={"Content-Encoding": "gzip"}), kind=GemAnswerError)
    assert "longer than" in str(error)


def test_an_answer_of_just_the_limit_is_read() -> None:
    body = GOOD.body + b" " * (MAX_ANSWER_BYTES - len(GOOD.body))
    with connected(Reply(body=body)) as (client, _, _):
        assert client.get_job(JOB).status_text == "finished"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with ScriptedServer(GOOD) as other:
        there = Reply(status, headers={"Location": f"{other.url}/gem/jobs/{JOB}"})
        refusal(there, kind=GemAnswerError)
        assert other.asked == []


@pytest.mark.parametrize("cut", [0, 20])
def test_a_broken_connection_says_nothing_about_the_job(cut: int) -> None:
    broken = Reply(body=GOOD.body, cut=cut)
    assert "no answer from GEM" in str(refusal(broken, kind=GemUnavailable))


def test_nobody_listening() -> None:
    with ScriptedServer(GOOD) as server:
        url = server.url
    with (
        GemClient(url, api_key=Secret(KEY), token=Tokens()) as client,
        pytest.raises(GemUnavailable, match="no answer from GEM: ConnectionError"),
    ):
        client.get_job(JOB)


@pytest.mark.parametrize(
    ("host", "proxy"), [("gem.example", "http://proxy.example:3128"), ("direct.example", None)]
)
def test_proxies_and_certificates_of_the_environment_are_honoured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str, proxy: str | None
) -> None:
    """An operator behind a proxy that opens TLS sets both; either is no use alone."""
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "direct.example")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with GemClient(f"https://{host}", api_key=Secret(KEY), token=Tokens()) as client:
        url = client.job_url(JOB)
        found = client._session.merge_environment_settings(url, {}, None, None, None)
    assert found["proxies"].get("https") == proxy
    assert found["verify"] == str(bundle)


def test_a_question_goes_by_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(GOOD) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        with GemClient("http://gem.example", api_key=Secret(KEY), token=Tokens()) as client:
            client.get_job(page_answer("finished")["jobRunId"])
    assert proxy.asked[0].path.startswith("http://gem.example/jobs/")


def test_a_netrc_entry_does_not_take_the_tokens_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with connected(GOOD) as (client, server, _):
        client.get_job(JOB)
    assert server.asked[0].headers["authorization"] == f"Bearer {TOKENS[0]}"


def _unreachable() -> AbstractContextManager[tuple[GemClient, ScriptedServer, Tokens]]:
    return connected(Reply(body=GOOD.body, cut=3))


@pytest.mark.parametrize(
    "make",
    [
        lambda: connected(Reply(401)),
        lambda: connected(Reply(403)),
        lambda: connected(Reply(404)),
        lambda: connected(Reply(500)),
        lambda: connected(Reply(302, headers={"Location": "http://127.0.0.1:1/"})),
        lambda: connected(Reply(body=b"<html>")),
        _unreachable,
    ],
    ids=["401", "403", "404", "500", "302", "html", "reset"],
)
def test_no_error_traceback_or_log_line_shows_a_secret(
    make: Callable[[], AbstractContextManager[tuple[GemClient, ScriptedServer, Tokens]]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with make() as (client, _, _), pytest.raises(GemError) as caught:
        client.get_job(JOB)
    told = "".join(traceback.format_exception(caught.value)) + repr(client) + caplog.text
    for secret in (KEY, *TOKENS):
        assert secret not in told


def test_a_token_that_no_header_can_hold_is_not_shown() -> None:
    class Broken(Tokens):
        def token(self) -> str:
            return "two\nlines-of-secret"

    with ScriptedServer(GOOD) as server:
        client = GemClient(server.url, api_key=Secret(KEY), token=Broken())
        with client, pytest.raises(GemError) as caught:
            client.get_job(JOB)
        assert server.asked == []
    assert "lines-of-secret" not in "".join(traceback.format_exception(caught.value))
