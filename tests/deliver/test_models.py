"""The models that quicktype makes of the published schema read real manifests, in two languages."""

import json
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


def python_model(path: Path) -> Any:  # noqa: ANN401 - it is made while the test runs
    spec = spec_from_file_location("manifest_model", path)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
