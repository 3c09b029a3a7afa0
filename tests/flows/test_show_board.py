"""The board: three requests a view, trouble first, no doubles, and what is left out is told."""

import json
from datetime import timedelta
from typing import Any

import pytest

from gem_core.deliver.cloud_event import CloudEvent
from gem_core.deliver.delivered_list import line_of, read_lines
from gem_core.errors import GemUnavailable, StoreError
from gem_core.flows import show_board as showing
from gem_core.flows.check_batch import check_batch
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.manage_jobs import redeliver_job
from gem_core.flows.show_board import MAX_DELIVERED, read_filter, show_board
from gem_core.moments import moment_text
from gem_core.outcome import Outcome
from gem_core.page.board import Board
from gem_core.watch.batch import BatchPlan
from gem_core.watch.record import Stage
from tests.builders import JOB, World, answer, logged
from tests.fakes import START, FakeGem, Killed, Trap
from tests.flows.build import delivered, settled, world_of

MONTH = "2026-01"


def board(world: World, **query: str) -> Board:
    return show_board(world.manager, read_filter(query, world.clock()))


def line(number: int, outcome: str = "valid", **labels: str) -> bytes:
    checks = {"notPassed": [{"name": "ids", "verdict": "failed"}] * 9}
    data = {
        "jobRunId": f"job-{number}",
        "outcome": outcome,
        "labels": labels,
        "match": None,
        "contract": None,
    }
    body = json.dumps({"data": data | {"checks": checks}})
    return line_of(CloudEvent(f"{number:032}", body), START + timedelta(seconds=number))


def test_a_view_costs_three_requests() -> None:
    world = world_of("a", "b", "c")
    check_jobs(world.checker)
    world.trap.calls.clear()
    board(world)
    requests = [call for call in world.trap.calls if not call.endswith(".url")]
    assert requests == ["heartbeat.get", "worklist.page", "manifests.get"]


def test_a_delivered_job_leaves_the_open_ones_and_is_listed() -> None:
    world = settled()
    (waiting,) = board(world).open_jobs
    assert (waiting.stage, waiting.status, waiting.since) == ("settled", "finished", START)
    assert waiting.contract == "x-version-1"
    event = delivered(world)
    shown = board(world)
    assert shown.open_jobs == []
    (sent,) = shown.delivered
    assert (sent.job_run_id, sent.manifest_id, sent.at) == (JOB, event["id"], START)
    assert (sent.outcome, sent.share_matched, sent.failed) == ("valid", 0.75, ())
    assert sent.contract == "x-version-1"
    assert shown.counts == {"valid": 1}


def test_a_manifest_that_was_sent_twice_is_shown_once() -> None:
    world = settled()
    delivered(world)
    redeliver_job(world.manager, JOB)
    assert deliver_results(world.deliverer, JOB)
    assert len(world.outbox.delivered(MONTH).splitlines()) == 2
    assert len(board(world).delivered) == 1


def test_a_process_that_dies_after_the_send_lists_the_manifest_later() -> None:
    world = settled()
    trap = Trap()
    world.trap = trap
    deliver_results(world.deliverer, JOB)
    at = trap.calls.index("manifests.append")
    for after in (False, True):
        world = settled()
        world.trap = Trap(at, after=after)
        with pytest.raises(Killed):
            deliver_results(world.deliverer, JOB)
        world.trap = Trap()
        assert world.record().stage is Stage.SETTLED
        assert deliver_results(world.deliverer, JOB)
        assert len(board(world).delivered) == 1


def test_a_list_that_cannot_be_written_holds_nothing_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = settled()

    def refuse(*_: object) -> None:
        raise StoreError("the blob has too many blocks")

    monkeypatch.setattr(world.manifests, "append", refuse)
    delivered(world)
    assert logged(caplog, "delivery_not_listed")[-1]["reason"] == "the blob has too many blocks"


