"""The diagnostics of containers, queues and the clock."""

from datetime import timedelta

import pytest

from gem_core.doctor.diagnose_stores import PROBE
from gem_core.doctor.finding import DiagnosticStatus
from gem_core.errors import StoreError, StoreMissing, StoreRefused
from tests.doctor.build import FakeInstallation, Raising, Results, missing, settings

_STORES = {
    "records": "gem-jobs",
    "worklist": "gem-worklist",
    "tickets": "gem-tickets",
    "reports": "gem-reports",
    "outbox": "gem-outbox",
}


def break_store(fake: FakeInstallation, container: str, method: str, error: Exception) -> None:
    def raising(*_: object, **__: object) -> None:
        raise error

    setattr(fake.store(container), method, raising)


@pytest.mark.parametrize("name", _STORES)
def test_a_container_that_is_missing(name: str) -> None:
    fake = FakeInstallation()
    for method in ("put", "get", "delete"):
        break_store(fake, _STORES[name], method, missing(_STORES[name]))
    finding = fake.find(name)
    assert finding.status is DiagnosticStatus.FAIL
    assert finding.detail == f"container '{_STORES[name]}' does not exist in GEM_STATE"
    assert (
        f"az storage container create --auth-mode login --account-name … --name {_STORES[name]}"
        in (finding.remedy)
    )


@pytest.mark.parametrize(
    ("name", "method", "word"),
    [
        ("records", "put", "write"),
        ("records", "get", "read"),
        ("outbox", "page", "list"),
        ("worklist", "delete", "delete"),
        ("tickets", "put", "write"),
        ("reports", "put", "write"),
    ],
)
def test_the_right_that_is_refused_is_named(name: str, method: str, word: str) -> None:
    fake = FakeInstallation()
    error = StoreRefused(
        "container 'x': storage refused (AuthorizationPermissionMismatch): check …"
    )
    break_store(fake, _STORES[name], method, error)
    finding = fake.find(name)
    assert finding.status is DiagnosticStatus.FAIL
    assert f"{word} in container {_STORES[name]}: refused" in finding.detail
    assert "AuthorizationPermissionMismatch" in finding.detail
    assert "Storage Blob Data Contributor" in finding.remedy
    if method != "delete":
        assert fake.store(_STORES[name]).names() == []


@pytest.mark.parametrize(("name", "method"), [("reports", "get"), ("tickets", "page")])
def test_a_right_that_the_app_does_not_need_is_not_asked_for(name: str, method: str) -> None:
    fake = FakeInstallation()
    break_store(fake, _STORES[name], method, StoreRefused("no"))
    assert fake.find(name).status is DiagnosticStatus.OK


def test_a_probe_that_cannot_be_deleted_is_reported() -> None:
    fake = FakeInstallation()
    break_store(fake, "gem-reports", "delete", StoreRefused("storage refused"))
    finding = fake.find("reports")
    assert finding.status is DiagnosticStatus.WARNING
    assert PROBE in finding.detail


def test_storage_that_does_not_answer() -> None:
    fake = FakeInstallation()
    break_store(fake, "gem-jobs", "put", StoreError("container 'gem-jobs': no answer"))
    assert "network" in fake.find("records").remedy


@pytest.mark.parametrize(
    ("seconds", "status", "detail"),
    [
        (0, DiagnosticStatus.OK, "within a second"),
        (20, DiagnosticStatus.OK, "apart"),
        (40, DiagnosticStatus.WARNING, "40 s behind storage's"),
        (-41, DiagnosticStatus.WARNING, "40 s ahead of storage's"),
        (400, DiagnosticStatus.FAIL, "400 s behind"),
        (-400, DiagnosticStatus.FAIL, "s ahead of"),
    ],
)
def test_a_local_clock_that_differs_from_storages_is_told(
    seconds: int, status: DiagnosticStatus, detail: str
) -> None:
    fake = FakeInstallation()
    fake.store("gem-worklist")._clock = lambda: fake.world.clock() + timedelta(seconds=seconds)
    finding = fake.find("clock")
    assert finding.status is status
    assert detail in finding.detail


