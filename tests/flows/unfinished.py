"""Audits that end without a verdict."""

from typing import Any
from unittest.mock import Mock

import pytest

from gem_core.audit.child.in_process import audit_in_process
from gem_core.audit.child.result import AuditResult
from gem_core.audit.reading.source import Source
from gem_core.errors import AuditUnfinished, StoreError
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.deliverer import Audit
from gem_core.flows.manage_jobs import redeliver_job
from gem_core.watch.attempts import FIRST_WAIT, LONGEST_WAIT
from tests.builders import JOB, World
from tests.fakes import Killed
from tests.flows.build import delivered

NEVER_ENDED = "the audits that read the input never ended"


def die(*_: object, **__: object) -> AuditResult:
    """The process dies, for example because memory ran out."""
    raise Killed


def die_of_input(*args: Any, input_source: Source | None, **options: Any) -> AuditResult:  # noqa: ANN401 - the arguments of an audit
    """The process dies while the input is read; see also `hang_at_input`."""
    if input_source:
        raise Killed
    return audit_in_process(*args, input_source=input_source, **options)


def hang_at_input(*args: Any, input_source: Source | None, **options: Any) -> AuditResult:  # noqa: ANN401 - as above
    """The engine counts what it cannot blame on a file."""
    if input_source:
        raise AuditUnfinished("it did not end in time")
    return audit_in_process(*args, input_source=input_source, **options)


def deaths(world: World, times: int) -> None:
    """Run deliveries during which the process dies."""
    for _ in range(times):
        with pytest.raises(Killed):
            deliver_results(world.deliverer, JOB)


def redelivered(world: World) -> dict[str, Any]:
    """The event of a redelivery."""
    world.queue.sent.clear()
    redeliver_job(world.manager, JOB)
    return delivered(world)


def lose_the_answer(world: World) -> None:
    """The queue accepts the message, but its answer is lost."""
    world.queue.loses = StoreError("queue: ServiceResponseError")
    assert deliver_results(world.deliverer, JOB) is None
    world.queue.loses = None


def note_of(event: dict[str, Any]) -> str:
    return str(event["data"]["input"]["note"])


def postponed(world: World, times: int) -> None:
    """A delivery that is postponed for so many times, and the wait for the next one."""
    assert deliver_results(world.deliverer, JOB) is None
    wait = min(FIRST_WAIT * 2 ** (times - 1), LONGEST_WAIT)
    assert world.record().due_at == world.clock() + wait
    world.clock.move(wait)


def failing(error: Exception) -> Audit:
    return Mock(side_effect=error)
