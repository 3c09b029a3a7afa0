"""Each check of the doctor: what is well, what is not, and whose turn it is."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from devkit.runner.blob_path import BlobPath
from gem_core.doctor.checks import CHECKS, examine, report
from gem_core.doctor.finding import Verdict, fail, ok, skipped, warning
from gem_core.doctor.look_outputs import NO_FILE
from gem_core.doctor.look_stores import CLOCK_PROBE, PROBE
from gem_core.errors import (
    GemAccessError,
    GemAnswerError,
    GemError,
    GemForbidden,
    GemJobNotFound,
    GemUnauthorized,
    GemUnavailable,
    OutputUnreachable,
    RequestError,
    StoreError,
    StoreMissing,
    StoreRefused,
)
from gem_core.outcome import Outcome
from gem_core.setting_reader import Secret
from gem_core.settings import survey_settings
from gem_core.watch.heartbeat import NAME, STARTED, Tick
from gem_core.watch.record import JobRecord, Settlement
from gem_core.watch.registration import parse_job_run_id
from gem_core.watch.registry import JobRegistry
from gem_core.wiring import CONTAINERS, JOBS, TICKETS, WORKLIST
from tests.builders import OUTPUT, finished, job, matched_file, new_record
from tests.doctor.build import NAMES, SCOPE, SETTINGS, Raising, Results, Token, Ward, jwt, settings
from tests.fakes import START, FakeGem

EVENTS = (Path(__file__).resolve().parents[2] / "infra" / "events.bicep").read_text("utf-8")


def test_who_is_well_is_found_well() -> None:
    found = {check.name: finding.verdict for check, finding in examine(Ward().patient)}
    assert {name for name, verdict in found.items() if verdict is Verdict.SKIPPED} == {
        "inputs",
        "events",
    }
    assert set(found.values()) == {Verdict.OK, Verdict.SKIPPED}


def test_every_container_of_the_app_is_looked_at_and_left_as_it_was() -> None:
    ward = Ward()
    list(examine(ward.patient))
    assert set(ward.stores) == set(CONTAINERS)
    assert [store.names() for store in ward.stores.values()] == [[]] * len(CONTAINERS)


@pytest.mark.parametrize("probe", [PROBE, CLOCK_PROBE])
def test_no_probe_can_be_taken_for_a_job_or_a_ticket(probe: str) -> None:
    """Not by the listing, the worklist, the trigger's path or the event subscription."""
    ward = Ward()
    for store in (JOBS, WORKLIST, TICKETS):
        ward.store(store).put(probe, b"")
    registry = JobRegistry(
        jobs=ward.store(JOBS), worklist=ward.store(WORKLIST), tickets=ward.store(TICKETS)
    )
    assert registry.page(stage=None, size=9, after=None).jobs == ()
    assert registry.newest(9) == []
    assert list(registry.open_jobs()) == []
    with pytest.raises(RequestError):
        parse_job_run_id(probe)
    assert BlobPath.parse(f"{TICKETS}/{{jobRunId}}.json").match(probe) is None
    assert "subjectEndsWith: '.json'" in EVENTS
    assert not probe.endswith(".json")


def test_a_report_is_well_as_long_as_nothing_fails() -> None:
    check = CHECKS[0]
    well = [(check, ok("a")), (check, warning("b", "c")), (check, skipped("d"))]
    assert report(well)["ok"]
    whole = report([*well, (check, fail("e", "f"))])
    assert not whole["ok"]
    assert whole["checks"][-1] == {
        "name": "settings",
        "title": check.title,
        "verdict": "fail",
        "said": "e",
        "remedy": "f",
    }


def test_names_are_stable_and_each_is_once() -> None:
    """Pipelines filter by them."""
    expected = """
        settings key-vault token gem records worklist tickets reports manifests clock
        results batches poison outputs inputs timer events
    """
    assert expected.split() == NAMES


