"""The models that quicktype makes of the published schema read real manifests, in two languages.

In a third one, C#, they are complete. There is no compiler for it here.
"""

import json
import re
import subprocess
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from devkit.azurite import node
from gem_core.outcome import Outcome
from tests.builders import SCHEMA
from tests.deliver.real_manifests import real_manifests

MODELS = Path(__file__).with_name("models.js")
ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
    """Manifests and their reports, and last three that a reader must refuse."""
    real = real_manifests()
    assert len(real) >= 50
    assert {event["data"]["outcome"] for event, _ in real} == set(Outcome)
    event = real[0][0]
    return [
        *(each for pair in real for each in pair),
        event | {"data": event["data"] | {"outcome": "postponed"}},
        event | {"dataschema": "urn:gem-courier:manifest:2"},
        {name: value for name, value in event.items() if name != "id"},
    ]


@pytest.fixture(scope="module")
def made(
    events: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """The folder with the models, and what the compiler and the TypeScript model say."""
    folder = tmp_path_factory.mktemp("models")
    given = {"schema": json.dumps(SCHEMA), "folder": str(folder), "events": events}
    done = subprocess.run(
        [node(), MODELS],
        input=json.dumps(given), capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert done.stderr == ""
    return folder, json.loads(done.stdout)


def test_the_typescript_model_compiles_and_reads_them(
    events: list[dict[str, Any]], made: tuple[Path, dict[str, Any]]
) -> None:
    _, told = made
    assert told["compiler"] == []
    *refused, outcome, dataschema, without_id = told["refused"]
    assert refused == [None] * (len(events) - 3)
    assert 'for key "outcome"' in outcome
    assert 'for key "dataschema"' in dataschema
    assert 'for key "id"' in without_id


def test_the_python_model_reads_them(
    events: list[dict[str, Any]], made: tuple[Path, dict[str, Any]]
) -> None:
    folder, _ = made
    read = python_model(folder / "model.py").manifest_from_dict
    *real, outcome, dataschema, without_id = events
    for event in real:
        model = read(event)
        assert model.data.outcome.value == event["data"]["outcome"]
        assert model.id == event["id"]
    for wrong, error in (
        (outcome, ValueError),
        (dataschema, ValueError),
        (without_id, AssertionError),
    ):
        with pytest.raises(error):
            read(wrong)


def test_the_csharp_model_has_every_member_of_the_schema(made: tuple[Path, dict[str, Any]]) -> None:
    """Each class those of its part, and each enum its words."""
    folder, _ = made
    code = (folder / "Manifest.cs").read_text("utf-8")
    assert "namespace Listener" in code
    assert "public static Manifest FromJson(string json)" in code
    assert "using System.Text.Json;" in code
    assert "Newtonsoft" not in code
    classes = re.findall(
        r"public partial class (\w+)\n    {\n(.*?)^    }", code, re.DOTALL | re.MULTILINE
    )
    found = {
        name: set(re.findall(r'\[JsonPropertyName\("(\w+)"\)\]', body))
        for name, body in reversed(classes)
    }
    parts = [SCHEMA, *SCHEMA["$defs"].values()]
    objects = [part for part in parts if "properties" in part]
    assert found == {part["title"]: set(part["properties"]) for part in objects}
    words = [word for part in parts for word in part.get("enum", ())]
    assert {"valid", "failed", "error"} <= set(words)
    assert [word for word in words if f'case "{word}":' not in code] == []


@pytest.mark.parametrize("page", ["README.md", "csharp-and-logic-apps.md"])
def test_the_documented_command_is_the_one_that_is_tried(page: str) -> None:
    """With the version of the library, which has the version of the command."""
    (version,) = re.findall(
        r'"quicktype-core": "(\d+)\.', (ROOT / "package.json").read_text("utf-8")
    )
    text = (ROOT / "examples" / "listeners" / page).read_text("utf-8")
    commands = [line.split("#")[0].split() for line in re.findall("^npx .*$", text, re.MULTILINE)]
    base = ["npx", f"quicktype@{version}", "-s", "schema", "docs/manifest.schema.json", "-o"]
    assert all(command[: len(base)] == base for command in commands)
    csharp = ["Manifest.cs", "--namespace", "Listener"]
    assert [command[len(base) :] for command in commands][-1] == csharp


def python_model(path: Path) -> Any:  # noqa: ANN401 - it is made while the test runs
    spec = spec_from_file_location("manifest_model", path)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
