"""`python -m gem_core doctor` on real stores and a simulated GEM, with one part broken each."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import (
    AccountSasPermissions,
    BlobServiceClient,
    ResourceTypes,
    Services,
    generate_account_sas,
)
from azure.storage.queue import QueueServiceClient

from devkit.azurite import ACCOUNT, KEY
from devkit.simulator import CLEAN, GemSimulator
from devkit.stage import OUTPUT_CONTAINER, QUEUE, app_settings
from gem_core.doctor.diagnostics import DIAGNOSTICS
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.manage_jobs import register_job
from gem_core.storage import clients, names
from gem_core.watch.heartbeat import ENDED, STARTED, Heartbeat, Tick
from gem_core.wiring.delivery import deliverer
from gem_core.wiring.managers import manager
from gem_core.wiring.tick import checker
from tests.commands.command_runner import CommandRunner
from tests.wiring.fresh import forget_edges

ROOT = Path(__file__).resolve().parents[2]
WRONG_KEY = "d3Jvbmcta2V5LXdyb25nLWtleQ=="


@pytest.fixture
def demo(command: CommandRunner) -> Iterator[dict[str, str]]:
    """The settings of an installation that has just delivered a job."""
    storage = command.azurite.connection_string
    with (
        BlobServiceClient.from_connection_string(storage) as blobs,
        QueueServiceClient.from_connection_string(storage) as queues,
    ):
        output = blobs.get_container_client(OUTPUT_CONTAINER)
        if not output.exists():
            output.create_container()
        with GemSimulator(output) as simulator:
            simulator.add_job("job-1", replace(CLEAN, queued_for=0, running_for=0))
            changes = {"GEM_REPORT_PAGE": "false", "GEM_FAILING_ROWS": "1"}
            settings = app_settings(command.azurite, simulator) | changes
            os.environ.update(settings)
            forget_edges()
            register_job(manager(), "job-1", None)
            check_jobs(checker())
            assert deliver_results(deliverer(), "job-1")
            queues.get_queue_client(QUEUE).clear_messages()
            yield settings


def diagnose(command: CommandRunner, **changes: str) -> tuple[int, dict[str, Mapping[str, Any]]]:
    """Exit code, and the findings by name."""
    os.environ.update(changes)
    code, out, err = command("doctor", "--json")
    assert err == ""
    found = json.loads(out)
    assert found["ok"] == (code == 0)
    return code, {check["name"]: check for check in found["checks"]}


def fails(found: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """What fails, with the remedy."""
    return {name: each["remedy"] for name, each in found.items() if each["status"] == "fail"}


@pytest.mark.usefixtures("demo")
def test_all_diagnostics_pass_and_no_probe_stays(command: CommandRunner) -> None:
    before = stored(command)
    code, found = diagnose(command)
    not_ok = {name for name, each in found.items() if each["status"] != "ok"}
    assert (code, not_ok) == (0, {"overture"})
    assert stored(command) == before
    assert "1 of the last 1 deliveries came from the first ticket" in found["events"]["detail"]


def stored(command: CommandRunner) -> dict[str, object]:
    """Every blob's ETag, and how many messages the queues have, hidden ones too."""
    storage = command.azurite.connection_string
    with (
        BlobServiceClient.from_connection_string(storage) as blobs,
        QueueServiceClient.from_connection_string(storage) as queues,
    ):
        held: dict[str, object] = {
            f"{name}/{blob.name}": blob.etag
            for name in names.CONTAINERS
            for blob in blobs.get_container_client(name).list_blobs()
        }
        for name in (QUEUE, names.BATCHES, *names.POISON_QUEUES):
            queue = queues.get_queue_client(name)
            held[name] = queue.get_queue_properties().approximate_message_count
        return held


