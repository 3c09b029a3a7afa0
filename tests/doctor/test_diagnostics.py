"""The list of diagnostics, and those of settings, token and GEM."""

from dataclasses import replace
from pathlib import Path

import pytest

from devkit.runner.blob_path import BlobPath
from gem_core.doctor.diagnose_stores import CLOCK_PROBE, PROBE
from gem_core.doctor.diagnostics import DIAGNOSTICS, report, run_diagnostics
from gem_core.doctor.finding import DiagnosticStatus, fail, ok, skipped, warning
from gem_core.errors import (
    GemAccessError,
    GemAnswerError,
    GemError,
    GemForbidden,
    GemJobNotFound,
    GemUnauthorized,
    GemUnavailable,
    GemWithoutToken,
    OutputUnreachable,
    RequestError,
)
from gem_core.secret import Secret
from gem_core.settings.app_settings import read_settings_and_problems
from gem_core.storage.names import CONTAINERS, JOBS, TICKETS, WORKLIST
from gem_core.watch.registration import parse_job_run_id
from gem_core.watch.registry import JobRegistry
from tests.builders import finished
from tests.doctor.build import (
    NAMES,
    SCOPE,
    SETTINGS,
    FakeInstallation,
    Raising,
    Results,
    Token,
    jwt,
    settings,
)
from tests.fakes import START, FakeGem

EVENTS = (Path(__file__).resolve().parents[2] / "infra" / "events.bicep").read_text("utf-8")


def test_a_working_installation_has_no_failures() -> None:
    found = {
        check.name: finding.status
        for check, finding in run_diagnostics(FakeInstallation().installation)
    }
    assert {name for name, status in found.items() if status is DiagnosticStatus.SKIPPED} == {
        "failures",
        "inputs",
        "overture",
        "events",
    }
    assert set(found.values()) == {DiagnosticStatus.OK, DiagnosticStatus.SKIPPED}


def test_every_container_of_the_app_is_tested_and_no_probe_stays() -> None:
    fake = FakeInstallation(changes={"settings": settings(GEM_FAILING_ROWS="1")})
    list(run_diagnostics(fake.installation))
    assert set(fake.stores) == set(CONTAINERS)
    assert [store.names() for store in fake.stores.values()] == [[]] * len(CONTAINERS)


@pytest.mark.parametrize("probe", [PROBE, CLOCK_PROBE])
def test_no_probe_can_be_mistaken_for_a_job_or_a_ticket(probe: str) -> None:
    """The listing, the worklist, the trigger's path and the event subscription ignore probes."""
    fake = FakeInstallation()
    for store in (JOBS, WORKLIST, TICKETS):
        fake.store(store).put(probe, b"")
    registry = JobRegistry(
        jobs=fake.store(JOBS), worklist=fake.store(WORKLIST), tickets=fake.store(TICKETS)
    )
    assert registry.page(size=9, after=None).jobs == ()
    assert registry.newest(9) == []
    assert list(registry.open_jobs()) == []
    with pytest.raises(RequestError):
        parse_job_run_id(probe)
    assert BlobPath.parse(f"{TICKETS}/{{jobRunId}}.json").match(probe) is None
    assert "subjectEndsWith: '.json'" in EVENTS
    assert not probe.endswith(".json")


def test_a_report_is_ok_unless_something_fails() -> None:
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


def test_names_are_stable_and_unique() -> None:
    """Pipelines filter by them."""
    expected = """
        settings key-vault token gem records worklist tickets reports failures outbox
        clock claim results routes batches poison outputs inputs overture disk memory timer events
    """
    assert expected.split() == NAMES


def test_all_invalid_settings_are_reported_and_their_dependents_are_skipped() -> None:
    reference = "@Microsoft.KeyVault(SecretUri=https://v/secrets/a)"
    chosen, problems = read_settings_and_problems(
        {"GEM_API_KEY": reference, "GEM_STATE": "x", "GEM_CHECK_SCHEDULE": "often"}
    )
    fake = FakeInstallation(changes={"settings": chosen, "problems": problems})
    found = {check.name: finding for check, finding in run_diagnostics(fake.installation)}
    for name in ("GEM_STATE", "GEM_OUTPUT", "GEM_CHECK_SCHEDULE"):
        assert name in found["settings"].detail
    assert "GEM_API_KEY" not in found["settings"].detail
    assert found["key-vault"].detail == "unresolved: GEM_API_KEY"
    assert "Key Vault Secrets User" in found["key-vault"].remedy
    skips = {name for name, finding in found.items() if finding.status is DiagnosticStatus.SKIPPED}
    assert skips == set(NAMES) - {"settings", "key-vault", "token", "disk", "memory"}
    assert found["gem"].detail == "GEM_API_KEY must be corrected first"
    assert found["timer"].detail == "GEM_CHECK_SCHEDULE, GEM_STATE must be corrected first"


def test_a_schedule_that_is_missing_is_named() -> None:
    """The host then drops the timer; nothing else shows why no tick runs."""
    given = {name: value for name, value in SETTINGS.items() if name != "GEM_CHECK_SCHEDULE"}
    chosen, problems = read_settings_and_problems(given)
    fake = FakeInstallation(changes={"settings": chosen, "problems": problems})
    found = {check.name: finding for check, finding in run_diagnostics(fake.installation)}
    assert found["settings"].status is DiagnosticStatus.FAIL
    assert "GEM_CHECK_SCHEDULE is missing or empty" in found["settings"].detail
    assert found["timer"].detail == "GEM_CHECK_SCHEDULE must be corrected first"


