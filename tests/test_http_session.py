"""A session for GEM or storage keeps nothing of an answer."""

from gem_core.http_session import http_session
from tests.gem.server import Reply, ScriptedServer


def test_a_session_keeps_no_cookies() -> None:
    answer = Reply(headers={"Set-Cookie": "name=value; Path=/"})
    with (
        ScriptedServer(answer) as server,
        http_session(server.url, answer_seconds=30, connections=1) as session,
    ):
        for _ in range(2):
            assert session.get(server.url, timeout=60).status_code == 200
    assert [asked.headers.get("cookie") for asked in server.asked] == [None, None]
