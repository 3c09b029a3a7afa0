"""The address of a blob as a person types it, with or without a signature. Pure."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from gem_core.errors import OutputRefused
from gem_core.secret import Secret


@dataclass(frozen=True, slots=True)
class BlobAddress:
    """Where a blob is, and the signature that opens it, if the address has one."""

    account: str
    """Address of the account's blob service, without a slash at the end."""
    container: str
    name: str
    signature: Secret | None
    """A shared access signature, without the question mark."""
    local: bool
    """Whether it is on this machine: then it is an emulator."""

    @property
    def url(self) -> str:
        """Without the signature."""
        return f"{self.account}/{self.container}/{self.name}"


def parse_address(text: str) -> BlobAddress:
    """Read `https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME`, with a signature as its query.

    On this machine http is allowed too. There, and with an IP address as the host, the account is
    the first part of the path ("Use the Azurite emulator").

    Raises:
        OutputRefused: it is not such an address; the message does not repeat the query.

    """
    shown = text.partition("?")[0][:200]
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise OutputRefused(f"{shown!r} is not an address") from None
    local = _is_local(host)
    if problem := _problem(parts, host, shown, local=local):
        raise OutputRefused(problem)
    by_path = local or _is_number(host)
    path = parts.path.removeprefix("/").split("/", 2 if by_path else 1)
    account_path, names = (path[:1], path[1:]) if by_path else ([], path)
    if len(names) < 2 or not all(path):  # noqa: PLR2004 - container and blob
        form = (
            "http://127.0.0.1:PORT/ACCOUNT" if by_path else "https://ACCOUNT.blob.core.windows.net"
        )
        raise OutputRefused(f"{shown!r} names no blob: expected {form}/CONTAINER/NAME")
    container, name = names
    netloc = f"[{host}]" if ":" in host else host
    return BlobAddress(
        account="/".join(
            [f"{parts.scheme}://{netloc}" + (f":{port}" if port else ""), *account_path]
        ),
        container=container,
        name=unquote(name),
        signature=Secret(parts.query) if parts.query else None,
        local=local,
    )


def _problem(parts: SplitResult, host: str, shown: str, *, local: bool) -> str:
    """What no address of a blob has, apart from its path; empty when there is nothing."""
    if not host or not (parts.scheme == "https" or (local and parts.scheme == "http")):
        return f"{shown!r} is not an https address (http only for this machine)"
    if parts.username is not None or parts.fragment:
        return f"the address at {host} has a user or a fragment; write # as %23"
    if parts.query and not parse_qs(parts.query).get("sig"):
        return f"{shown!r} has a query that is not a shared access signature"
    return ""


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_local(host: str) -> bool:
    return host == "localhost" or (_is_number(host) and ip_address(host).is_loopback)
