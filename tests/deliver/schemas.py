"""Checks that apply to every published schema."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from devkit.azurite import node
from tests.builders import SCHEMA

STRICT = Path(__file__).with_name("strict.js")


def strict(schema: dict[str, Any], *events: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    text = json.dumps({"schema": schema, "events": events})
    return subprocess.run(
        [node(), STRICT], input=text, capture_output=True, text=True, check=False, timeout=60
    )


def types_of(schema: dict[str, Any], at: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every part of a schema for which a code generator makes a type, with its path."""
    is_object = "object" in schema.get("type", ()) and schema is not SCHEMA
    if is_object or "enum" in schema or "const" in schema:
        yield at, schema
    for name in ("properties", "$defs"):
        for key, part in schema.get(name, {}).items():
            yield from types_of(part, f"{at}/{key}")
    for name in ("items", "additionalProperties"):
        if name in schema:
            yield from types_of(schema[name], f"{at}/{name}")
