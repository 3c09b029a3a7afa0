"""The edges are built from the settings: which credential, which address, which encoding."""

import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest
from azure.core.credentials import TokenCredential
from azure.identity import ClientSecretCredential, DefaultAzureCredential, ManagedIdentityCredential
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from devkit.azurite import Azurite
from devkit.simulator import CLEAN, GemSimulator
from gem_core.audit.options import AuditOptions, IdLimits, OvertureLimits
from gem_core.deliver.manifest import outcome_of
from gem_core.errors import SettingsError
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.manage_jobs import register_job
from gem_core.flows.timer_status import timer_status
from gem_core.gem.token import FixedToken, IdentityToken
from gem_core.redaction import redacted
from gem_core.storage import names
from gem_core.storage.answers import REQUEST_ID
from gem_core.storage.clients import blob_service, connector, queue_service
from gem_core.watch.store_claim import Ticker
from gem_core.wiring.delivery import deliverer
from gem_core.wiring.environment import settings as app_settings
from gem_core.wiring.gem import gem, ticker
from gem_core.wiring.managers import manager
from gem_core.wiring.tick import checker
from tests.commands.command_runner import empty_stores
from tests.gem.server import Asked, Reply, ScriptedServer
from tests.storage.build import credential_behind
from tests.wiring.fresh import NEEDED, forget_edges

IDENTITY = {
    "GEM_API_KEY": "key",
    "GEM_STATE__blobServiceUri": "https://state.blob.example",
    "GEM_STATE__queueServiceUri": "https://state.queue.example",
    "GEM_OUTPUT__blobServiceUri": "https://{storageId}.blob.example",
    "GEM_CHECK_SCHEDULE": "0 * * * * *",
}
CLIENT = "00000000-0000-0000-0000-000000000002"
PRINCIPAL = {"tenantId": "00000000-0000-0000-0000-000000000001", "clientSecret": "s3cret"}


