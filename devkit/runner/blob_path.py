"""The path of a blob trigger, such as `tickets/{name}.json`. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from devkit.runner.worker import AppLoadError

_PART = re.compile(r"\{\{|\}\}|\{(?P<token>[^{}]+)\}|[^{}]+|(?P<stray>[{}])")


@dataclass(frozen=True, slots=True)
class BlobPath:
    """A literal container and a pattern for the name."""

    container: str
    prefix: str
    """What every matching name starts with."""
    pattern: re.Pattern[str]

    @classmethod
    def parse(cls, path: str) -> "BlobPath":
        """Read `container/name`, in which `{token}` stands for any text, slashes included.

        Raises:
            AppLoadError: no name, a pattern in the container, or an unpaired brace.

        """
        container, _, name = path.partition("/")
        if not container or "{" in container:
            raise AppLoadError(f"blob path {path!r}: the container must be literal")
        expression, prefix, literal = "", "", True
        for part in _PART.finditer(name or "{name}"):
            if part["stray"]:
                raise AppLoadError(f"blob path {path!r}: write {{{{ or }}}} for a literal brace")
            if part["token"]:
                literal = False
                expression += f"(?P<{part['token']}>.*)"
            else:
                text = part[0].replace("{{", "{").replace("}}", "}")
                expression += re.escape(text)
                prefix += text if literal else ""
        return cls(container, prefix, re.compile(expression, re.DOTALL))

    def match(self, name: str) -> Mapping[str, str] | None:
        """The value of each token, or None when the name does not fit."""
        found = self.pattern.fullmatch(name)
        return found.groupdict() if found else None
