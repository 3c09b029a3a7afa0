"""A failure of the identity service that passes is told apart from a refusal, by each credential.

The credentials are those of azure.identity; a loopback server stands for the identity endpoint of
App Service and for Entra ID.
"""

import json
import logging
from collections.abc import Callable
from functools import partial

import pytest
from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ServiceResponseError
from azure.identity import (
    CredentialUnavailableError,
    DefaultAzureCredential,
    ManagedIdentityCredential,
)
from azure.storage.blob import BlobServiceClient

from gem_core.errors import NoToken, StoreRefused, StoreWithoutToken, TokenRefused
from gem_core.redaction import redacted
from gem_core.storage.blob_documents import BlobDocuments
from gem_core.storage.identity import OPTIONS, RETRY_SECONDS, Identity, TokensFrom
from tests.gem.raw_server import RawServer
from tests.gem.server import Reply, ScriptedServer

SCOPE = "https://storage.azure.com/.default"
TOKEN = "eyJ0eXAiOiJKV1QifQ.e30.signature-of-a-token"
JSON = {"Content-Type": "application/json"}
GOOD = Reply(
    body=json.dumps({"access_token": TOKEN, "expires_on": "4102444800", "resource": "r"}).encode(),
    headers=JSON,
)
REFUSAL = "text of the server"
FAILURES = {
    **{
        str(status): Reply(status, json.dumps({"error": "e", "message": REFUSAL}).encode(), JSON)
        for status in (400, 401, 404, 429, 500, 503)
    },
    "dropped": Reply(body=b"{}", cut=0),
    "html": Reply(200, b"<html>", {"Content-Type": "text/html"}),
    "no token": Reply(200, b"{}", JSON),
    "no number": Reply(200, b'{"access_token": "a", "expires_on": "soon"}', JSON),
}
type Use = Callable[[str], None]


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Sets the variables of App Service to this address."""
    for name in ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "")  # no tools that somebody has signed in with

    def use(url: str) -> None:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "header-secret")

    return use


def identity(kind: Callable[..., TokenCredential], pauses: list[float]) -> Identity:
    return Identity(partial(kind, **OPTIONS), TokensFrom.PLATFORM, pause=pauses.append)


@pytest.mark.parametrize("kind", [ManagedIdentityCredential, DefaultAzureCredential])
@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_an_endpoint_that_fails_once_is_asked_once_more(
    platform: Use, kind: Callable[..., TokenCredential], failure: Reply
) -> None:
    pauses: list[float] = []
    with ScriptedServer(failure, GOOD) as server:
        platform(server.url)
        assert identity(kind, pauses).get_token(SCOPE).token == TOKEN
        assert len(server.asked) == 2
    assert pauses == [RETRY_SECONDS]
    assert redacted(f"Bearer {TOKEN}") == "Bearer ***"


@pytest.mark.parametrize("kind", [ManagedIdentityCredential, DefaultAzureCredential])
@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_an_endpoint_that_keeps_failing_refuses_nobody(
    platform: Use, kind: Callable[..., TokenCredential], failure: Reply
) -> None:
    with ScriptedServer(failure) as server:
        platform(server.url)
        with pytest.raises(NoToken, match=r"identity endpoint.*usually passes") as caught:
            identity(kind, []).get_token_info(SCOPE)
        assert len(server.asked) == 2
    assert not isinstance(caught.value, TokenRefused)
    assert REFUSAL not in str(caught.value)
    assert caught.value.__suppress_context__


def test_an_endpoint_that_hangs_is_given_up(platform: Use) -> None:
    make = partial(ManagedIdentityCredential, **OPTIONS | {"read_timeout": 0.1})
    with RawServer(lambda _, over: (over.wait(), None)[1]) as server:
        platform(server.url)
        with pytest.raises(NoToken, match="usually passes"):
            Identity(make, TokensFrom.PLATFORM, pause=lambda _: None).get_token(SCOPE)


class Refusing:
    """A credential that raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def get_token(self, *_: str, **__: object) -> AccessToken:
        raise self.error

    get_token_info = get_token


def with_status(status: int) -> ClientAuthenticationError:
    error = ClientAuthenticationError(f"AADSTS7000215: {REFUSAL}")
    error.status_code = status
    return error


@pytest.mark.parametrize(
    ("source", "error", "refused"),
    [
        (TokensFrom.SECRET, with_status(400), True),
        (TokensFrom.SECRET, with_status(401), True),
        (TokensFrom.SECRET, with_status(429), False),
        (TokensFrom.SECRET, with_status(503), False),
        (TokensFrom.SECRET, ClientAuthenticationError(f"Authentication failed: {REFUSAL}"), False),
        (TokensFrom.SECRET, ServiceResponseError(REFUSAL), False),
        (TokensFrom.SIGN_IN, ClientAuthenticationError(f"DefaultAzureCredential {REFUSAL}"), True),
        (TokensFrom.SIGN_IN, CredentialUnavailableError(REFUSAL), True),
        (TokensFrom.SIGN_IN, HttpResponseError(REFUSAL), False),
        (TokensFrom.PLATFORM, with_status(401), False),
        (TokensFrom.PLATFORM, ValueError(REFUSAL), False),
    ],
)
def test_a_refusal_by_the_issuer_is_told_from_a_passing_failure(
    source: TokensFrom, error: Exception, *, refused: bool
) -> None:
    made: list[Refusing] = []

    def make() -> Refusing:
        made.append(Refusing(error))
        return made[-1]

    with pytest.raises(NoToken) as caught:
        Identity(make, source, pause=lambda _: None).get_token(SCOPE)
    assert isinstance(caught.value, TokenRefused) == refused
    assert len(made) == (1 if refused else 2)
    assert REFUSAL not in str(caught.value)
    if "AADSTS" in str(error):
        assert "AADSTS7000215" in str(caught.value)


@pytest.mark.parametrize(
    ("source", "kind"),
    [(TokensFrom.PLATFORM, StoreWithoutToken), (TokensFrom.SIGN_IN, StoreRefused)],
)
def test_the_retry_policy_of_storage_does_not_repeat_it(
    source: TokensFrom, kind: type[Exception]
) -> None:
    """It would, four times, for every error of the SDK; and it would log the error."""
    error = ClientAuthenticationError(REFUSAL)
    made: list[Refusing] = []

    def make() -> Refusing:
        made.append(Refusing(error))
        return made[-1]

    credential = Identity(make, source, pause=lambda _: None)
    with BlobServiceClient("https://127.0.0.1:1", credential=credential, retry_total=4) as blobs:
        documents = BlobDocuments(blobs.get_container_client("gem-jobs"))
        with pytest.raises(kind, match=r"^container 'gem-jobs': no token \(ClientAuth") as caught:
            documents.get("a")
    assert type(caught.value) is kind
    assert len(made) == (2 if kind is StoreWithoutToken else 1)


def test_what_azure_identity_logs_is_below_the_level_of_libraries(
    platform: Use, caplog: pytest.LogCaptureFixture
) -> None:
    """Its warnings hold what the server answered; see tests/test_log_guard.py."""
    with ScriptedServer(FAILURES["400"]) as server:
        platform(server.url)
        with pytest.raises(NoToken):
            identity(ManagedIdentityCredential, []).get_token(SCOPE)
    assert all(record.levelno < logging.ERROR for record in caplog.records)
