"""The listeners for Azure Functions, in Python and Node.js, which people copy."""

import base64
import json
import uuid
from collections.abc import Iterator
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from devkit.azurite import Azurite
from gem_core.deliver.manifest import DATA_SCHEMA, EVENT_TYPE
from gem_core.deliver.sample import sample_manifest
from gem_core.outcome import Outcome
from tests.deliver.real_manifests import real_manifests
from tests.examples.listeners import FOLDER, call_node
from tests.fakes import START
from tests.gem.server import Reply, ScriptedServer


@pytest.fixture
def on_manifest() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        yield import_module("on_manifest")


@pytest.fixture
def container(azurite: Azurite) -> Iterator[ContainerClient]:
    with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:
        yield blobs.create_container(f"handled-{uuid.uuid4().hex}")


def test_the_copied_schema_is_the_published_one() -> None:
    published = FOLDER.parents[2] / "docs" / "manifest.schema.json"
    assert (FOLDER / "manifest.schema.json").read_bytes() == published.read_bytes()


@pytest.mark.azurite
def test_the_python_function_handles_each_event_once(
    on_manifest: ModuleType,
    container: ContainerClient,
    event: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    text = json.dumps(event)
    again = base64.b64encode(text.encode()).decode()
    results = [on_manifest.on_manifest(each, container) for each in (text, text, again)]
    assert results == [True, False, False]
    lines = [each.getMessage() for each in caplog.records if each.name == "root"]
    assert [line.split()[0] for line in lines] == ["valid"]
    other = text.replace(event["id"], "f" * 32)
    assert on_manifest.on_manifest(other, container)


@pytest.mark.azurite
def test_what_dies_during_the_work_is_handled_again(
    on_manifest: ModuleType,
    container: ContainerClient,
    event: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def die(_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(on_manifest, "handle", die)
        with pytest.raises(RuntimeError):
            on_manifest.on_manifest(json.dumps(event), container)
    assert on_manifest.on_manifest(json.dumps(event), container)


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_its_advice(on_manifest: ModuleType, outcome: Outcome) -> None:
    event = {"type": EVENT_TYPE, "dataschema": DATA_SCHEMA, "data": {"outcome": outcome}}
    expected = {
        Outcome.VALID: "USE",
        Outcome.VALID_WITH_WARNINGS: "USE",
        Outcome.INVALID: "ASK",
        Outcome.NOT_AUDITED: "ASK",
    }
    assert on_manifest.advice(event).name == expected.get(outcome, "DO_WITHOUT")
    for newer in ({"type": "x"}, {"dataschema": "x"}, {"data": {"outcome": "x"}}):
        assert on_manifest.advice(event | newer).name == "ASK"


def test_a_test_message_is_for_a_person(on_manifest: ModuleType) -> None:
    """So `send-test` shows that the message arrives, and that the alert works."""
    event = on_manifest.read(sample_manifest("0" * 32, START).body)
    assert on_manifest.advice(event).name == "ASK"


@pytest.mark.slow
def test_the_node_function_handles_each_manifest_or_leaves_it_to_a_person(
    tmp_path: Path, event: dict[str, Any]
) -> None:
    """Its binding, and each real manifest: what is handled, and what is for a person."""
    real = [pair[0] | {"id": f"{n:032x}"} for n, pair in enumerate(real_manifests())]
    newer = event | {"id": "1" * 32, "dataschema": "urn:gem-courier:manifest:2", "data": {}}
    wrong: list[object] = ["no json", {"id": 5}, [], None, event | {"data": None}]
    registered, client, *lines = call_node(
        tmp_path, [*wrong, event, json.dumps(event), newer, *real]
    )
    assert json.loads(registered) == {
        "name": "manifest",
        "queueName": "%RESULTS_QUEUE%",
        "connection": "COURIER",
    }
    raised, rest = lines[: len(wrong)], lines[len(wrong) :]
    assert json.loads(client) == ["https://own/x", "DefaultAzureCredential"]
    assert [line.split(":")[0] for line in raised] == ["raised"] * len(wrong)
    first, done, repeated, unknown, done_too, *others = rest
    assert json.loads(first) == {
        "id": event["id"], "outcome": "valid", "job": event["data"]["jobRunId"],
    }  # fmt: skip
    assert (done, repeated, done_too) == ("true", "false", "true")
    assert unknown.startswith('a person must look: {"id":"1111')
    assert others[1::2] == ["true"] * len(real)
    for line, each in zip(others[::2], real, strict=True):
        outcome = each["data"]["outcome"]
        assert line.startswith("a person") == (outcome in {"invalid", "not_audited"})
        assert f'"id":"{each["id"]}","outcome":"{outcome}"' in line
    assert len(real) >= 50


NO_MEMORY = (
    "the container 'handled' of HANDLED_CONTAINER_URL cannot be used ({}): create it, and give "
    "this app the role Storage Blob Data Contributor on it"
)


@pytest.mark.slow
@pytest.mark.parametrize("refusal", ["403", "404"])
def test_the_node_function_without_its_memory_does_no_work(
    tmp_path: Path, event: dict[str, Any], refusal: str
) -> None:
    """The container is missing, or the role is: each try says what to do."""
    _registered, *lines = call_node(tmp_path, [event, event], refusal=refusal)
    raised = [line for line in lines if not line.startswith("[")]  # the stub's own lines
    assert raised == [f"raised: {NO_MEMORY.format(refusal)}"] * 2


@pytest.mark.parametrize("refusal", [403, 404])
def test_the_python_function_without_its_memory_does_no_work(
    on_manifest: ModuleType, refusal: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(Reply(refusal)) as server:
        monkeypatch.setenv("HANDLED_CONTAINER_URL", f"{server.url}/a/handled")
        monkeypatch.setattr(on_manifest, "DefaultAzureCredential", lambda: None)
        for _ in range(2):  # the refusal is not remembered
            with pytest.raises(on_manifest.MemoryUnusable) as caught:
                on_manifest.handled()
            assert str(caught.value) == NO_MEMORY.format(refusal)
        assert len(server.asked) == 2


def test_the_python_function_listens_to_the_queue_with_an_identity() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        spec = spec_from_file_location("listener_function_app", FOLDER / "function_app.py")
        assert spec
        assert spec.loader
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
    (function,) = module.app.get_functions()
    (binding,) = function.get_bindings()
    found = binding.get_dict_repr()
    assert (found["type"], found["queueName"], found["connection"]) == (
        "queueTrigger", "%RESULTS_QUEUE%", "COURIER",
    )  # fmt: skip
    sample = json.loads((FOLDER.parent / "local.settings.sample.json").read_text("utf-8"))
    names = set(sample["Values"])
    assert names >= {"RESULTS_QUEUE", "COURIER__queueServiceUri", "HANDLED_CONTAINER_URL"}
    assert "COURIER" not in names  # a connection string, which the deployed storage refuses
