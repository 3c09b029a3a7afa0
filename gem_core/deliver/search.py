"""Where the output of a job was looked for that has none, as the manifest says it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gem_core.audit.reading.source import Source
from gem_core.deliver.audit_parts import file_parts


@dataclass(frozen=True, slots=True)
class Search:
    """Where an output was looked for."""

    storage_id: str | None
    name: str | None
    """The name that GEM's answer leads to; None when it leads to none."""
    url: str | None
    """The address of the file of that name; None when there is none."""
    found: Sequence[Source]
    """Files that are there all the same, or under other names that GEM's pages mention. They were
    not audited."""
    other_names: Sequence[str] = ()
    """Names of other files in the same folder that begin as the job's own do. They were neither
    opened nor audited."""
    problem: str = ""
    """Why it is not known whether there are more, or empty."""

    def to_json(self) -> dict[str, Any]:
        """The member of the manifest."""
        return {
            "storageId": self.storage_id,
            "name": self.name,
            "url": self.url,
            "found": [file_parts(source) for source in self.found],
            "otherNames": list(self.other_names),
            "problem": self.problem or None,
        }
