"""GEM's answers are untrusted, and a question holds secrets."""

import gzip
import logging
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import pytest

from gem_core.errors import GemAnswerError, GemError, GemUnavailable
from gem_core.gem.client import MAX_ANSWER_BYTES, GemClient
from gem_core.secret import Secret
from gem_core.watch.record_json import record_to_bytes
from tests.builders import JOB, new_record, page_answer
from tests.fakes import START
from tests.gem.build import GOOD, KEY, TOKENS, Tokens, connected, error_of
from tests.gem.server import Reply, ScriptedServer


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
def test_a_200_without_a_job_is_a_short_error(body: bytes) -> None:
    error = error_of(Reply(body=body), kind=GemAnswerError)
    assert len(str(error)) < 400


@pytest.mark.parametrize("depth", [100, 900, 2_000, 20_000])
def test_an_answer_nested_to_any_depth_can_be_stored_or_is_an_error(depth: int) -> None:
    nested = b'"x": ' + b"[" * depth + b"]" * depth
    body = GOOD.body.rstrip(b"} \n") + b"}, " + nested + b"}"
    with connected(Reply(body=body)) as (client, _, _), suppress(GemAnswerError):
        record_to_bytes(new_record().answered(client.get_job(JOB), START))


@pytest.mark.parametrize("body", [b"[" * 200_000, b"<html>", b'{"detailedError": []}'])
def test_an_error_with_any_body_is_the_error_of_its_status(body: bytes) -> None:
    assert str(error_of(Reply(500, body), kind=GemUnavailable)) == "GEM answered 500"


@pytest.mark.parametrize("status", [200, 500])
def test_an_endless_answer_is_not_read(status: int) -> None:
    long = Reply(status, b" " * (MAX_ANSWER_BYTES + 1))
    error = error_of(long, kind=GemAnswerError)
    assert "longer than 1,048,576 bytes" in str(error)


def test_an_answer_that_unpacks_to_too_much_is_not_read() -> None:
    packed = gzip.compress(b" " * (20 * MAX_ANSWER_BYTES))
    error = error_of(Reply(body=packed, headers={"Content-Encoding": "gzip"}), kind=GemAnswerError)
    assert "longer than" in str(error)


def test_an_answer_of_exactly_the_limit_is_read() -> None:
    body = GOOD.body + b" " * (MAX_ANSWER_BYTES - len(GOOD.body))
    with connected(Reply(body=body)) as (client, _, _):
        assert client.get_job(JOB).status_text == "finished"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with ScriptedServer(GOOD) as other:
        there = Reply(status, headers={"Location": f"{other.url}/gem/jobs/{JOB}"})
        error_of(there, kind=GemAnswerError)
        assert other.asked == []


@pytest.mark.parametrize("cut", [0, 20])
def test_a_broken_connection_says_nothing_about_the_job(cut: int) -> None:
    broken = Reply(body=GOOD.body, cut=cut)
    assert "no answer from GEM" in str(error_of(broken, kind=GemUnavailable))


def test_a_server_that_does_not_listen() -> None:
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
def test_proxies_and_certificates_of_the_environment_are_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str, proxy: str | None
) -> None:
    """An operator behind a proxy that decrypts TLS needs both settings."""
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "direct.example")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with GemClient(f"https://{host}", api_key=Secret(KEY), token=Tokens()) as client:
        assert client._proxies.get("https") == proxy
        assert client._verify == str(bundle)


def test_a_question_uses_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
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
    shown = "".join(traceback.format_exception(caught.value)) + repr(client) + caplog.text
    for secret in (KEY, *TOKENS):
        assert secret not in shown


def test_a_token_that_a_header_cannot_have_is_not_shown() -> None:
    class Broken(Tokens):
        def token(self) -> str:
            return "two\nlines-of-secret"

    with ScriptedServer(GOOD) as server:
        client = GemClient(server.url, api_key=Secret(KEY), token=Broken())
        with client, pytest.raises(GemError) as caught:
            client.get_job(JOB)
        assert server.asked == []
    assert "lines-of-secret" not in "".join(traceback.format_exception(caught.value))
