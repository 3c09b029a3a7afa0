"""What may stand in a setting that is more than a number or a word. Pure.

Each rule says what is wrong in words that go after the setting's name, and never repeats a text
that may hold a secret; nothing when all is well.
"""

from urllib.parse import urlsplit

LOCAL = {"127.0.0.1", "localhost", "::1"}


def address_problem(text: str) -> str:
    """Of the address of a service: https, http only for this machine, and nothing but an address.

    What else can stand in one would travel: into manifests (`source`), reports and messages.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is an address whose host or port cannot be read"
    if not host or not (parts.scheme == "https" or (host in LOCAL and parts.scheme == "http")):
        return "is not an https address (http only for this machine)"
    if parts.username is not None:
        return "has a user or password: take them out"
    if "?" in text or "#" in text:
        return (
            "has a query or a fragment: give the address alone (a shared access signature goes "
            "into a connection string, beside BlobEndpoint)"
        )
    if port == 0 or not text.isprintable() or " " in text:
        return "is an address with port 0, blanks or unprintable characters"
    return ""