def test_all_that_is_wrong_with_the_settings_and_what_hangs_on_it_is_skipped() -> None:
    reference = "@Microsoft.KeyVault(SecretUri=https://v/secrets/a)"
    chosen, problems = survey_settings(
        {"GEM_API_KEY": reference, "GEM_STATE": "x", "GEM_CHECK_SCHEDULE": "often"}
    )
    ward = Ward(changes={"settings": chosen, "problems": problems})
    found = {check.name: finding for check, finding in examine(ward.patient)}
    for name in ("GEM_STATE", "GEM_OUTPUT", "GEM_CHECK_SCHEDULE"):
        assert name in found["settings"].said
    assert "GEM_API_KEY" not in found["settings"].said
    assert found["key-vault"].said == "unresolved: GEM_API_KEY"
    assert "Key Vault Secrets User" in found["key-vault"].remedy
    skips = {name for name, finding in found.items() if finding.verdict is Verdict.SKIPPED}
    assert skips == set(NAMES) - {"settings", "key-vault", "token"}
    assert found["gem"].said == "GEM_API_KEY must be mended first"
    assert found["timer"].said == "GEM_CHECK_SCHEDULE, GEM_STATE must be mended first"


def test_one_that_crashes_does_not_keep_the_others_from_being_looked_at() -> None:
    def crash(_: str) -> Results:
        raise ValueError("AccountKey=c2VjcmV0")

    found = {check.name: each for check, each in examine(Ward(changes={"queue": crash}).patient)}
    assert found["results"].said == "crashed: ValueError"
    assert found["timer"].verdict is Verdict.OK


# The token and GEM


def test_a_token_is_told_of_and_never_shown() -> None:
    finding = Ward().find("token")
    assert finding.said == f"for {SCOPE}, with Gem.Read, for 50 minutes yet"
    assert finding.verdict is Verdict.OK


@pytest.mark.parametrize(
    ("token", "verdict", "said"),
    [
        (jwt(aud="https://other.example", exp=START.timestamp() + 600), Verdict.WARNING, "other"),
        (jwt(aud=f"{SCOPE}/", exp=START.timestamp() + 600), Verdict.OK, "10 minutes yet"),
        (
            jwt(aud="11111111-2222-3333-4444-555555555555", exp=START.timestamp() + 600),
            Verdict.OK,
            "without scopes",
        ),
        (jwt(aud=SCOPE, exp=START.timestamp() - 600), Verdict.FAIL, "expired 10 minutes ago"),
        (jwt(aud=SCOPE, scp="user_impersonation"), Verdict.OK, "with user_impersonation, without"),
        (jwt(aud="\x1b[2J" + "a" * 500), Verdict.OK, "for [2Jaaa"),
        ("opaque", Verdict.OK, "no JWT"),
        ("a.b.c", Verdict.OK, "no JWT"),
        ("a.W10.c", Verdict.OK, "no JWT"),
    ],
    ids=["other", "slash", "guid", "expired", "endless", "hostile", "opaque", "garbled", "list"],
)
def test_what_a_token_is_for(token: str, verdict: Verdict, said: str) -> None:
    finding = Ward().find("token", token=lambda: Token(token))
    assert finding.verdict is verdict
    assert said in finding.said
    assert "secret-signature" not in finding.said + finding.remedy
    assert len(finding.said) < 250


def test_a_fixed_token_may_be_for_anybody() -> None:
    token = jwt(aud="https://other.example", exp=START.timestamp() + 600)
    fixed = replace(settings(), gem_bearer_token=Secret(token))
    assert Ward().find("token", token=lambda: Token(token), settings=fixed).verdict is Verdict.OK


@pytest.mark.parametrize("kind", [GemAccessError, GemUnavailable])
def test_no_token(kind: type[GemError]) -> None:
    error = Raising(kind("no token for x\nAttempted credentials:\n\tEnvironmentCredential"))
    ward = Ward(changes={"token": lambda: error, "gem": lambda: error})
    finding = ward.find("token")
    assert (finding.verdict, finding.said) == (Verdict.FAIL, "no token for x")
    assert "az login" in finding.remedy
    if kind is GemAccessError:
        assert ward.find("gem").verdict is Verdict.SKIPPED


@pytest.mark.parametrize(
    ("error", "said", "remedy"),
    [
        (GemUnauthorized("GEM answered 401 (x): check GEM_API_KEY"), "GEM answered 401 (x)", "key"),
        (GemForbidden("GEM answered 403: check that"), "GEM answered 403", "ask TomTom"),
        (GemUnavailable("no answer from GEM: ConnectTimeout"), "no answer", "outbound network"),
        (GemAnswerError("GEM answered 302"), "GEM answered 302", "GEM_API_BASE_URL"),
    ],
    ids=["401", "403", "none", "other"],
)
def test_what_gem_answers_has_its_own_remedy(error: GemError, said: str, remedy: str) -> None:
    finding = Ward().find("gem", gem=lambda: Raising(error))
    assert finding.verdict is Verdict.FAIL
    assert finding.said.startswith(said)
    assert remedy in finding.remedy
    assert "check GEM_API_KEY" not in finding.said