def test_a_diagnostic_that_crashes_does_not_stop_the_others() -> None:
    def crash(_: str) -> Results:
        raise ValueError("AccountKey=c2VjcmV0")

    found = {
        check.name: each
        for check, each in run_diagnostics(FakeInstallation(changes={"queue": crash}).installation)
    }
    assert found["results"].detail == "crashed: ValueError"
    assert found["timer"].status is DiagnosticStatus.OK


def test_a_token_is_described_and_never_shown() -> None:
    finding = FakeInstallation().find("token")
    assert finding.detail == f"audience {SCOPE}, with Gem.Read, expires in 50 minutes"
    assert finding.status is DiagnosticStatus.OK


@pytest.mark.parametrize(
    ("token", "status", "detail"),
    [
        (
            jwt(aud="https://other.example", exp=START.timestamp() + 600),
            DiagnosticStatus.WARNING,
            "other",
        ),
        (
            jwt(aud=f"{SCOPE}/", exp=START.timestamp() + 600),
            DiagnosticStatus.OK,
            "expires in 10 minutes",
        ),
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
            "with user_impersonation, does not expire",
        ),
        (jwt(aud="\x1b[2J" + "a" * 500), DiagnosticStatus.OK, "audience [2Jaaa"),
        ("opaque", DiagnosticStatus.OK, "not a JWT"),
        ("a.b.c", DiagnosticStatus.OK, "not a JWT"),
        ("a.W10.c", DiagnosticStatus.OK, "not a JWT"),
    ],
    ids=["other", "slash", "guid", "expired", "endless", "hostile", "opaque", "garbled", "list"],
)
def test_a_token_for_another_audience_is_told(
    token: str, status: DiagnosticStatus, detail: str
) -> None:
    finding = FakeInstallation().find("token", token=lambda: Token(token))
    assert finding.status is status
    assert detail in finding.detail
    assert "secret-signature" not in finding.detail + finding.remedy
    assert len(finding.detail) < 250


def test_a_fixed_token_may_have_any_audience() -> None:
    token = jwt(aud="https://other.example", exp=START.timestamp() + 600)
    fixed = replace(settings(), gem_bearer_token=Secret(token))
    assert (
        FakeInstallation().find("token", token=lambda: Token(token), settings=fixed).status
        is DiagnosticStatus.OK
    )


@pytest.mark.parametrize(
    ("kind", "remedy"), [(GemAccessError, "az login"), (GemWithoutToken, "this usually passes")]
)
def test_a_token_that_is_refused_fails_and_gem_is_skipped(
    kind: type[GemError], remedy: str
) -> None:
    error = Raising(kind("no token (X): why; this usually passes"))
    fake = FakeInstallation(changes={"token": lambda: error, "gem": lambda: error})
    finding = fake.find("token")
    assert finding.status is DiagnosticStatus.FAIL
    assert finding.detail.startswith("no token (X): why")
    assert remedy in finding.remedy
    assert fake.find("gem").status is DiagnosticStatus.SKIPPED


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
def test_each_error_of_gem_has_its_own_remedy(error: GemError, detail: str, remedy: str) -> None:
    finding = FakeInstallation().find("gem", gem=lambda: Raising(error))
    assert finding.status is DiagnosticStatus.FAIL
    assert finding.detail.startswith(detail)
    assert remedy in finding.remedy
    assert "check GEM_API_KEY" not in finding.detail


def test_404_is_accepted_only_when_gem_refuses_an_invalid_key_and_token() -> None:
    fake = FakeInstallation()
    assert "GEM accepts key and token" in fake.find("gem").detail
    finding = fake.find("gem", anonymous=lambda: Raising(GemJobNotFound("GEM answered 404")))
    assert finding.status is DiagnosticStatus.WARNING
    assert "GEM_API_BASE_URL" in finding.remedy
    finding = fake.find("gem", anonymous=lambda: Raising(GemUnavailable("no answer")))
    assert (finding.status, "no answer" in finding.detail) == (DiagnosticStatus.OK, True)
    gem = FakeGem()
    gem.answers["job-000000-000000"] = [finished()]
    assert fake.find("gem", anonymous=lambda: gem).status is DiagnosticStatus.WARNING
    assert fake.find("gem", gem=lambda: gem).status is DiagnosticStatus.WARNING


def test_overture_is_examined_where_it_is_used() -> None:
    fake = FakeInstallation()
    assert fake.find("overture").status is DiagnosticStatus.SKIPPED
    used = settings(GEM_OVERTURE="https://overturemapswestus2.blob.core.windows.net")
    found = fake.find("overture", settings=used)
    assert found == ok("changelog 2026-01-21.0")

    def refused() -> list[str]:
        raise OutputUnreachable("storage answered 403")

    refusal = fake.find("overture", settings=used, overture=refused)
    assert (refusal.status, refusal.detail) == (DiagnosticStatus.FAIL, "storage answered 403")
    assert "GEM_OVERTURE" in refusal.remedy
