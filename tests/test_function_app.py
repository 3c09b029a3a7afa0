"""The contract of function_app.py with the host, as Microsoft's own worker library reads it.

The library indexes one app a process, so each story runs in a process of its own.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from devkit.azurite import Azurite
from devkit.simulator import CLEAN, GemSimulator
from devkit.stage import OUTPUT_CONTAINER, ROOT, app_settings, make_stores
from gem_core.storage import names

LOAD = """
import json, sys
from pathlib import Path
from devkit.runner.worker import AppLoadError, Worker
try:
    functions = Worker().load(Path(sys.argv[1]))
except AppLoadError as error:
    sys.exit(str(error))
print(json.dumps({f.name: list(f.bindings) for f in functions}))
"""

INVOKE = """
import json, sys
from pathlib import Path
from devkit.runner.worker import Invocation, TypedData, Worker
worker = Worker()
functions = {function.name: function for function in worker.load(Path(sys.argv[1]))}
for call in json.loads(sys.argv[2]):
    value = TypedData(**{call["kind"]: call["value"]})
    if call["kind"] == "bytes":
        value = TypedData(bytes=call["value"].encode())
    if call["kind"] == "http":
        parts = call["value"]
        value = TypedData(http=type("Http", (), {
            "method": parts["method"], "url": "http://127.0.0.1/api/x", "headers": {},
            "params": parts["params"], "query": {},
            "body": TypedData(bytes=parts["body"].encode()),
        })())
    metadata = {
        name: TypedData(**{kind: text}) for name, kind, text in call.get("metadata", [])
    }
    answer = worker.invoke(Invocation(functions[call["name"]], call["parameter"], value, metadata))
    returned = answer.returned.http if answer.returned else None
    print(json.dumps([
        answer.failure.splitlines()[-1] if answer.failure else "",
        int(returned.status_code) if returned else None,
        sorted({"pyarrow", "numpy", "jinja2"} & set(sys.modules)),
    ]))
"""


def run(program: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A program of this file in a process of its own."""
    environment = {"PATH": os.environ["PATH"], **settings}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def bindings() -> dict[str, list[dict[str, Any]]]:
    """Function name to its bindings, as the host gets them; with batches, all functions."""
    loaded = run(LOAD, str(ROOT), GEM_CHECK_BATCH_SIZE="100")
    assert loaded.returncode == 0, loaded.stderr
    found: dict[str, list[dict[str, Any]]] = json.loads(loaded.stdout)
    return found


def test_the_workers_own_lines_are_not_silenced() -> None:
    """The worker logs as `azure.functions`, for example which functions it has found."""
    program = (
        "import logging; logging.basicConfig(level=logging.INFO); import function_app\n"
        "print([logging.getLogger(name).isEnabledFor(logging.INFO) for name in "
        "('azure.functions', 'azure.core.x', 'azure.identity.x', 'azure.storage.x')])"
    )
    assert run(program).stdout.strip() == "[True, False, False, False]"


def test_the_timer_has_its_schedule_from_a_setting(
    bindings: dict[str, list[dict[str, Any]]],
) -> None:
    """Its schedule is a setting; it does not run at every start of every instance."""
    (timer,) = bindings["check_jobs"]
    assert timer["type"] == "timerTrigger"
    assert timer["schedule"] == "%GEM_CHECK_SCHEDULE%"
    assert not timer.get("runOnStartup")
    assert timer["useMonitor"] is True


def test_the_blob_trigger_waits_for_tickets(bindings: dict[str, list[dict[str, Any]]]) -> None:
    """It waits for tickets in the state account, by Event Grid by default."""
    (blob,) = bindings["deliver_results"]
    assert blob["type"] == "blobTrigger"
    assert blob["path"] == f"{names.TICKETS}/{{jobRunId}}.json"
    assert blob["connection"] == "GEM_STATE"
    assert blob["source"] == "EventGrid"


def test_an_instance_delivers_one_job_at_a_time() -> None:
    """An instance has memory for one audit; a second delivery would wait for it all the same."""
    host = json.loads((ROOT / "host.json").read_text("utf-8"))
    assert host["extensions"]["blobs"]["maxDegreeOfParallelism"] == 1


def test_the_queue_trigger_waits_for_batches(bindings: dict[str, list[dict[str, Any]]]) -> None:
    """It waits for batches in the state account."""
    (queue,) = bindings["check_batch"]
    assert queue["type"] == "queueTrigger"
    assert queue["queueName"] == names.BATCHES
    assert queue["connection"] == "GEM_STATE"


@pytest.mark.parametrize("size", ["", "0", "off", "-1", "201"])
def test_without_batches_no_queue_trigger_listens(size: str) -> None:
    """A queue that refuses or is away ends the host (decision 106)."""
    loaded = run(LOAD, str(ROOT), GEM_CHECK_BATCH_SIZE=size)
    kinds = {each["type"] for several in json.loads(loaded.stdout).values() for each in several}
    assert kinds == {"timerTrigger", "blobTrigger", "httpTrigger", "http"}


