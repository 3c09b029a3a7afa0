"""The schema of the event about outdated jobs, and the example in the docs."""

import json
import re
from pathlib import Path
from typing import Any

from gem_core.advice.result import NAMES
from gem_core.deliver.outdated import AUDITED, OUTDATED_SCHEMA, OUTDATED_TYPE, SCHEMA_VERSION
from tests.deliver.schemas import strict, types_of

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
SCHEMA: dict[str, Any] = json.loads((DOCS / "outdated.schema.json").read_text("utf-8"))
DATA = SCHEMA["$defs"]["data"]["properties"]


def test_the_schema_has_the_words_of_the_code() -> None:
    assert SCHEMA["properties"]["type"]["const"] == OUTDATED_TYPE
    assert SCHEMA["properties"]["dataschema"]["const"] == SCHEMA["$id"] == OUTDATED_SCHEMA
    assert DATA["schemaVersion"]["const"] == SCHEMA_VERSION
    assert set(DATA["outcome"]["enum"]) == AUDITED
    assert set(SCHEMA["$defs"]["changes"]["required"]) == {"total", "outdated", *NAMES.values()}


def test_every_type_has_a_title_of_its_own() -> None:
    typed = [part for path, part in types_of(SCHEMA) if path != "#" and part.get("const") != 1]
    titles = [part.get("title") for part in typed]
    assert None not in titles
    assert len(set(titles)) == len(titles)


def test_the_example_of_the_docs_fits_strictly() -> None:
    text = (DOCS / "overture.md").read_text("utf-8")
    (example,) = re.findall(r"```json\n(\{.*?\n\})\n```", text, re.DOTALL)
    done = strict(SCHEMA, json.loads(example))
    assert done.returncode == 0, done.stdout + done.stderr