@pytest.mark.usefixtures("demo")
def test_people_get_one_line_for_each_diagnostic(command: CommandRunner) -> None:
    code, out, err = command("doctor")
    assert (code, err) == (0, "")
    lines = [line.split(maxsplit=2) for line in out.splitlines()]
    assert len(lines) == len(DIAGNOSTICS)
    assert {line[0] for line in lines if line[1] != "overture"} == {"ok"}
    assert lines[0][1:] == ["settings", "read from the environment"]


def test_the_settings_may_be_in_a_file(
    command: CommandRunner, demo: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"IsEncrypted": False, "Values": demo}))
    os.environ.clear()
    code, out, _ = command("doctor", "--settings", str(file))
    assert code == 0
    assert f"read from {file}" in out.splitlines()[0]
    assert command("doctor", "--settings", str(tmp_path / "absent"))[0] == 2


@pytest.mark.usefixtures("demo")
def test_a_wrong_key_fails_gem_with_a_remedy(command: CommandRunner) -> None:
    code, found = diagnose(command, GEM_API_KEY="wrong-key")
    assert code == 1
    assert list(fails(found)) == ["gem"]
    assert found["gem"]["detail"].startswith("GEM answered 401")
    assert found["gem"]["remedy"].startswith("GEM_API_KEY is not the key that TomTom knows")
    assert "wrong-key" not in json.dumps(found)


@pytest.mark.usefixtures("demo")
def test_each_missing_container_is_named(command: CommandRunner) -> None:
    """One, and then all: each is named, with the command that makes it."""
    with BlobServiceClient.from_connection_string(command.azurite.connection_string) as blobs:
        blobs.delete_container(names.OUTBOX)
        code, found = diagnose(command)
        assert (code, list(fails(found))) == (1, ["outbox"])
        for container in set(names.CONTAINERS) - {names.OUTBOX}:
            blobs.delete_container(container)
    code, found = diagnose(command)
    assert code == 1
    stores = ("records", "worklist", "tickets", "reports", "failures", "outbox")
    for name, container in zip(stores, names.CONTAINERS, strict=True):
        assert found[name]["detail"] == f"container '{container}' does not exist in GEM_STATE"
        create = (
            f"az storage container create --auth-mode login --account-name … --name {container}"
        )
        assert create in found[name]["remedy"]
    others = {"claim", "clock", "outputs", "inputs", "timer", "events"}
    assert set(fails(found)) == {*stores, *others}


@pytest.mark.usefixtures("demo")
def test_a_queue_that_is_gone(command: CommandRunner) -> None:
    with QueueServiceClient.from_connection_string(command.azurite.connection_string) as queues:
        queues.delete_queue(QUEUE)
    code, found = diagnose(command)
    assert code == 1
    assert list(fails(found)) == ["results"]
    assert found["results"]["detail"] == f"queue '{QUEUE}' does not exist in GEM_STATE"
    assert (
        f"az storage queue create --auth-mode login --account-name … --name {QUEUE}"
        in (found["results"]["remedy"])
    )


@pytest.mark.usefixtures("demo")
def test_an_output_storage_that_refuses(command: CommandRunner) -> None:
    refusing = command.azurite.connection_string.replace(KEY, WRONG_KEY)
    code, found = diagnose(command, GEM_OUTPUT=refusing)
    assert code == 1
    assert list(fails(found)) == ["outputs", "inputs"]
    assert "job-1_matched.parquet: refused" in found["outputs"]["detail"]
    assert found["outputs"]["remedy"].startswith(
        "give the identity of GEM_OUTPUT the role Storage Blob Data Reader"
    )
    assert WRONG_KEY not in json.dumps(found)


