"""Takes secrets out of texts that come from a server. Pure.

A server, or a proxy in front of it, may repeat a request in its answer ("bad key: …"). Answers go
into logs, records and manifests, which more people may read than may have the key.
"""

from gem_core.gem.reading import Redact

MIN_LENGTH = 8
"""Characters. A shorter secret protects nothing, and could be part of any word."""


def redactor(*secrets: str) -> Redact:
    """A function that replaces each secret in a text by `***`.

    Use it before a text is cut: a part of a secret is not found.
    """
    # The longest first: if one secret is part of another, the rest of the other would stay.
    longest_first = sorted(
        (secret for secret in secrets if len(secret) >= MIN_LENGTH), key=len, reverse=True
    )

    def redact(text: str) -> str:
        for secret in longest_first:
            text = text.replace(secret, "***")
        return text

    return redact
