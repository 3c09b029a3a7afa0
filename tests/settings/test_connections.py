"""How GEM and the storages are reached: connection strings, identities, tenants."""

import pytest
from azure.identity import ClientSecretCredential

from gem_core.secret import Secret
from gem_core.settings.app_settings import read_settings
from gem_core.settings.connection import Connection, ServicePrincipal
from gem_core.storage.clients import blob_service, queue_service, sign_in
from tests.settings.least import CLIENT, MINUTELY, STORAGE, TENANT, problems, read
from tests.storage.build import credential_behind


@pytest.mark.parametrize(
    ("parts", "names"),
    [
        ({"credential": "managedidentity", "tenantId": TENANT, "clientSecret": "s"}, "tenantId"),
        (
            {
                "credential": "managedidentity",
                "tenantId": TENANT,
                "clientId": CLIENT,
                "clientSecret": "s",
            },
            "tenantId",
        ),
        ({"credential": "managedidentity", "clientSecret": "s"}, "clientSecret"),
        ({"clientId": CLIENT}, "clientId"),
    ],
)
@pytest.mark.parametrize("name", ["GEM_STATE", "GEM_OUTPUT"])
def test_an_ambiguous_or_incomplete_identity_is_refused(
    name: str, parts: dict[str, str], names: str
) -> None:
    (line,) = problems(**{f"{name}__{part}": text for part, text in parts.items()})
    assert line.startswith(f"{name}__")
    assert names in line
    assert "__credential" in line


def test_gem_has_a_principal_and_a_token_of_its_own() -> None:
    chosen = read(
        GEM_TENANT_ID=TENANT, GEM_CLIENT_ID=CLIENT, GEM_CLIENT_SECRET="s", GEM_BEARER_TOKEN="b"
    )
    assert chosen.gem_principal == ServicePrincipal(TENANT, CLIENT, Secret("s"))
    assert chosen.gem_bearer_token == Secret("b")


def test_storage_is_reached_by_an_identity() -> None:
    chosen = read_settings(
        {
            "GEM_CHECK_SCHEDULE": MINUTELY,
            "GEM_API_KEY": "k",
            "GEM_STATE__blobServiceUri": "https://a.blob.core.windows.net",
            "GEM_STATE__queueServiceUri": "https://a.queue.core.windows.net",
            "GEM_STATE__credential": "managedidentity",
            "GEM_STATE__clientId": CLIENT,
            "GEM_OUTPUT__blobServiceUri": "https://{storageId}.blob.core.windows.net",
            "GEM_OUTPUT__tenantId": TENANT,
            "GEM_OUTPUT__clientId": CLIENT,
            "GEM_OUTPUT__clientSecret": "s",
        }
    )
    assert chosen.state == Connection(
        "GEM_STATE",
        blob_service_uri="https://a.blob.core.windows.net",
        queue_service_uri="https://a.queue.core.windows.net",
        managed_identity=True,
        client_id=CLIENT,
    )
    assert chosen.output == Connection(
        "GEM_OUTPUT",
        blob_service_uri="https://{storageId}.blob.core.windows.net",
        client_id=CLIENT,
        principal=ServicePrincipal(TENANT, CLIENT, Secret("s")),
    )


ENDS = "BlobEndpoint=https://b.example;QueueEndpoint=https://q.example"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("BlobEndpoint=https://x;SharedAccessSignature=sig=s3cret", "QueueEndpoint"),
        ("AccountName=x", "AccountKey or SharedAccessSignature"),
        (ENDS, "AccountKey or SharedAccessSignature"),
        (f"{ENDS};AccountKey=c2VjcmV0", "AccountName beside its AccountKey"),
        ("AccountName=x;AccountKey=", "AccountKey or SharedAccessSignature"),
        ("AccountName=x;AccountKey=s3cret!", "AccountKey that is not base64"),
        ("AccountName=x;AccountKey=s3cre", "AccountKey that is not base64"),
        ("AccountName=x;AccountKey=c2VjcmV0;s3cret", "NAME=VALUE"),
        ("AccountName=x;;AccountKey=c2VjcmV0", "NAME=VALUE"),
        ("SharedAccessSignature=sig=s3cret", "AccountName"),
        ("QueueEndpoint=https://x;SharedAccessSignature=sig=s3cret", "BlobEndpoint"),
        ("s3cret", "not a storage connection string"),
        ("AccountName=s3cret+/=;AccountKey=c2VjcmV0", "AccountName is not the name"),
        *(
            (f"{ENDS};BlobEndpoint={end};SharedAccessSignature=sig=s3cret", "BlobEndpoint is not")
            for end in (
                "https://h:99999",
                "https://h:x/a",
                "https://h:0",
                "h:443",
                "https://h/?a=b",
            )
        ),
    ],
)
def test_a_connection_string_that_nobody_can_connect_by_is_refused(text: str, word: str) -> None:
    (line,) = problems(GEM_STATE=text)
    assert line.startswith("GEM_STATE ")
    assert word in line
    assert "s3cret" not in line


