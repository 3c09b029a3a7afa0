"""The list of what the doctor looks at: settings, token, GEM."""

from dataclasses import replace
from pathlib import Path

import pytest

from devkit.runner.blob_path import BlobPath
from gem_core.doctor.diagnostics import DIAGNOSTICS, examine, report
from gem_core.doctor.finding import DiagnosticStatus, fail, ok, skipped, warning
from gem_core.doctor.look_stores import CLOCK_PROBE, PROBE
from gem_core.errors import (
    GemAccessError,
    GemAnswerError,
    GemError,
    GemForbidden,
    GemJobNotFound,
    GemUnauthorized,
    GemUnavailable,
    RequestError,
)
from gem_core.secret import Secret
from gem_core.settings.app_settings import survey_settings
from gem_core.storage.names import CONTAINERS, JOBS, TICKETS, WORKLIST
from gem_core.watch.registration import parse_job_run_id
from gem_core.watch.registry import JobRegistry
from tests.builders import finished
from tests.doctor.build import NAMES, SCOPE, Raising, Results, Token, Ward, jwt, settings
from tests.fakes import START, FakeGem

EVENTS = (Path(__file__).resolve().parents[2] / "infra" / "events.bicep").read_text("utf-8")


def test_who_is_well_is_found_well() -> None:
    found = {check.name: finding.status for check, finding in examine(Ward().installation)}
    assert {name for name, status in found.items() if status is DiagnosticStatus.SKIPPED} == {
        "inputs",
        "events",
    }
    assert set(found.values()) == {DiagnosticStatus.OK, DiagnosticStatus.SKIPPED}


def test_every_container_of_the_app_is_looked_at_and_left_as_it_was() -> None:
    ward = Ward()
    list(examine(ward.installation))
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
    check = DIAGNOSTICS[0]
    well = [(check, ok("a")), (check, warning("b", "c")), (check, skipped("d"))]
    assert report(well)["ok"]
    whole = report([*well, (check, fail("e", "f"))])
    assert not whole["ok"]
    assert whole["checks"][-1] == {
        "name": "settings",
        "title": check.title,
        "status": "fail",
        "detail": "e",
        "remedy": "f",
    }


def test_names_are_stable_and_each_is_once() -> None:
    """Pipelines filter by them."""
    expected = """
        settings key-vault token gem records worklist tickets reports outbox clock
        results batches poison outputs inputs disk timer events
    """
    assert expected.split() == NAMES


def test_all_that_is_wrong_with_the_settings_and_what_hangs_on_it_is_skipped() -> None:
    reference = "@Microsoft.KeyVault(SecretUri=https://v/secrets/a)"
    chosen, problems = survey_settings(
        {"GEM_API_KEY": reference, "GEM_STATE": "x", "GEM_CHECK_SCHEDULE": "often"}
    )
    ward = Ward(changes={"settings": chosen, "problems": problems})
    found = {check.name: finding for check, finding in examine(ward.installation)}
    for name in ("GEM_STATE", "GEM_OUTPUT", "GEM_CHECK_SCHEDULE"):
        assert name in found["settings"].detail
    assert "GEM_API_KEY" not in found["settings"].detail
    assert found["key-vault"].detail == "unresolved: GEM_API_KEY"
    assert "Key Vault Secrets User" in found["key-vault"].remedy
    skips = {name for name, finding in found.items() if finding.status is DiagnosticStatus.SKIPPED}
    assert skips == set(NAMES) - {"settings", "key-vault", "token", "disk"}
    assert found["gem"].detail == "GEM_API_KEY must be mended first"
    assert found["timer"].detail == "GEM_CHECK_SCHEDULE, GEM_STATE must be mended first"


def test_one_that_crashes_does_not_keep_the_others_from_being_looked_at() -> None:
    def crash(_: str) -> Results:
        raise ValueError("AccountKey=c2VjcmV0")

    found = {
        check.name: each for check, each in examine(Ward(changes={"queue": crash}).installation)
    }
    assert found["results"].detail == "crashed: ValueError"
    assert found["timer"].status is DiagnosticStatus.OK


def test_a_token_is_told_of_and_never_shown() -> None:
    finding = Ward().find("token")
    assert finding.detail == f"for {SCOPE}, with Gem.Read, for 50 minutes yet"
    assert finding.status is DiagnosticStatus.OK