def test_404_proves_something_only_when_a_stranger_is_refused() -> None:
    ward = Ward()
    assert "it takes them" in ward.find("gem").said
    finding = ward.find("gem", stranger=lambda: Raising(GemJobNotFound("GEM answered 404")))
    assert finding.verdict is Verdict.WARNING
    assert "GEM_API_BASE_URL" in finding.remedy
    finding = ward.find("gem", stranger=lambda: Raising(GemUnavailable("no answer")))
    assert (finding.verdict, "no answer" in finding.said) == (Verdict.OK, True)
    gem = FakeGem()
    gem.answers["job-000000-000000"] = [finished()]
    assert ward.find("gem", stranger=lambda: gem).verdict is Verdict.WARNING
    assert ward.find("gem", gem=lambda: gem).verdict is Verdict.WARNING


# Our own storage

_STORES = {
    "records": "gem-jobs",
    "worklist": "gem-open",
    "tickets": "gem-settled",
    "reports": "gem-reports",
    "manifests": "gem-manifests",
}


def break_store(ward: Ward, container: str, method: str, error: Exception) -> None:
    def raising(*_: object, **__: object) -> None:
        raise error

    setattr(ward.store(container), method, raising)


def missing(container: str) -> StoreMissing:
    return StoreMissing(f"container {container!r} does not exist in GEM_STATE: create it (the …)")


@pytest.mark.parametrize("name", _STORES)
def test_a_container_that_is_missing(name: str) -> None:
    ward = Ward()
    for method in ("put", "get", "delete"):
        break_store(ward, _STORES[name], method, missing(_STORES[name]))
    finding = ward.find(name)
    assert finding.verdict is Verdict.FAIL
    assert finding.said == f"container '{_STORES[name]}' does not exist in GEM_STATE"
    assert (
        f"az storage container create --auth-mode login --account-name … --name {_STORES[name]}"
        in (finding.remedy)
    )


@pytest.mark.parametrize(
    ("name", "method", "word"),
    [
        ("records", "put", "write"),
        ("records", "get", "read"),
        ("manifests", "page", "list"),
        ("worklist", "delete", "delete"),
        ("tickets", "put", "write"),
        ("reports", "put", "write"),
    ],
)
def test_the_right_that_is_refused_is_named(name: str, method: str, word: str) -> None:
    ward = Ward()
    error = StoreRefused(
        "container 'x': storage refused (AuthorizationPermissionMismatch): check …"
    )
    break_store(ward, _STORES[name], method, error)
    finding = ward.find(name)
    assert finding.verdict is Verdict.FAIL
    assert f"{word} in container {_STORES[name]}: refused" in finding.said
    assert "AuthorizationPermissionMismatch" in finding.said
    assert "Storage Blob Data Owner" in finding.remedy
    if method != "delete":
        assert ward.store(_STORES[name]).names() == []


@pytest.mark.parametrize(("name", "method"), [("reports", "get"), ("tickets", "page")])
def test_a_right_that_the_app_does_not_need_is_not_asked_for(name: str, method: str) -> None:
    ward = Ward()
    break_store(ward, _STORES[name], method, StoreRefused("no"))
    assert ward.find(name).verdict is Verdict.OK


def test_a_probe_that_has_to_stay_is_told() -> None:
    ward = Ward()
    break_store(ward, "gem-reports", "delete", StoreRefused("storage refused"))
    finding = ward.find("reports")
    assert finding.verdict is Verdict.WARNING
    assert PROBE in finding.said


def test_storage_that_does_not_answer() -> None:
    ward = Ward()
    break_store(ward, "gem-jobs", "put", StoreError("container 'gem-jobs': no answer"))
    assert "network" in ward.find("records").remedy


@pytest.mark.parametrize(
    ("seconds", "verdict", "said"),
    [
        (0, Verdict.OK, "within a second"),
        (20, Verdict.OK, "apart"),
        (40, Verdict.WARNING, "40 s behind storage's"),
        (-41, Verdict.WARNING, "40 s ahead of storage's"),
        (400, Verdict.FAIL, "400 s behind"),
        (-400, Verdict.FAIL, "s ahead of"),
    ],
)
def test_the_clock_beside_storages(seconds: int, verdict: Verdict, said: str) -> None:
    ward = Ward()
    ward.store("gem-open")._clock = lambda: ward.world.clock() + timedelta(seconds=seconds)
    finding = ward.find("clock")
    assert finding.verdict is verdict
    assert said in finding.said


