"""Builds what depends on this app's identity for GEM: client, token, heartbeat. Edge: requests,
azure.identity.

Both libraries are slow to import, so each is imported where it is needed.
"""

from typing import TYPE_CHECKING

from gem_core.once import Once
from gem_core.secret import Secret
from gem_core.settings.app_settings import Settings
from gem_core.storage.clients import sign_in
from gem_core.storage.names import WORKLIST
from gem_core.watch.heartbeat import Heartbeat
from gem_core.watch.store_claim import Ticker
from gem_core.wiring.environment import app_name, default_client_id, now, settings
from gem_core.wiring.stores import stores

if TYPE_CHECKING:
    from gem_core.gem.client import GemClient
    from gem_core.gem.token import TokenSource


@Once
def gem() -> "GemClient":
    """The client of GEM, with the key and the token of the settings. Raises SettingsError."""
    chosen = settings()
    return gem_client(chosen, key=chosen.gem_api_key, token=token_source(chosen))


def ticker(chosen: Settings) -> Ticker:
    """Who this process is when it ticks. GEM's address is no part of it."""
    if chosen.gem_bearer_token:
        identity = "the owner of GEM_BEARER_TOKEN"
    elif chosen.gem_principal:
        identity = chosen.gem_principal.client_id
    else:
        identity = default_client_id() or f"the identity of {app_name() or 'a person'}"
    return Ticker(app_name(), identity)


@Once
def own_heartbeat() -> Heartbeat:
    """The heartbeat of ticks and deliveries of this process. Raises SettingsError."""
    return Heartbeat(stores().documents(WORKLIST), ticker(settings()))


def token_source(chosen: Settings) -> "TokenSource":
    """The source of tokens: the fixed token of the settings, or else an identity."""
    from gem_core.gem.token import FixedToken, IdentityToken

    if chosen.gem_bearer_token:
        return FixedToken(chosen.gem_bearer_token)
    principal = chosen.gem_principal
    return IdentityToken(
        lambda: sign_in(principal, on_platform=chosen.state.on_platform),
        chosen.gem_token_scope,
        clock=now,
    )


def gem_client(chosen: Settings, *, key: Secret, token: "TokenSource") -> "GemClient":
    """A client of GEM with this key and this source of tokens."""
    from gem_core.gem.client import GemClient

    return GemClient(
        chosen.gem_base_url,
        api_key=key,
        token=token,
        api_version=chosen.gem_api_version,
        connections=chosen.check_concurrency,
    )