@pytest.mark.parametrize(
    ("token", "status", "detail"),
    [
        (
            jwt(aud="https://other.example", exp=START.timestamp() + 600),
            DiagnosticStatus.WARNING,
            "other",
        ),
        (jwt(aud=f"{SCOPE}/", exp=START.timestamp() + 600), DiagnosticStatus.OK, "10 minutes yet"),
        (
            jwt(aud="11111111-2222-3333-4444-555555555555", exp=START.timestamp() + 600),
            DiagnosticStatus.OK,
            "without scopes",
        ),
        (
            jwt(aud=SCOPE, exp=START.timestamp() - 600),
            DiagnosticStatus.FAIL,
            "expired 10 minutes ago",
        ),
        (
            jwt(aud=SCOPE, scp="user_impersonation"),
            DiagnosticStatus.OK,
            "with user_impersonation, without",
        ),
        (jwt(aud="\x1b[2J" + "a" * 500), DiagnosticStatus.OK, "for [2Jaaa"),
        ("opaque", DiagnosticStatus.OK, "no JWT"),
        ("a.b.c", DiagnosticStatus.OK, "no JWT"),
        ("a.W10.c", DiagnosticStatus.OK, "no JWT"),
    ],
    ids=["other", "slash", "guid", "expired", "endless", "hostile", "opaque", "garbled", "list"],
)
def test_what_a_token_is_for(token: str, status: DiagnosticStatus, detail: str) -> None:
    finding = Ward().find("token", token=lambda: Token(token))
    assert finding.status is status
    assert detail in finding.detail
    assert "secret-signature" not in finding.detail + finding.remedy
    assert len(finding.detail) < 250


def test_a_fixed_token_may_be_for_anybody() -> None:
    token = jwt(aud="https://other.example", exp=START.timestamp() + 600)
    fixed = replace(settings(), gem_bearer_token=Secret(token))
    assert (
        Ward().find("token", token=lambda: Token(token), settings=fixed).status
        is DiagnosticStatus.OK
    )


@pytest.mark.parametrize("kind", [GemAccessError, GemUnavailable])
def test_no_token(kind: type[GemError]) -> None:
    error = Raising(kind("no token for x\nAttempted credentials:\n\tEnvironmentCredential"))
    ward = Ward(changes={"token": lambda: error, "gem": lambda: error})
    finding = ward.find("token")
    assert (finding.status, finding.detail) == (DiagnosticStatus.FAIL, "no token for x")
    assert "az login" in finding.remedy
    if kind is GemAccessError:
        assert ward.find("gem").status is DiagnosticStatus.SKIPPED


@pytest.mark.parametrize(
    ("error", "detail", "remedy"),
    [
        (GemUnauthorized("GEM answered 401 (x): check GEM_API_KEY"), "GEM answered 401 (x)", "key"),
        (GemForbidden("GEM answered 403: check that"), "GEM answered 403", "ask TomTom"),
        (GemUnavailable("no answer from GEM: ConnectTimeout"), "no answer", "outbound network"),
        (GemAnswerError("GEM answered 302"), "GEM answered 302", "GEM_API_BASE_URL"),
    ],
    ids=["401", "403", "none", "other"],
)
def test_what_gem_answers_has_its_own_remedy(error: GemError, detail: str, remedy: str) -> None:
    finding = Ward().find("gem", gem=lambda: Raising(error))
    assert finding.status is DiagnosticStatus.FAIL
    assert finding.detail.startswith(detail)
    assert remedy in finding.remedy
    assert "check GEM_API_KEY" not in finding.detail


def test_404_proves_something_only_when_a_stranger_is_refused() -> None:
    ward = Ward()
    assert "it takes them" in ward.find("gem").detail
    finding = ward.find("gem", anonymous=lambda: Raising(GemJobNotFound("GEM answered 404")))
    assert finding.status is DiagnosticStatus.WARNING
    assert "GEM_API_BASE_URL" in finding.remedy
    finding = ward.find("gem", anonymous=lambda: Raising(GemUnavailable("no answer")))
    assert (finding.status, "no answer" in finding.detail) == (DiagnosticStatus.OK, True)
    gem = FakeGem()
    gem.answers["job-000000-000000"] = [finished()]
    assert ward.find("gem", anonymous=lambda: gem).status is DiagnosticStatus.WARNING
    assert ward.find("gem", gem=lambda: gem).status is DiagnosticStatus.WARNING
