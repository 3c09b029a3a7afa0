"""Writes the types of the Azure resources in infra/, for the offline check: `make infra-types`.

The types come from Microsoft's Azure MCP Server (package `msmcp-azure`, MIT). It contains the types
of the Bicep compiler and needs neither network nor sign-in. Only the parts that the check needs are
kept, in the form that tests/infra/resource_types.py reads. The server knows one API version of each
type and lacks some types. Those are in `by-hand.json`; if they are not, they are reported.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "infra" / "types"
NOTE = (
    "Made by `make infra-types` from what `azmcp bicepschema get` answers (package msmcp-azure, "
    "MIT License, Copyright (c) Microsoft Corporation), without descriptions and without what only "
    "an answer of Azure can hold."
)
PRIMITIVES = {f"{kind}{array}" for kind in ("string", "int", "bool", "any") for array in ("", "[]")}

type Json = dict[str, Any]


def main() -> int:
    """Write the types of all resources in infra/. Returns 1 if a type is in neither file."""
    by_hand = json.loads((FOLDER / "by-hand.json").read_text(encoding="utf-8"))["resources"]
    types: dict[str, Json] = {}
    resources, missing = {}, []
    for wanted in used_types():
        answer = _ask(wanted.partition("@")[0])
        body = next((each["bodyType"] for each in answer if each["name"] == wanted), None)
        if body:
            resources[wanted] = _Writer(wanted, answer, types).write(body)
        elif wanted not in by_hand:
            missing.append(wanted)
    kept = {"note": NOTE, "resources": resources, "types": types}
    text = json.dumps(kept, indent=1, ensure_ascii=False)
    (FOLDER / "from-microsoft.json").write_text(text + "\n", encoding="utf-8")
    for each in missing:
        print(f"{each}: the server does not know it; add it to by-hand.json", file=sys.stderr)
    return 1 if missing else 0


def used_types() -> list[str]:
    """All `type@version` in infra/, sorted."""
    found: set[str] = set()
    for path in (ROOT / "infra").rglob("*.bicep"):
        found |= set(re.findall(r"'(Microsoft\.[\w./]+@[\w-]+)'", path.read_text("utf-8")))
    return sorted(found)


def _ask(resource_type: str) -> list[Json]:
    command = ["azmcp", "bicepschema", "get", "--resource-type", resource_type]
    quiet = os.environ | {"AZURE_MCP_COLLECT_TELEMETRY": "false"}
    done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
    found: list[Json] = json.loads(done.stdout)["results"].get("BicepSchemaResult", [])
    return found


class _Writer:
    """Writes the types of one resource: those that its body refers to."""

    def __init__(self, owner: str, answer: list[Json], types: dict[str, Json]) -> None:
        self._prefix = owner.removeprefix("Microsoft.").partition("@")[0]
        self._objects = {each["name"]: each for each in answer if "Object" in each["$type"]}
        self._types = types

    def write(self, body: Json, name: str = "") -> str:
        """Write an object and what it reaches; the name that it can be found by."""
        key = f"{self._prefix}:{name}".rstrip(":")
        if key in self._types:
            return f"#{key}"
        self._types[key] = {}
        if body["$type"] == "DiscriminatedObject":
            base = self._properties(body["baseProperties"])
            elements = [self._properties(each["properties"]) for each in body["elements"]]
            by = next(
                name for name in elements[0] if all(_is_literal(e.get(name)) for e in elements)
            )
            choices = {each[by].strip("'"): base | each for each in elements}
            self._types[key] = {"?": by.rstrip("!"), "choices": choices}
        else:
            self._types[key] = self._properties(body["properties"])
            if more := body.get("additionalPropertiesType"):
                self._types[key]["*"] = self._kind(more)
        return f"#{key}"

    def _properties(self, described: list[Json]) -> Json:
        found = {}
        for each in described:
            flags = each.get("flags", "")
            if "ReadOnly" in flags:
                found[each["name"] + "-"] = "any"
            else:
                mark = "!" if "Required" in flags else ""
                found[each["name"] + mark] = self._kind(each["type"])
        return found

    def _kind(self, kind: str) -> str:
        members = kind.split(" | ")
        if len(members) == 1 and kind.removesuffix("[]") in self._objects:
            name = kind.removesuffix("[]")
            return self.write(self._objects[name], name) + kind[len(name) :]
        # In a union, words are values: the server writes them without quotes.
        return " | ".join(each if each in PRIMITIVES else f"'{each}'" for each in members)


def _is_literal(kind: str | None) -> bool:
    return bool(kind) and str(kind).startswith("'") and "|" not in str(kind)


if __name__ == "__main__":
    sys.exit(main())
