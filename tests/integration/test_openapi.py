"""The running app keeps its OpenAPI document: generated calls, wrong calls, and its documents."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from devkit.simulator import CLEAN
from devkit.stage import ROOT, stage
from gem_core.web import TYPE_PREFIX
from tests.integration.courier import FAST, Courier
from tests.published import DOCUMENT, operations

CONFIG = Path(__file__).with_name("schemathesis.toml")
SEED = "1"


@pytest.fixture(scope="module")
def courier() -> Iterator[Courier]:
    """An app of its own, because generated calls register and remove any jobs."""
    with stage(time_scale=600, overrides=FAST, hold_seconds=1) as up:
        yield Courier(up)


@dataclass(frozen=True)
class Wrong:
    """A call that a developer may get wrong, and the answer."""

    method: str
    path: str
    status: int
    problem: str | None
    """None: the Functions host answers, without a body."""
    body: str = ""
    key: str | None = None
    """None: the right one."""

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.body}"


BAD = "request-invalid"
WRONG = (
    Wrong("GET", "jobs?stages=settled", 400, BAD),
    Wrong("GET", "jobs?stage=done", 400, BAD),
    Wrong("GET", "jobs?outcome=good", 400, BAD),
    Wrong("GET", "jobs?label=team", 400, BAD),
    Wrong("GET", "jobs?sort=name", 400, BAD),
    Wrong("GET", "jobs?limit=0", 400, BAD),
    Wrong("GET", "jobs?changedBefore=2026-01-20T10:00:00+00:00", 400, BAD),
    Wrong("GET", "jobs?sort=-changedAt&after=job-1:", 400, BAD),
    Wrong("GET", "jobs/job-1?verbose=1", 400, BAD),
    Wrong("GET", "jobs/job-1?verbose=", 400, BAD),
    Wrong("GET", "jobs/nobody", 404, "job-unknown"),
    Wrong("GET", "jobs/watched/manifest", 404, "document-missing"),
    Wrong("PUT", "jobs/-x", 400, BAD),
    Wrong("PUT", "jobs/job-1", 400, BAD, '{"label": {}}'),
    Wrong("PUT", "jobs/job-1", 400, BAD, "labels=a"),
    Wrong("PATCH", "jobs/nobody", 404, "job-unknown", '{"labels": {}}'),
    Wrong("PATCH", "jobs/watched", 400, BAD, '{"expectedInputName": "x"}'),
    Wrong("PATCH", "jobs/done", 409, "stage-forbids", '{"labels": {"a": "b"}}'),
    Wrong("POST", "jobs", 400, BAD, '[{"jobRunId": "job-1"}]'),
    Wrong("POST", "jobs/watched/redeliver", 409, "stage-forbids"),
    Wrong("POST", "jobs/watched/redeliver?route=default", 409, "stage-forbids"),
    Wrong("POST", "jobs/done/redeliver?route=gem-maps", 400, BAD),
    Wrong("POST", "jobs/done/redeliver?route=", 400, BAD),
    Wrong("POST", "jobs/done/redeliver", 400, BAD, '{"route": "default"}'),
    Wrong(
        "POST",
        "redeliver?route=",
        400,
        BAD,
        '{"outcome": "valid", "changedBefore": "2100-01-01T00:00:00Z"}',
    ),
    Wrong("POST", "redeliver", 400, BAD, '{"outcome": "invalid"}'),
    Wrong("GET", "jobs", 401, None, key="wrong"),
    Wrong("POST", "jobs/job-1", 404, None),
)


@pytest.fixture(scope="module")
def jobs(courier: Courier) -> None:
    """A job that is watched, and one that was delivered."""
    for name, running_for in (("watched", 1e9), ("done", 0.0)):
        script = replace(CLEAN, queued_for=0, running_for=running_for)
        courier.up.simulator.add_job(name, script)
        courier.register(name)
    courier.delivered("done")


@pytest.mark.usefixtures("jobs")
@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_wrong_call_is_answered_with_the_cause(courier: Courier, wrong: Wrong) -> None:
    options: dict[str, Any] = {"data": wrong.body}
    if wrong.key:
        options["headers"] = {"x-functions-key": wrong.key}
    answer = courier.call(wrong.method, wrong.path, **options)
    assert answer.status_code == wrong.status
    if wrong.problem is None:
        assert answer.content == b""
        return
    problem = answer.json()
    sys.stdout.write(f"{wrong}\n  {wrong.status} {wrong.problem}: {problem['detail']}\n")
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert problem["type"] == TYPE_PREFIX + wrong.problem
    schema = DOCUMENT["components"]["schemas"]["Problem"]
    Draft202012Validator(schema).validate(problem)
    assert str(wrong.status) in described(wrong.method, wrong.path)


def described(method: str, path: str) -> dict[str, Any]:
    """The answers that the document has for a call."""
    first, _, rest = path.partition("?")[0].partition("/")
    _, slash, last = rest.partition("/")
    place = f"/api/{first}" + ("/{jobRunId}" if rest else "") + slash + last
    responses: dict[str, Any] = operations()[method, place]["responses"]
    return responses


@pytest.mark.usefixtures("jobs")
@pytest.mark.parametrize("document", ["manifest", "report", "report.html"])
def test_a_document_has_the_type_that_is_described(courier: Courier, document: str) -> None:
    answer = courier.call("GET", f"jobs/done/{document}")
    (kind,) = described("GET", f"jobs/done/{document}")["200"]["content"]
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].partition(";")[0] == kind


def test_the_app_serves_the_document(courier: Courier) -> None:
    assert courier.call("GET", "openapi.json").json() == DOCUMENT


def test_a_new_job_has_a_location(courier: Courier) -> None:
    created = courier.call("PUT", "jobs/job-located")
    assert created.headers["Location"] == "/api/jobs/job-located"
    shown = courier.call("GET", created.headers["Location"].removeprefix("/api/"))
    assert shown.json()["jobRunId"] == "job-located"
    assert "Location" not in courier.call("PUT", "jobs/job-located").headers


def example(language: str) -> str:
    """The example of docs/http.md in a language. The development runner does not speak TLS."""
    page = (ROOT / "docs" / "http.md").read_text("utf-8")
    return page.partition(f"```{language}\n")[2].partition("```")[0].replace("https:", "http:")


def environment(courier: Courier) -> dict[str, str]:
    """The variables of the examples."""
    app = courier.up.runner.url.removeprefix("http://")
    return {"APP": app, "KEY": courier.up.runner.function_key}


@pytest.mark.usefixtures("jobs")
def test_the_example_in_python_lists_jobs(
    courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(courier).items():
        monkeypatch.setenv(name, value)
    code = example("python").replace('"invalid"', '"valid", "limit": 1')
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - the text is the project's own
    assert [job["jobRunId"] for job in names["jobs"]] == ["done"]


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_the_example_with_curl_registers_a_job(courier: Courier) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", example("sh")],
        env=os.environ | environment(courier),
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    record = json.loads(done.stdout)
    assert (record["labels"], record["expectedInputName"]) == ({"team": "maps"}, "roads.parquet")


@pytest.mark.slow
def test_generated_calls_find_no_difference(courier: Courier, tmp_path: Path) -> None:
    """By schemathesis: each route, right and wrong calls."""
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(DOCUMENT), encoding="utf-8")
    program = Path(sys.executable).with_name("st")
    done = subprocess.run(
        [
            program, "--config-file", CONFIG, "--no-color", "run", document,
            "--seed", SEED, "--workers", "2",
            "--url", courier.up.runner.url,
            "--header", f"x-functions-key: {courier.up.runner.function_key}",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    sys.stdout.write(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Tested: {len(operations())}" in done.stdout
