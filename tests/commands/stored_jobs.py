"""Jobs in the stores of the app, as the commands find them."""

import json
from datetime import timedelta

from gem_core.deliver.cloud_event import CloudEvent
from gem_core.gem.contracts import known
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord, Settlement
from gem_core.watch.registry import StoredRecord
from gem_core.wiring.environment import now
from gem_core.wiring.managers import state_manager
from tests.builders import answer
from tests.commands.command_runner import CommandRunner


def stored(job_run_id: str) -> StoredRecord:
    held = state_manager().registry.get(job_run_id)
    assert held
    return held


def change(job_run_id: str, record: JobRecord) -> None:
    state_manager().registry.replace(stored(job_run_id), record)


def settle(command: CommandRunner, job_run_id: str, **fields: object) -> JobRecord:
    """Add a job that settled three hours ago and was not delivered."""
    command("jobs", "register", job_run_id)
    reported = known.read(
        answer("failed", **fields) | {"jobRunId": job_run_id}, job_run_id=job_run_id
    )
    past = now() - timedelta(hours=3)
    record = stored(job_run_id).record.answered(reported, past).settled(Settlement.FAILED, past)
    change(job_run_id, record.ticket_raised().ticket_raised().due(now() + timedelta(minutes=5)))
    return stored(job_run_id).record


def report(command: CommandRunner, job_run_id: str) -> None:
    record = settle(command, job_run_id)
    body = json.dumps({"id": "abc", "data": {"outcome": "failed"}})
    state_manager().outbox.keep(job_run_id, CloudEvent("abc", body))
    change(job_run_id, record.delivered(Outcome.FAILED, "abc", now()))
