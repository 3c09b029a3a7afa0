"""Takes known secrets out of a text: the last net under everything that leaves the process.

The first rule is that no secret gets into a text: what a library or a server says is not repeated.
This net is for the day on which the first rule is broken. It knows keys, client secrets, tokens and
signatures, but not the rest of an address or of a connection string.
"""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from threading import Lock

MIN_LENGTH = 8
"""Characters. A shorter secret protects nothing, and could be part of any word."""
PREFIX = 12
"""Characters. A secret that was cut is found by its beginning, if so much of it is left."""
_KEPT = 16
"""Secrets with the same beginning that are kept. All tokens of Entra ID begin with the same
characters, and a process gets new ones for as long as it lives."""
_BY_NAME = re.compile(
    r"((?:sig|AccountKey|SharedAccessKey)(?:=|%(?:25)*3D))[^&;,\s'\"\\<>]+", re.IGNORECASE
)
"""A secret that its name shows, whether it is known or not."""
_TOKEN = re.compile(
    r"(?<![\w-])(?:(?!eyJ)[\w-])*+(eyJ[\w-]++\.eyJ[\w-]*+(?:\.[\w-]*+)*+)", re.ASCII
)
"""A token by its form, whether it is known or not: a header and claims, which are JSON objects in
base64url (RFC 7519). A process gets a new one for as long as GEM answers 401, and knows only the
last ones.

Each run of such characters is read once, from its beginning. To begin at each "eyJ" would need
minutes for a long text of them."""


class Redactor:
    """Replaces secrets in texts by `***`. Threads may share it."""

    def __init__(self, *secrets: str) -> None:
        self._lock = Lock()
        self._by_prefix: dict[str, tuple[str, ...]] = {}
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Know these secrets too."""
        with self._lock:
            known = dict(self._by_prefix)
            for secret in secrets:
                # In JSON, and in the repr of a text, some characters have a backslash.
                for form in dict.fromkeys((secret, json.dumps(secret)[1:-1])):
                    if len(form) >= MIN_LENGTH:
                        others = [each for each in known.get(form[:PREFIX], ()) if each != form]
                        known[form[:PREFIX]] = (form, *others)[:_KEPT]
            self._by_prefix = known

    def __call__(self, text: str) -> str:
        """The text without secrets: whole or cut, plain or percent-encoded."""
        if len(text) < MIN_LENGTH:  # most texts of an answer are so short
            return text
        shown, end = [], 0
        for start, stop in sorted(self._found(text)):
            if start >= end:
                shown += [text[end:start], "***"]
            end = max(end, stop)
        return _BY_NAME.sub(r"\1***", "".join((*shown, text[end:])))

    def _found(self, text: str) -> Iterator[tuple[int, int]]:
        """Start and end of each secret in a text."""
        yield from (found.span(1) for found in _TOKEN.finditer(text))
        is_encoded = "%" in text
        for prefix, secrets in self._by_prefix.items():
            if not is_encoded and prefix not in text:  # much faster than a pattern
                continue
            for found in _pattern(prefix).finditer(text):
                yield found.start(), max(_end(each, text, found.end()) for each in secrets)


def _end(secret: str, text: str, end: int) -> int:
    """Where a secret ends in a text, or is cut; its beginning ends at `end`."""
    for letter in secret[PREFIX:]:
        if text.startswith(letter, end):  # much faster than a pattern
            end += 1
        elif text.startswith("%", end) and (found := _pattern(letter).match(text, end)):
            end = found.end()
        else:
            break
    return end


@lru_cache(1024)
def _pattern(text: str) -> re.Pattern[str]:
    """The text, any of whose characters may be percent-encoded, once or several times."""
    return re.compile("".join(map(_letter, text)))


def _letter(letter: str) -> str:
    codes = "".join(f"%(?:25)*{byte:02X}" for byte in letter.encode(errors="surrogatepass"))
    return f"(?:{re.escape(letter)}|(?i:{codes}))"


redacted = Redactor()
"""Takes the secrets of this process out of a text."""


def remember(*secrets: str) -> None:
    """From now on, `redacted` takes these secrets out of texts."""
    redacted.add(*secrets)