def test_two_doctors_at_once_do_not_harm_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both use one name, so the other doctor may delete the probe of this one."""
    fake = FakeInstallation()
    store = fake.store("gem-worklist")
    monkeypatch.setattr(store, "put", lambda *_, **__: "0x1")
    finding = fake.find("clock")
    assert finding.status is DiagnosticStatus.SKIPPED
    assert "another doctor" in finding.detail
    assert fake.find("worklist").status is DiagnosticStatus.OK


def test_a_queue_that_is_gone_or_refuses() -> None:
    gone = StoreMissing("queue 'gem-results' does not exist in GEM_STATE: create it (the …)")
    finding = FakeInstallation().find("results", queue=lambda _: Raising(gone))
    assert finding.detail == "queue 'gem-results' does not exist in GEM_STATE"
    assert "az storage queue create" in finding.remedy
    refused = StoreRefused("queue 'gem-results': storage refused (x): check the identity or key …")
    finding = FakeInstallation().find("results", queue=lambda _: Results(error=refused))
    assert finding.detail == "queue gem-results: refused: queue 'gem-results': storage refused (x)"
    assert "Storage Queue Data Contributor" in finding.remedy
    assert (
        "3 messages wait" in FakeInstallation().find("results", queue=lambda _: Results(3)).detail
    )


@pytest.mark.parametrize(
    ("age", "status"),
    [
        (None, DiagnosticStatus.OK),
        (timedelta(hours=23), DiagnosticStatus.OK),
        (timedelta(days=3), DiagnosticStatus.WARNING),
    ],
)
@pytest.mark.parametrize("name", ["results", "routes"])
def test_messages_that_nobody_reads_are_a_warning(
    name: str, age: timedelta | None, status: DiagnosticStatus
) -> None:
    routed = settings(GEM_RESULTS_ROUTES='[{"queue": "gem-maps"}]')
    fake = FakeInstallation(changes={"settings": routed})
    oldest = fake.world.clock() - age if age else None
    finding = fake.find(name, queue=lambda _: Results(3, oldest=oldest))
    assert finding.status is status
    if status is DiagnosticStatus.WARNING:
        assert "3 messages wait, the oldest for 3 days: nobody seems to read" in finding.detail
        assert "start a listener on gem-" in finding.remedy


def test_the_app_need_not_read_what_it_sends() -> None:
    class Unreadable(Results):
        def oldest_at(self) -> None:
            raise StoreRefused("no")

    assert FakeInstallation().find("results", queue=lambda _: Unreadable()).status is (
        DiagnosticStatus.OK
    )


def test_each_further_queue_is_tested() -> None:
    routed = settings(GEM_RESULTS_ROUTES='[{"queue": "gem-maps"}, {"queue": "gem-night"}]')
    gone = StoreMissing("queue 'gem-night' does not exist in GEM_STATE: create it (the …)")
    fake = FakeInstallation(changes={"settings": routed})
    finding = fake.find(
        "routes", queue=lambda name: Results() if name == "gem-maps" else Raising(gone)
    )
    assert finding.status is DiagnosticStatus.FAIL
    assert finding.detail == (
        "gem-maps: send; 0 messages wait; queue 'gem-night' does not exist in GEM_STATE"
    )
    assert finding.remedy.startswith("azd provision, or az storage queue create")


def test_without_a_default_queue_there_is_nothing_to_test() -> None:
    routed = settings(GEM_RESULTS_QUEUE="none", GEM_RESULTS_ROUTES='[{"queue": "gem-maps"}]')
    fake = FakeInstallation(changes={"settings": routed})
    assert fake.find("results").status is DiagnosticStatus.SKIPPED
    assert fake.find("routes").status is DiagnosticStatus.OK


def test_the_queue_of_batches_must_exist_when_batches_are_turned_on() -> None:
    gone = StoreMissing("queue 'gem-batches' does not exist in GEM_STATE: create it (the …)")
    fake = FakeInstallation(changes={"queue": lambda _: Raising(gone)})
    assert fake.find("batches").status is DiagnosticStatus.WARNING
    fake.changes["settings"] = settings(GEM_CHECK_BATCH_SIZE="100")
    assert fake.find("batches").status is DiagnosticStatus.FAIL


def test_failed_messages_are_a_warning() -> None:
    finding = FakeInstallation().find("poison", poison=lambda: (Results(2), Results(1)))
    assert (finding.status, finding.detail) == (
        DiagnosticStatus.WARNING,
        "3 messages failed too often",
    )
    assert finding.remedy.endswith("poison replay")
    many = FakeInstallation().find("poison", poison=lambda: (Results(33), Results(1)))
    assert many.detail.endswith("; only the first 32 of each queue can be listed")
    assert "to list the next 32, hide the first ones for a minute: az storage" in many.remedy
    broken = FakeInstallation().find("poison", poison=lambda: (Raising(StoreError("no answer")),))
    assert broken.status is DiagnosticStatus.FAIL
