"""A server may repeat a request: its secrets do not get into errors, records and manifests."""

import json
import traceback
from dataclasses import replace
from typing import override

import pytest

from gem_core.errors import GemError
from gem_core.gem.client import GemClient
from gem_core.redaction import MIN_LENGTH
from gem_core.secret import Secret
from gem_core.watch.record_json import record_to_bytes
from tests.builders import JOB, new_record, page_answer
from tests.fakes import START
from tests.gem.build import KEY, TOKENS, Tokens
from tests.gem.server import Asked, Reply, ScriptedServer


class Echo(ScriptedServer):
    """Replaces ECHO in its answers by the headers of the request."""

    @override
    def reply(self, asked: Asked) -> Reply:
        sent = f"{asked.headers['tomtom-api-key']} {asked.headers['authorization']}"
        reply = super().reply(asked)
        return replace(reply, body=reply.body.replace(b"ECHO", sent.encode()))


def in_json(value: object) -> bytes:
    return json.dumps(value).encode()


def error_reply(status: int, before: str = "") -> Reply:
    detail = {"code": "bad key", "message": f"{before}ECHO"}
    return Reply(status, in_json({"detailedError": detail}))


@pytest.mark.parametrize(
    "reply",
    [
        *(error_reply(status) for status in (400, 401, 403, 404, 429, 500)),
        error_reply(500, before="x" * 180),  # where the text is cut
        error_reply(500, before=f"{KEY[:6]}\n{KEY[6:]} "),  # what is left out would join it
        Reply(500, in_json({"detailedError": {"code": ["ECHO"], "message": None}})),
        Reply(body=in_json(page_answer("finished") | {"jobRunId": "ECHO"})),
        Reply(body=in_json(page_answer("finished") | {"jobRunId": "x" * 70 + "ECHO"})),
    ],
)
def test_no_error_shows_a_secret(reply: Reply) -> None:
    with (
        Echo(reply) as server,
        GemClient(server.url, api_key=Secret(KEY), token=Tokens()) as client,
        pytest.raises(GemError) as caught,
    ):
        client.get_job(JOB)
    shown = "".join(traceback.format_exception(caught.value)) + caught.value.in_full
    for secret in (KEY, *TOKENS):
        assert secret[:MIN_LENGTH] not in shown


def test_the_rest_of_the_text_stays() -> None:
    with (
        Echo(error_reply(500)) as server,
        GemClient(server.url, api_key=Secret(KEY), token=Tokens()) as client,
        pytest.raises(GemError) as caught,
    ):
        client.get_job(JOB)
    assert caught.value.in_full == "GEM answered 500; GEM says: *** Bearer ***"


def test_no_record_holds_a_secret() -> None:
    odd = {"status": "new ECHO", "createdAt": "ECHO", "more": [{"ECHO": "ECHO"}]}
    with (
        Echo(Reply(body=in_json(page_answer("finished") | odd))) as server,
        GemClient(server.url, api_key=Secret(KEY), token=Tokens()) as client,
    ):
        job = client.get_job(JOB)
    assert job.answer["more"] == [{"*** Bearer ***": "*** Bearer ***"}]
    shown = str(job.drift) + record_to_bytes(new_record().answered(job, START)).decode()
    for secret in (KEY, *TOKENS):
        assert secret[:MIN_LENGTH] not in shown


def test_a_job_keeps_its_id_even_if_that_is_the_key() -> None:
    with (
        Echo(Reply(body=in_json(page_answer("finished")))) as server,
        GemClient(server.url, api_key=Secret(JOB), token=Tokens()) as client,
    ):
        assert client.get_job(JOB).answer["jobRunId"] == JOB
