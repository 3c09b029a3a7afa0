"""What we sent, taken out of what comes back. Pure.

A server, or a proxy before it, may repeat a request in its answer ("bad key: …"), and the words of
an answer go on into logs, records and manifests, which more people read than may have the key.
"""

from collections.abc import Callable

LEAST = 8
"""Characters of a secret that is looked for: a shorter one guards nothing, as at a simulator, and
could be part of any word."""


def redactor(*secrets: str) -> Callable[[str], str]:
    """Puts `***` in the place of each secret; to be called before a text is cut."""
    # The longest first: of one that holds another, something would be left else.
    sent = sorted((secret for secret in secrets if len(secret) >= LEAST), key=len, reverse=True)

    def redact(text: str) -> str:
        for secret in sent:
            text = text.replace(secret, "***")
        return text

    return redact
