"""The path of a blob trigger, such as `tickets/{name}.json`. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from devkit.runner.worker import AppLoadError

_PART = re.compile(r"\{\{|\}\}|\{(?P<token>[^{}]+)\}|[^{}]+|(?P<stray>[{}])")


@dataclass(frozen=True, slots=True)
class BlobPath:
    """A container and a pattern for blob names."""

    container: str
    prefix: str
    """The common start of all matching names."""
    pattern: re.Pattern[str]

    @classmethod
    def parse(cls, path: str) -> "BlobPath":
        """Read `container/name`, in which `{token}` matches any text, also with slashes.

        Raises:
            AppLoadError: there is no name, the container has a pattern, or a brace is unpaired.

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
        """The value of each token; None if the name does not match."""
        found = self.pattern.fullmatch(name)
        return found.groupdict() if found else None