@pytest.mark.parametrize(
    ("setting", "source"),
    [
        ("LogsAndContainerScan", "LogsAndContainerScan"),
        ("eventgrid", "EventGrid"),
        ("?", "EventGrid"),
    ],
)
def test_trigger_source_is_a_setting(setting: str, source: str) -> None:
    loaded = run(LOAD, str(ROOT), GEM_TRIGGER_SOURCE=setting)
    assert json.loads(loaded.stdout)["deliver_results"][0]["source"] == source


def test_no_other_function_and_no_output_binding(
    bindings: dict[str, list[dict[str, Any]]],
) -> None:
    """Messages go by the SDK: an output binding is flushed after the function has returned."""
    assert len(bindings) == 23
    kinds = {each["type"] for several in bindings.values() for each in several}
    assert kinds == {"timerTrigger", "blobTrigger", "queueTrigger", "httpTrigger", "http"}


def test_what_the_worker_refuses_is_seen(tmp_path: Path) -> None:
    """An app that the worker does not load would be noticed here."""
    (tmp_path / "function_app.py").write_text(
        "import azure.functions as func\n"
        "app = func.FunctionApp()\n"
        "@app.route('x')\n"
        "def x(request: func.HttpRequest) -> str:\n    return ''\n"
    )
    refused = run(LOAD, str(tmp_path))
    assert refused.returncode != 0
    assert "cannot load the x function" in refused.stderr


@pytest.fixture
def settled_app() -> Iterator[dict[str, str]]:
    """The settings of an app for which job-1 has finished at GEM."""
    with Azurite() as azurite:
        make_stores(azurite.connection_string)
        with (
            BlobServiceClient.from_connection_string(azurite.connection_string) as blobs,
            GemSimulator(blobs.get_container_client(OUTPUT_CONTAINER)) as simulator,
        ):
            simulator.add_job("job-1", replace(CLEAN, queued_for=0, running_for=0))
            yield app_settings(azurite, simulator) | {"GEM_CHECK_BATCH_SIZE": "100"}


@pytest.mark.azurite
def test_each_function_takes_what_the_host_sends(settled_app: dict[str, str]) -> None:
    """Register, tick, ticket (twice, and one of an unknown job), by realistic trigger data.

    No function imports what an audit needs, a delivery neither: its child does.
    """
    timer = json.dumps(
        {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": {
                "Last": "2026-11-23T10:00:00.0092000+00:00",
                "Next": "2026-11-23T10:01:00+00:00",
                "LastUpdated": "2026-11-23T10:00:00.0092000+00:00",
            },
            "IsPastDue": True,
        }
    )

    def http(name: str, method: str, body: str = "") -> dict[str, Any]:
        parts = {"method": method, "params": {"jobRunId": "job-1"}, "body": body}
        return {"name": name, "parameter": "req", "kind": "http", "value": parts}

    def ticket(job_run_id: str) -> dict[str, Any]:
        return {
            "name": "deliver_results",
            "parameter": "ticket",
            "kind": "bytes",
            "value": json.dumps({"jobRunId": job_run_id}),
            "metadata": [
                ["BlobTrigger", "string", f"gem-tickets/{job_run_id}.json"],
                ["Uri", "json", f'"http://127.0.0.1/gem-tickets/{job_run_id}.json"'],
                ["Properties", "json", '{"ContentLength": 20, "ETag": "0x1"}'],
                ["Metadata", "json", "{}"],
                ["jobRunId", "string", job_run_id],
            ],
        }

    batch = {
        "name": "check_batch",
        "parameter": "batch",
        "kind": "string",
        "value": json.dumps({"until": "2999-01-01T00:00:00+00:00", "jobs": []}),
        "metadata": [["Id", "string", "1"], ["DequeueCount", "string", "1"]],
    }
    tick = {"name": "check_jobs", "parameter": "timer", "kind": "json", "value": timer}
    calls = [
        http("register_job", "PUT", '{"labels": {"a": "b"}}'),
        http("register_job", "PUT"),
        http("change_job", "PATCH", '{"labels": {"a": "c"}}'),
        http("list_jobs", "GET"),
        http("list_trouble", "GET"),
        http("list_poison", "GET"),
        http("replay_poison", "POST"),
        tick,
        http("run_tick", "POST"),
        batch,
        http("check_job", "POST"),
        http("show_manifest", "GET"),
        ticket("job-1"),
        http("show_manifest", "GET"),
        http("show_report", "GET"),
        http("show_report_page", "GET"),
        ticket("job-1"),
        ticket("job-unknown"),
        http("show_job", "GET"),
        http("redeliver_job", "POST"),
        ticket("job-1"),
        http("status", "GET"),
        http("health", "GET"),
        http("doctor", "POST"),
        http("forget_job", "DELETE"),
        http("show_job", "GET"),
    ]
    done = run(INVOKE, str(ROOT), json.dumps(calls), **settled_app)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    expected = [
        201,
        200,
        200,
        200,
        200,
        200,
        200,
        None,
        200,
        None,
        200,
        404,
        None,
        200,
        200,
        200,
        None,
    ]
    expected += [None, 200, 202, None, 200, 200, 200, 204, 404]
    assert [answer[:2] for answer in answers] == [["", status] for status in expected], done.stderr
    assert [answer[2] for answer in answers] == [[]] * len(calls)