@pytest.mark.usefixtures("demo")
def test_a_folder_that_does_not_exist(command: CommandRunner, tmp_path: Path) -> None:
    code, found = diagnose(command, GEM_IDS_FOLDER=str(tmp_path / "none"))
    assert (code, list(fails(found))) == (1, ["disk"])
    code, found = diagnose(command, GEM_IDS_FOLDER=str(tmp_path))
    detail = found["disk"]["detail"]
    assert (code, detail.startswith("the folder of GEM_IDS_FOLDER: writable, ")) == (0, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("ago", [timedelta(hours=2), None], ids=["silent", "never"])
def test_a_silent_timer_fails(command: CommandRunner, ago: timedelta | None) -> None:
    heartbeat: Heartbeat = manager().heartbeat
    if ago:
        then = datetime.now(UTC) - ago
        heartbeat.start(then)
        heartbeat.end(Tick(then, ended_at=then))
    else:
        for name in (ENDED, STARTED):
            heartbeat._documents.delete(name)
    code, found = diagnose(command)
    assert code == 1
    assert list(fails(found)) == ["timer"]
    detail = "silent: last tick 2 h " if ago else "no tick has run yet"
    assert found["timer"]["detail"].startswith(detail)
    assert "check that the app is deployed and running" in found["timer"]["remedy"]


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("permission", "detail"),
    [
        (AccountSasPermissions(read=True, list=True), "write in container gem-jobs: refused"),
        (AccountSasPermissions(write=True, create=True), "read in container gem-jobs: refused"),
        (
            AccountSasPermissions(read=True, write=True, create=True, list=True),
            "delete in container gem-jobs: refused",
        ),
    ],
    ids=["read-only", "write-only", "no-delete"],
)
def test_the_right_that_is_missing_is_named(
    command: CommandRunner, permission: AccountSasPermissions, detail: str
) -> None:
    signature = generate_account_sas(
        ACCOUNT,
        KEY,
        ResourceTypes(service=True, container=True, object=True),
        permission,
        datetime.now(UTC) + timedelta(hours=1),
        services=Services(blob=True, queue=True),
    )
    blob, queue = command.azurite.blob_uri, command.azurite.queue_uri
    state = f"BlobEndpoint={blob};QueueEndpoint={queue};SharedAccessSignature={signature}"
    code, found = diagnose(command, GEM_STATE=state)
    assert code == 1
    assert found["records"]["detail"].startswith(detail)
    assert "Storage Blob Data Contributor" in found["records"]["remedy"]
    assert "sig=" not in json.dumps(found)
    if not permission.write:
        assert found["results"]["detail"].startswith(f"queue {QUEUE}: refused")


@pytest.mark.usefixtures("demo")
def test_unresolved_references_are_named(command: CommandRunner) -> None:
    code, found = diagnose(
        command,
        GEM_STATE="@Microsoft.KeyVault(SecretUri=https://v/s)",
        GEM_CLIENT_SECRET="@microsoft.keyvault(VaultName=v;SecretName=s)",
    )
    assert code == 1
    assert found["key-vault"]["detail"] == "unresolved: GEM_CLIENT_SECRET, GEM_STATE"
    assert "Key Vault Secrets User" in found["key-vault"]["remedy"]
    assert found["records"]["status"] == "skipped"


@pytest.mark.usefixtures("demo")
def test_storage_and_gem_that_do_not_answer(
    command: CommandRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each diagnostic ends after its time-out and gives a remedy."""
    monkeypatch.setattr(clients.Retries, "options", {"retry_total": 0})
    away = "AccountName=a;AccountKey=aa==;BlobEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:1/a"
    code, found = diagnose(
        command,
        GEM_STATE=away,
        GEM_OUTPUT=away,
        GEM_API_BASE_URL="http://127.0.0.1:1",
        GEM_FAILING_ROWS="1",
    )
    assert code == 1
    # Without further routes there is no queue of one to ask.
    needless = {"settings", "key-vault", "token", "disk", "memory", "routes", "overture"}
    assert set(fails(found)) == set(found) - needless
    assert "network" in found["records"]["remedy"]
    assert "network" in found["gem"]["remedy"]


def test_help_names_the_exit_codes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gem_core", "doctor", "--help"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    for word in ("exit codes", "--settings FILE", "--json", "POST /api/doctor"):
        assert word in done.stdout
