"""The diagnostics of outputs, inputs, disk, timer and events."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from gem_core.doctor.diagnose_outputs import NO_FILE
from gem_core.doctor.finding import DiagnosticStatus
from gem_core.errors import OutputUnreachable
from gem_core.flows.check_jobs import BUSY, TICK_BUDGET
from gem_core.outcome import Outcome
from gem_core.settings.app_settings import read_settings_and_problems
from gem_core.watch.heartbeat import ENDED, STARTED, Heartbeat, Tick
from gem_core.watch.record import JobRecord, Settlement
from gem_core.watch.store_claim import Ticker
from tests.builders import OUTPUT, job, matched_file, new_record
from tests.doctor.build import SETTINGS, FakeInstallation, missing, settings
from tests.fakes import START


def delivered(name: str, *, tickets: int = 1, minutes: int = 5) -> JobRecord:
    finished_job = replace(job("finished", outputFileName=OUTPUT), job_run_id=name)
    record = new_record(name).answered(finished_job, START).settled(Settlement.FINISHED, START)
    for _ in range(tickets):
        record = record.ticket_raised()
    return record.delivered(Outcome.VALID, "id", START - timedelta(minutes=minutes))


def test_the_newest_output_is_read() -> None:
    fake = FakeInstallation(recent=(new_record(), delivered("a")))
    fake.world.files.write(OUTPUT, matched_file())
    assert fake.find("outputs").detail == f"read {OUTPUT} of the newest finished job"
    assert ("storage-001", OUTPUT) in fake.world.files.opened
    fake.world.files.held.clear()
    finding = fake.find("outputs")
    assert (finding.status, "missing" in finding.detail) == (DiagnosticStatus.OK, True)


def test_a_finished_job_that_names_no_file_proves_nothing() -> None:
    nameless = job("finished", outputFileName=None, inputFileName=None)
    fake = FakeInstallation(recent=(new_record().answered(nameless, START),))
    fake.world.files.errors[NO_FILE] = OutputUnreachable("https://o/x: refused: …")
    assert fake.find("outputs").status is DiagnosticStatus.FAIL


@pytest.mark.parametrize("name", [OUTPUT, NO_FILE])
def test_an_output_storage_that_refuses(name: str) -> None:
    fake = FakeInstallation(recent=(delivered("a"),) if name == OUTPUT else ())
    fake.world.files.errors[name] = OutputUnreachable("https://o/x: refused: grant … (403 X)")
    finding = fake.find("outputs")
    assert finding.status is DiagnosticStatus.FAIL
    assert "refused" in finding.detail
    assert "Storage Blob Data Reader" in finding.remedy


def test_an_address_that_needs_a_storage_id() -> None:
    fake = FakeInstallation(changes={"settings": settings(GEM_OUTPUT_CONTAINER="c-{storageId}")})
    assert fake.find("outputs").status is DiagnosticStatus.SKIPPED
    fake.recent = (new_record().answered(job("running"), START),)
    assert fake.find("outputs").status is DiagnosticStatus.OK
    assert ("storage-001", NO_FILE) in fake.world.files.opened


def test_an_input_that_cannot_be_read_fails() -> None:
    fake = FakeInstallation(recent=(new_record(), delivered("a")))
    assert "does not exist any more" in fake.find("inputs").detail
    fake.world.files.write("roads.parquet", b"x")
    assert fake.find("inputs").status is DiagnosticStatus.OK
    fake.world.files.errors["roads.parquet"] = OutputUnreachable("refused")
    assert fake.find("inputs").status is DiagnosticStatus.FAIL
    off = fake.find("inputs", settings=settings(GEM_INPUT_AUDIT="false"))
    assert off.detail == "turned off by GEM_INPUT_AUDIT"


def test_a_folder_for_ids_that_is_absent_fails() -> None:
    finding = FakeInstallation().find("disk")
    assert finding.detail == "the system's temporary directory: writable, 5.0 GiB free"

    def refuse() -> int:
        raise FileNotFoundError(2, "No such file or directory", "/nonexistent/gem-ids-x")

    named = settings(GEM_IDS_FOLDER="/nonexistent")
    finding = FakeInstallation().find("disk", settings=named, scratch=refuse)
    assert (finding.status, finding.detail) == (
        DiagnosticStatus.FAIL,
        "the folder of GEM_IDS_FOLDER: No such file or directory",
    )
    assert "GEM_IDS_FOLDER" in finding.remedy


@pytest.mark.parametrize(("mebibytes", "left"), [(512, 88), (935, 511), (300, 0)])
def test_a_machine_that_leaves_too_little_memory_for_an_audit(mebibytes: int, left: int) -> None:
    finding = FakeInstallation().find("memory", memory=lambda: mebibytes << 20)
    assert finding.status is DiagnosticStatus.FAIL
    assert finding.detail.startswith(f"{mebibytes} MiB; ")
    assert finding.detail.endswith(f"leaves {left} MiB; an audit needs 512")
    assert "instance size" in finding.remedy


def test_more_memory_for_ids_needs_more_memory() -> None:
    more = settings(GEM_IDS_MEMORY_MIB="256")
    fake = FakeInstallation()
    finding = fake.find("memory", settings=more, memory=lambda: (936 + 191) << 20)
    assert finding.status is DiagnosticStatus.FAIL
    assert finding.detail.endswith("leaves 703 MiB; an audit needs 704")
    finding = fake.find("memory", settings=more, memory=lambda: (936 + 192) << 20)
    assert finding.status is DiagnosticStatus.OK


@pytest.mark.parametrize(("mebibytes", "left"), [(936, 512), (2_048, 1_624)])
def test_a_machine_with_enough_memory_is_fine(mebibytes: int, left: int) -> None:
    finding = FakeInstallation().find("memory", memory=lambda: mebibytes << 20)
    assert finding.status is DiagnosticStatus.OK
    assert finding.detail.endswith(f"leaves {left} MiB for an audit")


def test_a_timer_whose_ticks_get_no_answer_or_fall_behind() -> None:
    fake = FakeInstallation()
    now = fake.world.clock()
    fake.world.heartbeat.end(Tick(now, now, due_jobs=3, not_answered=3, problems=3))
    finding = fake.find("timer")
    assert finding.status is DiagnosticStatus.FAIL
    assert "GEM answered none of 3 questions" in finding.detail
    late = now - timedelta(minutes=10)
    fake.world.heartbeat.end(Tick(now, now, due_jobs=5, remaining=5, oldest_remaining_at=late))
    finding = fake.find("timer")
    assert finding.status is DiagnosticStatus.WARNING
    assert f"behind: left 5 due jobs, the oldest due since {late.isoformat()}" in finding.detail


def test_a_timer_that_never_ticked_or_is_silent() -> None:
    fake = FakeInstallation()
    fake.world.clock.move(minutes=5)
    finding = fake.find("timer")
    assert (finding.status, finding.detail) == (
        DiagnosticStatus.FAIL,
        "silent: last tick 5 min 0 s ago, schedule 0 * * * * *",
    )
    assert "az functionapp restart" in finding.remedy
    for name in (ENDED, STARTED):
        fake.world.worklist.delete(name)
    assert fake.find("timer").detail == "no tick has run yet"


@pytest.mark.parametrize("ended_before", [True, False])
def test_ticks_that_start_and_never_end(*, ended_before: bool) -> None:
    fake = FakeInstallation()
    if not ended_before:
        for name in (ENDED, STARTED):
            fake.world.worklist.delete(name)
    fake.world.clock.move(minutes=30)
    since = fake.world.clock()
    while fake.world.clock() <= since + TICK_BUDGET + timedelta(minutes=3):
        fake.world.heartbeat.start(fake.world.clock())
        assert fake.find("timer").status is DiagnosticStatus.OK
        fake.world.clock.move(minutes=1)
    fake.world.heartbeat.start(fake.world.clock())
    finding = fake.find("timer")
    assert finding.status is DiagnosticStatus.FAIL
    assert f"no tick has ended since {since.isoformat()}" in finding.detail
    assert "log stream" in finding.remedy


def test_how_the_last_tick_ended() -> None:
    fake = FakeInstallation()
    fake.world.heartbeat.end(Tick(START, ended_at=START, stopped="GEM answered 401", remaining=3))
    finding = fake.find("timer")
    assert (finding.status, "GEM answered 401" in finding.detail) == (DiagnosticStatus.FAIL, True)
    fake.world.heartbeat.end(Tick(START, ended_at=START, stopped=BUSY, remaining=3))
    finding = fake.find("timer")
    assert (finding.status, BUSY in finding.detail) == (DiagnosticStatus.WARNING, True)
    assert "see gem and token" not in finding.remedy
    fake.world.heartbeat.end(Tick(START, ended_at=START, remaining=3))
    assert fake.find("timer").status is DiagnosticStatus.WARNING


def test_a_tick_that_cannot_be_read() -> None:
    fake = FakeInstallation()
    break_store_of_the_world = missing("gem-worklist")

    def raising(_: str) -> None:
        raise break_store_of_the_world

    fake.world.worklist.get = raising  # type: ignore[method-assign,assignment] # a store that is gone
    assert fake.find("timer").detail == "container 'gem-worklist' does not exist in GEM_STATE"


WAITING = new_record("w").settled(Settlement.FAILED, START).ticket_raised().ticket_raised()


@pytest.mark.parametrize(
    ("recent", "status", "detail"),
    [
        ((), DiagnosticStatus.SKIPPED, "no job was delivered yet"),
        ((new_record(),), DiagnosticStatus.SKIPPED, "no job was delivered yet"),
        (
            (delivered("a", minutes=5),),
            DiagnosticStatus.OK,
            "1 of the last 1 .* the newest 5 min 0 s ago",
        ),
        (
            (delivered("a", tickets=2, minutes=9), delivered("b", minutes=3)),
            DiagnosticStatus.OK,
            "1 of the last 2",
        ),
        (
            (delivered("a", tickets=2, minutes=3), delivered("b", minutes=9)),
            DiagnosticStatus.WARNING,
            "1 of the last 2",
        ),
        ((delivered("a"), WAITING), DiagnosticStatus.WARNING, "1 jobs wait"),
        ((delivered("a", tickets=3),), DiagnosticStatus.FAIL, "0 of the last 1"),
        ((WAITING,), DiagnosticStatus.FAIL, "0 of the last 0"),
        (
            (replace(delivered("a", tickets=3), outcome=Outcome.OUTPUT_MISSING),),
            DiagnosticStatus.SKIPPED,
            "no job",
        ),
    ],
    ids=["none", "new", "event", "older", "newest", "waiting", "swept", "stuck", "waited"],
)
def test_deliveries_without_their_events_are_told(
    recent: tuple[JobRecord, ...], status: DiagnosticStatus, detail: str
) -> None:
    fake = FakeInstallation(recent=recent)
    finding = fake.find("events")
    assert finding.status is status
    assert re.search(detail, finding.detail)
    if status in {DiagnosticStatus.WARNING, DiagnosticStatus.FAIL}:
        assert "azd hooks run postdeploy" in finding.remedy


def test_the_settings_of_the_tests_are_right() -> None:
    assert read_settings_and_problems(SETTINGS)[1] == ()


def test_the_claim_of_another_app_is_a_failure_and_a_new_identity_a_warning() -> None:
    fake = FakeInstallation()
    documents = fake.world.worklist
    documents.delete(STARTED)
    assert fake.find("claim").status is DiagnosticStatus.OK
    for ticker, status, word in (
        (Ticker("app", "identity"), DiagnosticStatus.OK, "ask GEM as identity"),
        (Ticker("app", "another"), DiagnosticStatus.OK, "ask GEM as another"),
        (Ticker("app", "identity"), DiagnosticStatus.WARNING, "no job is called lost"),
        (Ticker("other", "identity"), DiagnosticStatus.WARNING, "no job is called lost"),
    ):
        Heartbeat(documents, ticker).start(fake.world.clock())
        found = fake.find("claim")
        assert (found.status, word in found.detail) == (status, True), found
    own = fake.find("claim", ticker=Ticker("third", "3"))
    assert (own.status, "'other' ticks" in own.detail) == (DiagnosticStatus.FAIL, True)
    desk = fake.find("claim", ticker=Ticker("", "person"))
    assert (desk.status, "'other' ticks" in desk.detail) == (DiagnosticStatus.OK, True)
