"""The address of a blob service with Overture's changelog, and how it is opened. Pure."""

from dataclasses import dataclass
from urllib.parse import parse_qs

from gem_core.secret import Secret
from gem_core.settings.rules import address_problem

OVERTURE_HOST = "overturemapswestus2.blob.core.windows.net"
"""Overture's own account, which is public."""


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """Such an address. Without signature and identity it is asked anonymously."""

    url: str
    """Without a slash at its end."""
    signature: Secret | None = None
    """A shared access signature, without the question mark."""
    managed_identity: bool = False
    """Whether the app's managed identity signs in."""
    client_id: str | None = None
    """Of a user-assigned identity."""

    @property
    def way(self) -> str:
        """How it is opened, for people."""
        if self.managed_identity:
            return f"with the managed identity {self.client_id or 'of the system'}"
        return "with a shared access signature" if self.signature else "anonymously"


def read_store_address(text: str) -> StoreAddress:
    """Read `https://ACCOUNT.blob.core.windows.net`, with a signature as its query or without.

    Raises:
        ValueError: it is no such address; the message continues after the name of the setting.

    """
    url, _, query = text.partition("?")
    if problem := address_problem(url):
        raise ValueError(problem)
    if query and not parse_qs(query).get("sig"):
        raise ValueError("has a query that is not a shared access signature")
    return StoreAddress(url.rstrip("/"), Secret(query) if query else None)