def test_two_doctors_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both use one name: the other one has taken its probe away already, and this one's."""
    ward = Ward()
    store = ward.store("gem-open")
    monkeypatch.setattr(store, "put", lambda *_, **__: "0x1")
    finding = ward.find("clock")
    assert finding.verdict is Verdict.SKIPPED
    assert "another doctor" in finding.said
    assert ward.find("worklist").verdict is Verdict.OK


def test_a_queue_that_is_gone_or_refuses() -> None:
    gone = StoreMissing("queue 'gem-results' does not exist in GEM_STATE: create it (the …)")
    finding = Ward().find("results", queue=lambda _: Raising(gone))
    assert finding.said == "queue 'gem-results' does not exist in GEM_STATE"
    assert "az storage queue create" in finding.remedy
    refused = StoreRefused("queue 'gem-results': storage refused (x): check the identity or key …")
    finding = Ward().find("results", queue=lambda _: Results(error=refused))
    assert finding.said == "queue gem-results: refused: queue 'gem-results': storage refused (x)"
    assert "Storage Queue Data Contributor" in finding.remedy
    assert "3 messages wait" in Ward().find("results", queue=lambda _: Results(3)).said


def test_the_queue_of_batches_matters_once_they_are_turned_on() -> None:
    gone = StoreMissing("queue 'gem-checks' does not exist in GEM_STATE: create it (the …)")
    ward = Ward(changes={"queue": lambda _: Raising(gone)})
    assert ward.find("batches").verdict is Verdict.WARNING
    ward.changes["settings"] = settings(GEM_CHECK_BATCH_SIZE="100")
    assert ward.find("batches").verdict is Verdict.FAIL


def test_failed_messages_are_a_warning() -> None:
    finding = Ward().find("poison", poison=lambda: (Results(2), Results(1)))
    assert (finding.verdict, finding.said) == (Verdict.WARNING, "3 messages failed too often")
    assert "poison replay" in finding.remedy
    broken = Ward().find("poison", poison=lambda: (Raising(StoreError("no answer")),))
    assert broken.verdict is Verdict.FAIL


# Outputs


def delivered(name: str, *, tickets: int = 1, minutes: int = 5) -> JobRecord:
    told = replace(job("finished", outputFileName=OUTPUT), job_run_id=name)
    record = new_record(name).answered(told, START).settled(Settlement.FINISHED, START)
    for _ in range(tickets):
        record = record.ticketed()
    return record.reported(Outcome.VALID, "id", START - timedelta(minutes=minutes))


def test_the_newest_output_is_read() -> None:
    ward = Ward(recent=(new_record(), delivered("a")))
    ward.world.files.write(OUTPUT, matched_file())
    assert ward.find("outputs").said == f"read {OUTPUT} of the newest finished job"
    assert ("storage-001", OUTPUT) in ward.world.files.opened
    ward.world.files.held.clear()
    finding = ward.find("outputs")
    assert (finding.verdict, "missing" in finding.said) == (Verdict.OK, True)


def test_a_finished_job_that_names_no_file_proves_nothing() -> None:
    nameless = job("finished", outputFileName=None, inputFileName=None)
    ward = Ward(recent=(new_record().answered(nameless, START),))
    ward.world.files.errors[NO_FILE] = OutputUnreachable("https://o/x: refused: …")
    assert ward.find("outputs").verdict is Verdict.FAIL


@pytest.mark.parametrize("name", [OUTPUT, NO_FILE])
def test_an_output_storage_that_refuses(name: str) -> None:
    ward = Ward(recent=(delivered("a"),) if name == OUTPUT else ())
    ward.world.files.errors[name] = OutputUnreachable("https://o/x: refused: grant … (403 X)")
    finding = ward.find("outputs")
    assert finding.verdict is Verdict.FAIL
    assert "refused" in finding.said
    assert "Storage Blob Data Reader" in finding.remedy


def test_an_address_that_needs_a_storage_id() -> None:
    ward = Ward(changes={"settings": settings(GEM_OUTPUT_CONTAINER="c-{storageId}")})
    assert ward.find("outputs").verdict is Verdict.SKIPPED
    ward.recent = (new_record().answered(job("running"), START),)
    assert ward.find("outputs").verdict is Verdict.OK
    assert ("storage-001", NO_FILE) in ward.world.files.opened


