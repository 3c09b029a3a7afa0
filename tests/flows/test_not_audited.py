"""An output that the app cannot read is neither valid nor invalid; later it may be audited."""

from typing import Any, NoReturn

import pytest

from gem_core.audit.parquet import footer, opened_file
from gem_core.errors import StoreError
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.manage_jobs import redeliver_job, register_job
from gem_core.outcome import Outcome
from tests.builders import JOB, OUTPUT, World, finished, matched_file
from tests.flows.build import delivered, settled


def refuse(*_: object, **__: object) -> NoReturn:
    raise OSError("Unknown encoding type.")


@pytest.fixture
def old_reader(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An app whose pyarrow cannot read the rows; `undo()` gives it a newer one."""
    monkeypatch.setattr(opened_file, "decoded", refuse)
    return monkeypatch


UNREAD = {
    "rows": (opened_file, "decoded", refuse),
    "a codec": (footer, "_is_unread", bool),
    "an encrypted footer": (opened_file, "MAGIC_ENCRYPTED", opened_file.MAGIC),
}
"""What an older app may not be able to read, and how to make such an app of this one."""


def redelivered(world: World) -> dict[str, Any]:
    world.queue.sent.clear()
    world.clock.move(minutes=1)
    redeliver_job(world.manager, JOB)
    return delivered(world)


@pytest.mark.usefixtures("old_reader")
def test_an_output_that_cannot_be_read_is_not_audited_and_a_check_says_why() -> None:
    data = delivered(settled())["data"]
    assert data["outcome"] == Outcome.NOT_AUDITED
    (failed,) = [check for check in data["checks"]["notPassed"] if check["verdict"] == "failed"]
    assert (failed["name"], failed["severity"]) == ("auditable", "error")
    assert "pyarrow cannot read the rows: Unknown encoding type." in failed["detail"]


@pytest.mark.parametrize("what", UNREAD)
def test_a_redelivery_with_a_newer_reader_is_valid_and_has_another_id(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listener that drops known ids accepts the second manifest."""
    world = settled()
    with monkeypatch.context() as patch:
        patch.setattr(*UNREAD[what])
        first = delivered(world)
    assert first["data"]["outcome"] == Outcome.NOT_AUDITED
    second = redelivered(world)
    assert second["data"]["outcome"] == Outcome.VALID
    assert second["id"] != first["id"]


@pytest.mark.usefixtures("old_reader")
def test_each_redelivery_has_an_id_of_its_own() -> None:
    world = settled()
    events = [delivered(world), redelivered(world), redelivered(world)]
    assert {event["data"]["outcome"] for event in events} == {Outcome.NOT_AUDITED}
    assert len({event["id"] for event in events}) == len(events)


@pytest.mark.usefixtures("old_reader")
def test_a_repeat_sends_the_same_bytes() -> None:
    world = settled()
    world.queue.loses = StoreError("queue: ServiceResponseError")
    assert deliver_results(world.deliverer, JOB) is None
    world.queue.loses = None
    world.clock.move(hours=1)
    deliver_results(world.deliverer, JOB)
    first, second = world.queue.sent
    assert first == second


def test_an_unread_output_with_a_failed_check_is_invalid_and_audited_again(
    old_reader: pytest.MonkeyPatch,
) -> None:
    """The rows were not read. With a newer reader an audit may find more."""
    world = World()
    world.files.write(OUTPUT, matched_file())
    world.gem.answers[JOB] = [finished()]
    register_job(world.manager, JOB, {"expectedInputName": "other.parquet"})
    check_jobs(world.checker)
    first = delivered(world)
    old_reader.undo()
    second = redelivered(world)
    assert [event["data"]["outcome"] for event in (first, second)] == [Outcome.INVALID] * 2
    assert first["id"] != second["id"]
