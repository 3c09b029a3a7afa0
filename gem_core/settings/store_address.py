"""The address of a blob service that is public, or that a signature in its query opens. Pure."""

from dataclasses import dataclass
from urllib.parse import parse_qs

from gem_core.secret import Secret
from gem_core.settings.rules import address_problem


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """Such an address, and its signature."""

    url: str
    """Without a slash at its end."""
    signature: Secret | None = None
    """A shared access signature, without the question mark."""


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
