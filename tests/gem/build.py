"""Clients of a GEM that answers from a list."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gem_core.errors import GemError
from gem_core.gem.client import GemClient
from gem_core.secret import Secret
from tests.builders import JOB, page_answer
from tests.gem.server import Reply, ScriptedServer

KEY = "key-5f2b8c1d"


TOKENS = ["token-one-71aa", "token-two-92bb", "token-three-13cc"]


GOOD = Reply(body=json.dumps(page_answer("finished")).encode())


class Tokens:
    """A new token after each `forget`."""

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


def error_of(*replies: Reply, kind: type[GemError]) -> GemError:
    """The error that these answers lead to, of exactly that kind."""
    with connected(*replies) as (client, _, _), pytest.raises(kind) as caught:
        client.get_job(JOB)
    return caught.value
