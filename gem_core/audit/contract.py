"""The columns that the job's contract promises, and the Arrow types that each may have. Pure."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from gem_core.audit.arrow.types import is_text
from gem_core.gem.contracts.contract import Role
from gem_core.gem.contracts.known import DEFAULT

_OUTPUT = DEFAULT.output
ID = _OUTPUT.columns[Role.ID].name
GERS_ID = _OUTPUT.columns[Role.GERS_ID].name
MATCH_CONFIDENCE = _OUTPUT.columns[Role.CONFIDENCE].name
MATCH_STATUS = _OUTPUT.columns[Role.STATUS].name

MATCHED = _OUTPUT.matched
UNMATCHED = _OUTPUT.unmatched


@dataclass(frozen=True, slots=True)
class Promise:
    """A column that every output has, once, with an accepted type."""

    name: str
    accepts: Callable[[pa.DataType], bool]
    expected: str
    """The accepted types, in words."""

    def problem(self, schema: pa.Schema) -> str:
        """What is wrong with the column in this schema, in words; empty when nothing is."""
        times = schema.names.count(self.name)
        if times == 0:
            like = [name for name in schema.names if name.lower() == self.name.lower()]
            return f"there is no column {self.name}" + (f", but {like[0]}" if like else "")
        if times > 1:
            return f"{self.name} occurs {times} times"
        found = schema.field(self.name).type
        return "" if self.accepts(found) else f"{self.name} is {found}, not {self.expected}"


def is_confidence(kind: pa.DataType) -> bool:
    """Single or double precision. An integer column would be the percentage of another API."""
    return bool(pa.types.is_float32(kind) or pa.types.is_float64(kind))


def is_id(kind: pa.DataType) -> bool:
    """An integer of any width, or text."""
    return bool(pa.types.is_integer(kind)) or is_text(kind)


_TEXT = "text (utf8, large_utf8, or a dictionary of those)"
PROMISED = {
    GERS_ID: Promise(GERS_ID, is_text, _TEXT),
    MATCH_CONFIDENCE: Promise(MATCH_CONFIDENCE, is_confidence, "float32 or float64"),
    MATCH_STATUS: Promise(MATCH_STATUS, is_text, _TEXT),
}
"""The three columns that GEM adds."""

ID_PROMISE = Promise(ID, is_id, "an integer or text")
"""The input's id, which every output carries on."""


def usable_columns(schema: pa.Schema) -> list[str]:
    """Those of id and the promised columns whose values can be judged, in the file's order."""
    promises = (ID_PROMISE, *PROMISED.values())
    usable = [promise.name for promise in promises if not promise.problem(schema)]
    return sorted(usable, key=schema.get_field_index)


def names_once(schema: pa.Schema) -> set[str]:
    """The names that one column has alone."""
    return {name for name, times in Counter(schema.names).items() if times == 1}
