"""What callers get as JSON: HTTP answers, and what the command prints, from the real stories."""

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from typing import Any
from unittest.mock import patch

from gem_core.__main__ import main
from gem_core.audit.audit import audit
from gem_core.audit.judging.report_json import report_to_json
from gem_core.commands import jobs_change
from gem_core.doctor.diagnostics import report, run_diagnostics
from gem_core.errors import GemUnavailable
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.find_trouble import find_trouble
from gem_core.flows.in_bulk import redeliver_jobs, register_jobs
from gem_core.flows.list_jobs import list_jobs
from gem_core.flows.manage_jobs import check_job, register_job, show_job
from gem_core.flows.replay_poison import list_poison, replay_poison
from gem_core.flows.timer_status import timer_status
from gem_core.web import PROBLEMS, problem
from tests.builders import JOB, OUTPUT, World, finished, job, matched_file
from tests.doctor.build import FakeInstallation
from tests.fakes import FakeFiles
from tests.flows.poisoned import manager as poison_manager
from tests.flows.poisoned import ticket


def answers() -> Iterator[tuple[str, Any]]:
    """Each route or command with a JSON value that it gives."""
    world = World()
    world.gem.answers[JOB] = [GemUnavailable("GEM answered 503"), finished()]
    yield "PUT /api/jobs/{jobRunId}", register_job(world.manager, JOB, None)[1]
    jobs = {"jobs": [{"jobRunId": JOB}, {}]}
    yield "POST /api/jobs", register_jobs(world.manager, jobs)
    yield "POST /api/tick", check_jobs(world.checker).to_json()
    yield "GET /api/trouble", {"jobs": find_trouble(world.manager)}
    yield "GET /api/jobs", list_jobs(world.manager, {})
    yield "GET /api/status", timer_status(world.manager)[1]
    check_job(world.manager, world.checker, JOB)
    poison, _ = poison_manager(world, ticket(JOB), "unknown")
    yield "GET /api/poison", list_poison(poison)
    yield "POST /api/poison/replay", {"messages": list(replay_poison(poison))}
    world.files.write(OUTPUT, matched_file())
    deliver_results(world.deliverer, JOB)
    yield "GET /api/jobs/{jobRunId}", show_job(world.manager, JOB)
    everything = {"outcome": "valid", "changedBefore": "9999-01-01T00:00Z"}
    yield "POST /api/redeliver", redeliver_jobs(world.manager, everything)
    yield "POST /api/jobs/{jobRunId}/check", check_job(world.manager, world.checker, JOB)
    yield "POST /api/doctor", report(run_diagnostics(FakeInstallation().installation))
    yield "problem", json.loads(problem(PROBLEMS[0][1], "detail").body)
    yield from _commands(world)
    yield "audit --json", _audited()


def _commands(world: World) -> Iterator[tuple[str, Any]]:
    for words in (
        ["register", JOB, "job-2"],
        ["check", JOB],
        ["redeliver", JOB, "job-2", "job-3"],
        ["forget", JOB, "--yes"],
    ):
        out = io.StringIO()
        with (
            patch.object(jobs_change, "state_manager", lambda: world.manager),
            patch.object(jobs_change, "checker", lambda: world.checker),
            redirect_stdout(out),
            redirect_stderr(io.StringIO()),
        ):
            main(["jobs", *words, "--json"])
        for line in out.getvalue().splitlines():
            yield f"jobs {words[0]} --json", json.loads(line)


def _audited() -> dict[str, Any]:
    files = FakeFiles()
    files.write(OUTPUT, matched_file())
    output = files.open(None, OUTPUT)
    done = audit(output, job(**finished()), input_source=None, input_note="", expected_input=None)
    return report_to_json(done)