def test_inputs() -> None:
    ward = Ward(recent=(new_record(), delivered("a")))
    assert "not there any more" in ward.find("inputs").said
    ward.world.files.write("roads.parquet", b"x")
    assert ward.find("inputs").verdict is Verdict.OK
    ward.world.files.errors["roads.parquet"] = OutputUnreachable("refused")
    assert ward.find("inputs").verdict is Verdict.FAIL
    off = ward.find("inputs", settings=settings(GEM_INPUT_AUDIT="false"))
    assert off.said == "turned off by GEM_INPUT_AUDIT"


# Ticks and deliveries


def test_a_timer_that_never_ticked_or_is_silent() -> None:
    ward = Ward()
    ward.world.clock.move(minutes=5)
    finding = ward.find("timer")
    assert (finding.verdict, finding.said) == (
        Verdict.FAIL,
        "silent: last tick 5 min 0 s ago, schedule 0 * * * * *",
    )
    assert "az functionapp restart" in finding.remedy
    for name in (NAME, STARTED):
        ward.world.worklist.delete(name)
    assert ward.find("timer").said == "no tick was ever seen"


def test_ticks_that_start_and_never_end() -> None:
    ward = Ward()
    ward.world.clock.move(minutes=30)
    ward.world.heartbeat.start(ward.world.clock())
    finding = ward.find("timer")
    assert (finding.verdict, "none has ended since" in finding.said) == (Verdict.FAIL, True)
    ward.world.worklist.delete(NAME)
    assert ward.find("timer").verdict is Verdict.OK


def test_how_the_last_tick_ended() -> None:
    ward = Ward()
    ward.world.heartbeat.end(Tick(START, ended_at=START, stopped="GEM answered 401", left=3))
    finding = ward.find("timer")
    assert (finding.verdict, "GEM answered 401" in finding.said) == (Verdict.FAIL, True)
    ward.world.heartbeat.end(Tick(START, ended_at=START, left=3))
    assert ward.find("timer").verdict is Verdict.WARNING


def test_a_tick_that_cannot_be_read() -> None:
    ward = Ward()
    break_store_of_the_world = missing("gem-open")

    def raising(_: str) -> None:
        raise break_store_of_the_world

    ward.world.worklist.get = raising  # type: ignore[method-assign,assignment] # a store that is gone
    assert ward.find("timer").said == "container 'gem-open' does not exist in GEM_STATE"


WAITING = new_record("w").settled(Settlement.FAILED, START).ticketed().ticketed()


@pytest.mark.parametrize(
    ("recent", "verdict", "said"),
    [
        ((), Verdict.SKIPPED, "no job was delivered yet"),
        ((new_record(),), Verdict.SKIPPED, "no job was delivered yet"),
        ((delivered("a", minutes=5),), Verdict.OK, "1 of the last 1 .* the newest 5 min 0 s ago"),
        (
            (delivered("a", tickets=2, minutes=9), delivered("b", minutes=3)),
            Verdict.OK,
            "1 of the last 2",
        ),
        (
            (delivered("a", tickets=2, minutes=3), delivered("b", minutes=9)),
            Verdict.WARNING,
            "1 of the last 2",
        ),
        ((delivered("a"), WAITING), Verdict.WARNING, "1 jobs wait"),
        ((delivered("a", tickets=3),), Verdict.FAIL, "0 of the last 1"),
        ((WAITING,), Verdict.FAIL, "0 of the last 0"),
        (
            (replace(delivered("a", tickets=3), outcome=Outcome.OUTPUT_MISSING),),
            Verdict.SKIPPED,
            "no job",
        ),
    ],
    ids=["none", "new", "event", "older", "newest", "waiting", "swept", "stuck", "waited"],
)
def test_events(recent: tuple[JobRecord, ...], verdict: Verdict, said: str) -> None:
    ward = Ward(recent=recent)
    finding = ward.find("events")
    assert finding.verdict is verdict
    assert re.search(said, finding.said)
    if verdict in {Verdict.WARNING, Verdict.FAIL}:
        assert "azd hooks run postdeploy" in finding.remedy


def test_the_settings_of_the_tests_are_right() -> None:
    assert survey_settings(SETTINGS)[1] == ()