@pytest.mark.parametrize(
    "text",
    [
        STORAGE,
        f"{STORAGE};",
        f"{ENDS};SharedAccessSignature=?sv=1&sig=a%3D",
        f"{ENDS};AccountName=x;AccountKey=c2VjcmV0",
        "accountname=x;accountkey=c2VjcmV0",
        "AccountName=x;SharedAccessSignature=sv=1&sig=a%3D",
        "UseDevelopmentStorage=true",
        "UseDevelopmentStorage=true;",
    ],
)
def test_a_connection_string_that_the_sdk_reads_is_taken(text: str) -> None:
    """By the rule, and by the SDK's own reading of it."""
    state = read(GEM_STATE=text).state
    for service in (blob_service(state, ""), queue_service(state)):
        assert service.credential or "sig=a%3D" in service.url


def test_an_output_needs_no_queues() -> None:
    text = "BlobEndpoint=https://x.example;SharedAccessSignature=sv=1&sig=a%3D"
    assert read(GEM_OUTPUT=text).output.connection_string == Secret(text)


def test_state_by_identity_needs_both_services() -> None:
    lines = problems(GEM_STATE="", GEM_STATE__blobServiceUri="https://a.example")
    assert lines == ("GEM_STATE__queueServiceUri is missing beside __blobServiceUri",)


@pytest.mark.parametrize(
    "of_host",
    [
        {"AzureWebJobsGEM_STATE": STORAGE.replace("AccountName=a", "AccountName=s3cret")},
        {"AzureWebJobsGEM_STATE__accountName": "s3cret"},
        {"AzureWebJobsGEM_STATE": STORAGE, "AzureWebJobsGEM_STATE__credential": "s3cret"},
    ],
)
def test_the_host_must_not_read_another_state_account(of_host: dict[str, str]) -> None:
    """It takes the settings with the prefix first; the app never reads them."""
    (line,) = problems(**of_host)
    assert line.startswith("GEM_STATE and AzureWebJobsGEM_STATE differ")
    assert "s3cret" not in line


def test_the_host_may_read_the_same_state_account() -> None:
    assert read(AzureWebJobsGEM_STATE=f" {STORAGE} ", AzureWebJobsGEM_OUTPUT="other") == read()
    assert read(AzureWebJobsGEM_STATE="", AzureWebJobsGEM_STATES="other") == read()


def test_an_incomplete_principal_is_a_problem() -> None:
    needed = "set GEM_OUTPUT__tenantId, GEM_OUTPUT__clientId and GEM_OUTPUT__clientSecret, or none"
    assert problems(GEM_OUTPUT__tenantId=TENANT) == (
        f"GEM_OUTPUT__clientId is missing: {needed} of them",
        f"GEM_OUTPUT__clientSecret is missing: {needed} of them",
    )


@pytest.mark.parametrize("tenant", ["my tenant", "ténant", "a_b"])
def test_a_tenant_that_no_credential_takes_is_refused(tenant: str) -> None:
    assert problems(GEM_TENANT_ID=tenant, GEM_CLIENT_ID=CLIENT, GEM_CLIENT_SECRET="s") == (
        "GEM_TENANT_ID is not the id or domain of a tenant",
    )
    with pytest.raises(ValueError, match="tenant"):
        sign_in(ServicePrincipal(tenant, "c", Secret("s")), on_platform=False)


@pytest.mark.parametrize(
    "tenant", ["contoso.onmicrosoft.com", "5e0b1d3c-7c4f-4f0e-9d61-2a8b3c4d5e6f"]
)
def test_a_tenant_is_named_by_its_domain_or_id(tenant: str) -> None:
    principal = read(
        GEM_TENANT_ID=tenant, GEM_CLIENT_ID=CLIENT, GEM_CLIENT_SECRET="s"
    ).gem_principal
    assert isinstance(
        credential_behind(sign_in(principal, on_platform=False)), ClientSecretCredential
    )