def use(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    """These settings and no others."""
    monkeypatch.setattr("os.environ", settings)


def credential_of(client: object) -> TokenCredential:
    found: TokenCredential = client.credential  # type: ignore[attr-defined] # the SDK has it untyped
    return found


def test_settings_that_are_wrong_stop_every_edge(fresh: pytest.MonkeyPatch) -> None:
    use(fresh, {})
    for edge in (checker, manager, deliverer):
        with pytest.raises(SettingsError, match="GEM_API_KEY"):
            edge()


@pytest.mark.parametrize(
    "name",
    [
        "GEM_API_KEY",
        "GEM_CLIENT_SECRET",
        "GEM_BEARER_TOKEN",
        "GEM_STATE",
        "GEM_STATE__clientSecret",
        "GEM_OUTPUT",
        "GEM_OUTPUT__clientSecret",
    ],
)
def test_no_tick_starts_with_a_secret_that_is_an_unresolved_reference(
    fresh: pytest.MonkeyPatch, name: str
) -> None:
    """Before anything is asked of GEM or written; and the error says which secret it is."""
    use(fresh, NEEDED | {name: "@Microsoft.KeyVault(SecretUri=https://v.example/secrets/a/)"})
    with pytest.raises(SettingsError, match=f"{name} is an unresolved Key Vault reference"):
        check_jobs(checker())
    with pytest.raises(SettingsError, match=f"{name} is an unresolved Key Vault reference"):
        manager()


def test_edges_are_built_once(fresh: pytest.MonkeyPatch) -> None:
    use(fresh, NEEDED)
    assert checker() is checker()
    assert checker().registry is manager().registry is deliverer().registry


@pytest.mark.parametrize(
    ("extra", "kind"),
    [
        ({}, DefaultAzureCredential),
        ({"credential": "managedidentity"}, ManagedIdentityCredential),
        ({"credential": "managedidentity", "clientId": CLIENT}, ManagedIdentityCredential),
        (PRINCIPAL | {"clientId": CLIENT}, ClientSecretCredential),
    ],
    ids=["default-chain", "system-assigned", "user-assigned", "service-principal"],
)
def test_state_is_reached_by_the_identity_that_was_named(
    fresh: pytest.MonkeyPatch, extra: dict[str, str], kind: type[TokenCredential]
) -> None:
    use(fresh, IDENTITY | {f"GEM_STATE__{name}": text for name, text in extra.items()})
    state = app_settings().state
    blobs = blob_service(state, state.blob_service_uri or "")
    queues = queue_service(state)
    assert isinstance(credential_behind(credential_of(blobs)), kind)
    assert credential_of(blobs) is credential_of(queues)
    assert (blobs.url, queues.url) == (
        "https://state.blob.example/",
        "https://state.queue.example/",
    )


class Crowd(ScriptedServer):
    """Answers only when so many requests are open, each on its own connection."""

    def __init__(self, size: int) -> None:
        super().__init__(Reply(404, headers={REQUEST_ID: "1", "x-ms-error-code": "BlobNotFound"}))
        self._all = Barrier(size)

    def reply(self, asked: Asked) -> Reply:
        self._all.wait(timeout=60)
        return super().reply(asked)


def test_a_connection_is_kept_for_each_question_at_once(
    fresh: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Crowd(60) as server, ThreadPoolExecutor(60) as threads:
        state = f"AccountName=a;AccountKey=aa==;BlobEndpoint={server.url}/a;QueueEndpoint=http://q"
        use(fresh, NEEDED | {"GEM_STATE": state})
        registry = manager().registry
        for _ in range(2):
            assert not any(threads.map(registry.get, map(str, range(60))))
        assert len({each.peer for each in server.asked}) == 60
    assert "pool is full" not in caplog.text


def test_each_storage_of_gem_has_its_own_address(fresh: pytest.MonkeyPatch) -> None:
    use(fresh, IDENTITY)
    connect = connector(app_settings().output)
    container = connect("https://storage-001.blob.example", "default")
    assert container.url == "https://storage-001.blob.example/default"


@pytest.mark.parametrize(
    ("settings", "kind"),
    [({}, IdentityToken), ({"GEM_BEARER_TOKEN": "fixed"}, FixedToken)],
    ids=["identity", "fixed"],
)
def test_the_token_of_gem_comes_from_what_is_set(
    fresh: pytest.MonkeyPatch, settings: dict[str, str], kind: type[object]
) -> None:
    use(fresh, NEEDED | settings)
    assert isinstance(gem()._token, kind)


def test_gem_is_asked_as_the_service_principal_of_the_settings(fresh: pytest.MonkeyPatch) -> None:
    principal = {"GEM_TENANT_ID": PRINCIPAL["tenantId"], "GEM_CLIENT_ID": CLIENT}
    use(fresh, NEEDED | principal | {"GEM_CLIENT_SECRET": "s3cret-of-entra"})
    token = gem()._token
    assert isinstance(token, IdentityToken)
    assert isinstance(credential_behind(token._make_credential()), ClientSecretCredential)
    assert redacted("repeats s3cret-of-entra") == "repeats ***"


@pytest.mark.parametrize("encoding", ["base64", "none"])
def test_a_job_goes_through_all_edges(
    fresh: pytest.MonkeyPatch, azurite: Azurite, encoding: str
) -> None:
    """In this process, so that it can be looked into; the runner does the same from outside."""
    empty_stores(azurite)  # the counts below are of this job alone
    storage = azurite.connection_string
    output = f"wiring-{encoding}"
    with (
        BlobServiceClient.from_connection_string(storage) as blobs,
        QueueServiceClient.from_connection_string(storage) as queues,
    ):
        for name in (*names.CONTAINERS, output):
            if not blobs.get_container_client(name).exists():
                blobs.create_container(name)
        queue = queues.create_queue(output)
        job = f"job-{encoding}"
        with GemSimulator(blobs.get_container_client(output)) as simulator:
            simulator.add_job(job, replace(CLEAN, queued_for=0, running_for=0))
            use(
                fresh,
                {
                    "GEM_API_BASE_URL": simulator.url,
                    "GEM_API_KEY": simulator.api_key,
                    "GEM_BEARER_TOKEN": simulator.token,
                    "GEM_STATE": storage,
                    "GEM_OUTPUT": storage,
                    "GEM_OUTPUT_CONTAINER": output,
                    "GEM_RESULTS_QUEUE": output,
                    "GEM_RESULTS_QUEUE_ENCODING": encoding,
                    "GEM_CHECK_SCHEDULE": "0 * * * * *",
                },
            )
            register_job(manager(), job, None)
            check_jobs(checker())
            assert timer_status(manager())[0]
            sent = deliver_results(deliverer(), job)
        (message,) = queue.receive_messages()
    assert sent
    body = base64.b64decode(message.content).decode() if encoding == "base64" else message.content
    assert body == sent.body
    assert outcome_of(sent) == "valid"


def test_the_audit_knows_its_bounds(fresh: pytest.MonkeyPatch) -> None:
    def options(**settings: str) -> object:
        forget_edges()
        use(fresh, NEEDED | settings)
        chosen = deliverer().audit
        assert isinstance(chosen, partial)
        return chosen.keywords["options"]

    ids = {"GEM_IDS_MEMORY_MIB": "256", "GEM_IDS_DISK_MIB": "1", "GEM_IDS_FOLDER": "/mnt/ids"}
    assert options(**ids) == AuditOptions(IdLimits(256 << 20, Path("/mnt/ids"), 1 << 20))
    assert options(GEM_INPUT_COMPARE="columns") == AuditOptions(with_values=True)
    assert deliverer().find_release is None
    overture = {"GEM_OVERTURE": "https://a.blob.core.windows.net", "GEM_OVERTURE_MAX_MIB": "7"}
    assert options(**overture) == AuditOptions(overture=OvertureLimits(7 << 20))
    assert deliverer().find_release is not None


def test_pages_get_the_address_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    address = "https://reports.example/{jobRunId}/{id}"
    use(monkeypatch, NEEDED | {"GEM_REPORT_PAGE_URL": address})
    assert deliverer().page_url == address


@pytest.mark.parametrize(
    ("site", "slot", "name"),
    [
        ("courier", "", "courier"),
        ("courier", "Production", "courier"),
        ("courier", "staging", "courier-staging"),
        ("", "staging", ""),
    ],
)
def test_a_deployment_slot_ticks_as_an_app_of_its_own(
    monkeypatch: pytest.MonkeyPatch, site: str, slot: str, name: str
) -> None:
    """Its own identity does not see the jobs of production, which would all be lost."""
    use(monkeypatch, NEEDED | {"WEBSITE_SITE_NAME": site, "WEBSITE_SLOT_NAME": slot})
    assert ticker(app_settings()) == Ticker(name, f"the identity of {name or 'a person'}")
