"""What the tests of credentials share."""

from azure.core.credentials import TokenCredential

from gem_core.storage.identity import Identity


def credential_behind(identity: object) -> TokenCredential:
    """The credential of azure.identity that gets the tokens."""
    assert isinstance(identity, Identity)
    return identity._credential