@pytest.mark.parametrize(
    ("changed", "error"),
    [({"checks": {}}, "KeyError"), ({"match": {"roads": None}}, "TypeError"), ({}, "")],
)
def test_a_manifest_in_another_form_is_marked_as_sent(
    changed: dict[str, Any], error: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A newer version stored it, then an older one took its place. The list is for people only."""
    world = settled()
    event = delivered(world)
    name = f"{JOB}/{event['id']}.json"
    stored = world.manifests.get(name)
    assert stored
    body = json.dumps(event | {"data": event["data"] | changed}).encode()
    world.manifests.put(name, body, metadata=stored.metadata)
    redeliver_job(world.manager, JOB)
    assert deliver_results(world.deliverer, JOB)
    assert world.record().stage is Stage.DELIVERED
    assert len(world.queue.sent) == 2
    assert [line["reason"] for line in logged(caplog, "delivery_not_listed")] == [error] * bool(
        error
    )


def test_the_last_ticks_are_shown() -> None:
    world = World()
    for number in range(7):
        world.add(f"job-{number}")
        check_jobs(world.checker)
        world.clock.move(minutes=1)
    timer = board(world).timer
    assert timer.text.startswith("7 open jobs, ")
    assert [each.text[:11] for each in timer.before] == [f"{n} open jobs" for n in (6, 5, 4, 3)]
    assert timer.before[0].ended_at == START + timedelta(minutes=5)


@pytest.mark.parametrize("outcome", Outcome)
def test_only_audited_jobs_have_a_report(outcome: Outcome) -> None:
    world = World()
    world.outbox.add_delivered(MONTH, line(1, outcome))
    (sent,) = board(world).delivered
    audited = {Outcome.VALID, Outcome.VALID_WITH_WARNINGS, Outcome.INVALID, Outcome.NOT_AUDITED}
    assert sent.has_report == (outcome in audited)


def test_trouble_comes_first_then_the_oldest() -> None:
    world = World(
        gem=FakeGem(
            new=[answer("running")],
            old=[answer("running")],
            odd=[answer("paused")],
            bad=[GemUnavailable("503")],
        )
    )
    world.add("old")
    world.clock.move(seconds=5)
    world.add("odd", "bad", "new")
    check_jobs(world.checker)
    shown = board(world).open_jobs
    assert [(job.job_run_id, job.trouble, job.note) for job in shown] == [
        ("bad", "not_answered", "once"),
        ("odd", "unknown_status", ""),
        ("old", "", ""),
        ("new", "", ""),
    ]
    assert [job.status for job in shown] == ["nothing yet", "unknown", "running", "running"]
    assert [job.job_run_id for job in board(world, outcome="trouble").open_jobs] == ["bad", "odd"]
    world.clock.move(hours=1)
    assert {job.trouble for job in board(world).open_jobs} == {"overdue"}


def test_a_manifest_that_waits_for_long_is_trouble() -> None:
    world = settled()
    world.clock.move(minutes=10)
    assert board(world).open_jobs[0].trouble == ""
    world.clock.move(minutes=11)
    assert board(world).open_jobs[0].trouble == "undelivered"


def test_a_marker_follows_its_job_through_batches() -> None:
    """A batch has no room for what markers show; the next claim writes it again."""
    world = world_of(JOB)
    world.plan = BatchPlan(size=2, concurrency=1)
    check_jobs(world.checker)
    (message,) = world.batches.take()
    assert board(world).open_jobs[0].stage == "watching"
    world.trap.calls.clear()
    check_batch(world.checker, message)
    writes = [call for call in world.trap.calls if call.startswith("worklist.replace")]
    assert len(writes) == 2  # the claim, and the status that is new
    (job,) = board(world).open_jobs
    assert (job.stage, job.status, job.since) == ("watching", "running", START)


def test_a_status_that_changes_is_shown_though_the_job_is_due_as_expected() -> None:
    world = world_of(JOB)
    world.gem.answers[JOB] = [answer("queued"), answer("running"), answer("running")]
    for status in ("queued", "running", "running"):
        world.clock.now = max(world.clock.now, world.record().due_at)
        check_jobs(world.checker)
        assert board(world).open_jobs[0].status == status


def test_what_is_left_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_of("a", "b", "c")
    check_jobs(world.checker)
    monkeypatch.setattr(showing, "MAX_OPEN", 2)
    world.outbox.add_delivered(MONTH, b"".join(line(n) for n in range(MAX_DELIVERED + 3)))
    shown = board(world)
    assert len(shown.open_jobs) == 2
    assert shown.open_left_out.endswith("The last tick counted 3.")
    assert len(shown.delivered) == MAX_DELIVERED
    assert shown.delivered[0].job_run_id == f"job-{MAX_DELIVERED + 2}"
    assert shown.delivered_left_out == "Only the last 500 are shown: 3 are left out."
    assert shown.counts == {"valid": MAX_DELIVERED + 3}


def test_the_board_shows_what_matches_text_label_and_outcome() -> None:
    world = world_of("roads-1", "rails-1")
    lines = (line(1, team="Maps"), line(2, "invalid", team="rail"), line(3, "invalid"))
    world.outbox.add_delivered(MONTH, b"".join(lines))
    assert [job.job_run_id for job in board(world, text="ROAD").open_jobs] == ["roads-1"]
    for text in ("team: maps", "team=maps", "Team:Maps", "maps"):
        assert [sent.job_run_id for sent in board(world, text=text).delivered] == ["job-1"]
    assert not board(world, text="team-maps").delivered
    shown = board(world, outcome="invalid")
    assert [sent.job_run_id for sent in shown.delivered] == ["job-3", "job-2"]
    assert shown.open_jobs == []
    assert shown.counts == {"invalid": 2, "valid": 1}


@pytest.mark.parametrize(
    ("month", "earlier", "later"),
    [("2025-12", "2025-11", "2026-01"), (MONTH, "2025-12", ""), ("2025-1", "2025-12", "")],
)
def test_each_month_has_its_list(month: str, earlier: str, later: str) -> None:
    shown = board(World(), month=month)
    assert (shown.earlier, shown.later) == (earlier, later)


def test_lines_that_cannot_be_read_are_left_out() -> None:
    cut = line(1)[:40] + b"\n"
    odd = b'{"id": 5, "at": "soon"}\n[]\n\xff\n\n' + b"[" * 100_000 + b"\n"
    assert [each.job_run_id for each in read_lines(cut + odd + line(2))] == ["job-2"]
    (each,) = read_lines(line(3))
    assert each.failed == ("ids",) * 5


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_a_filter(outcome: Outcome) -> None:
    assert outcome in board(World(), outcome=outcome).outcomes
    assert read_filter({"outcome": outcome}, START).outcome == outcome


def test_the_timer_is_trouble_when_no_tick_ends() -> None:
    world = World()
    assert board(world).timer.is_trouble
    check_jobs(world.checker)
    assert not board(world).timer.is_trouble
    world.clock.move(minutes=6)
    assert not board(world).timer.is_trouble
    world.clock.move(minutes=4)
    assert board(world).timer.is_trouble


@pytest.mark.parametrize(
    ("state", "trouble"),
    [
        ("fine", ""),
        ("not_answered", "not_answered"),
        ("refused", "not_answered"),
        ("not_found", "not_found"),
        ("unknown_status", "unknown_status"),
        ("unreadable", "unreadable"),
        ("settled", ""),
        ("of a newer version", ""),
        ("", ""),
    ],
)
def test_every_state_of_a_marker_is_understood(state: str, trouble: str) -> None:
    world = World()
    due = moment_text(world.clock())
    world.worklist.put(f"jobs/{JOB}", b"", metadata={"due": due, "state": state})
    (job,) = board(world).open_jobs
    assert (job.trouble, job.stage, job.since) == (trouble, "not known", None)
