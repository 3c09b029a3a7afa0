"""A token is kept until shortly before it expires; threads fetch it once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from azure.core.credentials import AccessToken, TokenCredential

from gem_core.errors import (
    GemAccessError,
    GemUnavailable,
    GemWithoutToken,
    NoToken,
    TokenRefused,
)
from gem_core.gem.token import FixedToken, IdentityToken, default_scope
from gem_core.secret import Secret
from tests.fakes import FakeClock

SCOPE = "https://gem.core.orbis.tomtom.com/.default"


class Credential:
    """Gives tokens that are valid for an hour, and counts them."""

    def __init__(self, clock: FakeClock, error: Exception | None = None) -> None:
        self._clock = clock
        self._error = error
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        self.scopes += scopes
        if self._error:
            raise self._error
        expires_on = int((self._clock() + timedelta(hours=1)).timestamp())
        return AccessToken(f"token-{len(self.scopes)}", expires_on)


def source(
    credential: Credential, clock: FakeClock, scope: str = SCOPE
) -> tuple[IdentityToken, list[TokenCredential]]:
    """A token source, and the list of credentials that it has made."""
    made: list[TokenCredential] = []

    def make() -> TokenCredential:
        made.append(credential)
        return credential

    return IdentityToken(make, scope, clock=clock), made


def test_a_token_is_kept_until_five_minutes_before_its_end() -> None:
    clock = FakeClock()
    tokens, made = source(Credential(clock), clock)
    assert made == []  # nothing is asked for before it is needed
    assert tokens.token() == "token-1"
    clock.move(minutes=54, seconds=59)
    assert tokens.token() == "token-1"
    clock.move(seconds=1)
    assert tokens.token() == "token-2"
    assert len(made) == 1


def test_after_forget_a_new_credential_gives_a_new_token() -> None:
    clock = FakeClock()
    tokens, made = source(Credential(clock), clock)
    assert tokens.token() == "token-1"
    tokens.forget("token-1")
    assert tokens.token() == "token-2"
    assert len(made) == 2  # the first one has a cache of its own


def test_a_token_that_was_replaced_already_is_forgotten_once() -> None:
    """GEM refuses one token to sixteen questions; it is replaced once."""
    clock = FakeClock()
    tokens, made = source(Credential(clock), clock)
    rejected = tokens.token()
    for _ in range(16):
        tokens.forget(rejected)
        assert tokens.token() == "token-2"
    assert len(made) == 2


def test_many_threads_share_one_fetch() -> None:
    clock = FakeClock()
    credential = Credential(clock)
    tokens, _ = source(credential, clock)
    barrier = Barrier(8)

    def fetch() -> str:
        barrier.wait()
        return tokens.token()

    with ThreadPoolExecutor(8) as pool:
        tokens_ = {future.result() for future in [pool.submit(fetch) for _ in range(8)]}
    assert tokens_ == {"token-1"}
    assert credential.scopes == [SCOPE]


@pytest.mark.parametrize(
    ("scope", "asked"),
    [
        ("https://gem.example/user_impersonation", "https://gem.example/.default"),
        ("api://1234/user_impersonation", "api://1234/.default"),
        (SCOPE, SCOPE),
        ("https://gem.example/other", "https://gem.example/other"),
    ],
)
def test_the_delegated_scope_is_asked_for_as_the_resources_default(scope: str, asked: str) -> None:
    clock = FakeClock()
    credential = Credential(clock)
    source(credential, clock, scope)[0].token()
    assert credential.scopes == [asked] == [default_scope(scope)]


def test_a_rejected_identity_is_an_access_error() -> None:
    clock = FakeClock()
    rejected = Credential(clock, TokenRefused("no token (AADSTS7000215): check the secret"))
    with pytest.raises(GemAccessError, match=f"AADSTS7000215.*scope {SCOPE}") as caught:
        source(rejected, clock)[0].token()
    assert not isinstance(caught.value, GemUnavailable)


def test_a_failure_that_passes_is_no_access_error_and_asked_about_once_a_while() -> None:
    """A thousand jobs of a tick do not wait for the same failure."""
    clock = FakeClock()
    silent = Credential(clock, NoToken("no token (X): this usually passes"))
    tokens, _ = source(silent, clock)
    for _ in range(1000):
        with pytest.raises(GemWithoutToken, match="this usually passes"):
            tokens.token()
    assert len(silent.scopes) == 1
    clock.move(seconds=30)
    silent._error = None
    assert tokens.token() == "token-2"
    clock.move(hours=2)
    assert tokens.token() == "token-3"


def test_a_failure_is_not_kept_after_the_clock_went_back() -> None:
    clock = FakeClock()
    silent = Credential(clock, NoToken("later"))
    tokens, _ = source(silent, clock)
    with pytest.raises(GemWithoutToken):
        tokens.token()
    silent._error = None
    clock.move(hours=-2)
    assert tokens.token() == "token-2"


def test_a_fixed_token_is_never_replaced() -> None:
    tokens = FixedToken(Secret("fixed"))
    tokens.forget(tokens.token())
    assert tokens.token() == "fixed"
