"""Every setting has a default or is required; all problems are reported together."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from azure.identity import ClientSecretCredential
from hypothesis import given
from hypothesis import strategies as st

from gem_core.errors import SettingsError
from gem_core.secret import Secret
from gem_core.settings.app_settings import (
    InputCompare,
    QueueEncoding,
    Settings,
    TriggerSource,
    read_settings,
    read_settings_and_problems,
    read_state_settings,
)
from gem_core.settings.connection import Connection, ServicePrincipal
from gem_core.settings.ncrontab import Schedule
from gem_core.settings.reader import KEY_VAULT_REFERENCE
from gem_core.settings.route import Route
from gem_core.settings.store_address import StoreAddress
from gem_core.storage.clients import blob_service, queue_service, sign_in
from tests.published import SAMPLE
from tests.storage.build import credential_behind

STORAGE = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=c2VjcmV0LWtleQ=="
TENANT = "5e0b1d3c-7c4f-4f0e-9d61-2a8b3c4d5e6f"
CLIENT = "0c9a4f0e-2b1d-4c3e-8f7a-6d5c4b3a2918"
MINUTELY = "0 * * * * *"
LEAST = {
    "GEM_API_KEY": "top-secret-key",
    "GEM_STATE": STORAGE,
    "GEM_OUTPUT": STORAGE,
    "GEM_CHECK_SCHEDULE": MINUTELY,
}


def read(**changes: str) -> Settings:
    return read_settings(LEAST | changes)


def problems(**changes: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        read(**changes)
    assert all(line in str(caught.value) for line in caught.value.problems)
    return caught.value.problems


def test_the_defaults() -> None:
    state = Connection("GEM_STATE", connection_string=Secret(STORAGE))
    assert read() == Settings(
        gem_base_url="https://api.tomtom.com/maps/orbis/platform/gem",
        gem_api_key=Secret("top-secret-key"),
        gem_api_version="1",
        gem_token_scope="https://gem.core.orbis.tomtom.com/.default",
        gem_principal=None,
        gem_bearer_token=None,
        check_schedule=Schedule.parse(MINUTELY),
        check_min=timedelta(seconds=30),
        check_max=timedelta(minutes=10),
        check_concurrency=16,
        check_requests_per_second=10,
        check_batch_size=0,
        job_deadline=timedelta(hours=168),
        lost_after=timedelta(minutes=60),
        keep=timedelta(0),
        output_grace=timedelta(minutes=30),
        discover=(),
        discover_max_age=timedelta(hours=24),
        discover_every=timedelta(minutes=10),
        repeat_ticket_after=timedelta(minutes=15),
        state=state,
        routes=(Route("default", "gem-results"),),
        results_queue_encoding=QueueEncoding.BASE64,
        output=Connection("GEM_OUTPUT", connection_string=Secret(STORAGE)),
        output_container="default",
        input_audit=True,
        input_compare=InputCompare.IDS,
        ids_memory_bytes=64 << 20,
        ids_disk_bytes=512 << 20,
        ids_folder=None,
        report_page=True,
        report_map=True,
        report_page_url="",
        failing_rows=0,
        overture=None,
        overture_max_bytes=2 << 30,
        trigger_source=TriggerSource.EVENT_GRID,
    )


def test_the_sample_is_complete_and_right() -> None:
    chosen = read_settings(SAMPLE)
    assert chosen.trigger_source is TriggerSource.CONTAINER_SCAN
    assert chosen.gem_principal is None


def test_all_problems_are_reported_together() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(
            {
                "GEM_CHECK_SCHEDULE": "* * * *",
                "GEM_CHECK_CONCURRENCY": "0",
                "GEM_RESULTS_QUEUE": "Upper",
                "GEM_INPUT_AUDIT": "maybe",
                "GEM_TENANT_ID": TENANT,
            }
        )
    names = [line.split()[0] for line in caught.value.problems]
    assert sorted(names) == [
        "GEM_API_KEY",
        "GEM_CHECK_CONCURRENCY",
        "GEM_CHECK_SCHEDULE",
        "GEM_CLIENT_ID",
        "GEM_CLIENT_SECRET",
        "GEM_INPUT_AUDIT",
        "GEM_OUTPUT",
        "GEM_RESULTS_QUEUE",
        "GEM_STATE",
    ]
    assert str(caught.value).count("\n  * ") == 9


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_setting_is_as_if_it_was_not_there(empty: str) -> None:
    names = (
        "GEM_CHECK_MIN_SECONDS GEM_CHECK_CONCURRENCY GEM_RESULTS_QUEUE "
        "GEM_RESULTS_QUEUE_ENCODING GEM_INPUT_AUDIT GEM_INPUT_COMPARE GEM_IDS_MEMORY_MIB "
        "GEM_IDS_DISK_MIB GEM_IDS_FOLDER GEM_TRIGGER_SOURCE GEM_BEARER_TOKEN "
        "GEM_TENANT_ID GEM_STATE__blobServiceUri GEM_OUTPUT__credential "
        "GEM_API_BASE_URL GEM_TOKEN_SCOPE GEM_OUTPUT_CONTAINER"
    )
    assert read(**dict.fromkeys(names.split(), empty)) == read()
    assert problems(GEM_API_KEY=empty) == ("GEM_API_KEY is missing",)


def test_a_version_that_no_header_can_hold() -> None:
    assert problems(GEM_API_VERSION="1\n2") == (
        "GEM_API_VERSION has characters that are not allowed in an HTTP header",
    )


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_version_sends_none(empty: str) -> None:
    assert read(GEM_API_VERSION=empty).gem_api_version == ""


def test_every_setting_with_a_default_takes_it_when_it_is_empty() -> None:
    """All of the sample, whatever is added to it; README gives an empty version a meaning."""
    of_its_own = {"GEM_API_VERSION"}
    names = [name for name in SAMPLE if name.startswith("GEM_")]
    empty = dict.fromkeys(set(names) - set(LEAST) - of_its_own, "")
    assert read(**empty) == read()


REFERENCES = (
    f"{KEY_VAULT_REFERENCE}SecretUri=https://vault.example/secrets/a)",
    "@microsoft.keyvault(VaultName=vault;SecretName=a)",
)


@pytest.mark.parametrize("reference", REFERENCES, ids=["uri", "lower-case"])
@pytest.mark.parametrize("name", [name for name in SAMPLE if name.startswith("GEM_")])
def test_an_unresolved_key_vault_reference_is_said_to_be_one(name: str, reference: str) -> None:
    """Every setting may be one, so every secret is among them."""
    lines = problems(**{name: reference})
    assert any(line.startswith(f"{name} is an unresolved Key Vault reference") for line in lines)
    assert not any("not a storage connection string" in line for line in lines)


_NO_NUMBERS = ("-1", "nan", "inf", "ten", "1,5", "9" * 500)
_WRONG: dict[str, tuple[str, ...]] = {
    "GEM_CHECK_MIN_SECONDS": ("0", "1e30", *_NO_NUMBERS),
    "GEM_CHECK_REQUESTS_PER_SECOND": ("0", "1e-300", "1e-9", "0.0099", *_NO_NUMBERS),
    "GEM_JOB_DEADLINE_HOURS": ("0", "1e30", *_NO_NUMBERS),
    "GEM_DISCOVER": ("a,,b", ","),
    "GEM_DISCOVER_MAX_AGE_HOURS": ("0", *_NO_NUMBERS),
    "GEM_DISCOVER_EVERY_MINUTES": ("0", *_NO_NUMBERS),
    "GEM_OUTPUT_GRACE_MINUTES": ("1e300", *_NO_NUMBERS),
    "GEM_CHECK_BATCH_SIZE": ("-1", "201", "1.5", "off"),
    "GEM_KEEP_DAYS": ("-1", "36501", "0.5", "never"),
    "GEM_CHECK_CONCURRENCY": ("0", "257", "1.5", "\u0661", "1" * 5000),
    "GEM_INPUT_AUDIT": ("yes",),
    "GEM_RESULTS_QUEUE_ENCODING": ("base32",),
    "GEM_INPUT_COMPARE": ("rows",),
    "GEM_IDS_MEMORY_MIB": ("0", "65537", "1.5"),
    "GEM_IDS_DISK_MIB": ("0", "1048577", "1.5"),
    "GEM_TRIGGER_SOURCE": ("Grid",),
    "GEM_CHECK_SCHEDULE": (
        *("", "00:01:00", "* * * *", "0 0 0 30 2 *", "0 61 * * * *", "0 */0 * * * *"),
        *("0\t* * * * *", "0 * * * * *\n", "\t0 * * * * *"),
        *("0 0 0 * * 7", "0 0 0 * * 1-7", "0 0 0 * * MON,7", "0 0 0 * * 07", "0 0 0 * * 7/2"),
        *("0 0 0 L * *", "0 0 0 LW * *", "0 0 0 * * 5L", "0 0 0 * * 1#2", "0 0 0 * * MON#2"),
    ),
    "GEM_RESULTS_QUEUE": ("ab", "x" * 64, "gem--results", "-gem", "gem_results", "Gem", "g\xeam"),
    "GEM_API_BASE_URL": (
        "http://gem.example",
        "gem.example",
        "ftp://127.0.0.1",
        "https://",
        "https://[::1",
        "https://h:port/x",
        "https://h:70000",
        "https://h:0/x",
        "https://h/a b",
        "https://h\n.example/x",
    ),
    "GEM_OUTPUT_CONTAINER": ("ab", "Default", "a--b", "{storageid}", "c_{storageId}", "x" * 64),
    "GEM_STATE__credential": ("secret",),
    "GEM_API_KEY": ("two\nlines", "ke\u2026y"),
    "GEM_BEARER_TOKEN": ("two\nlines",),
    "GEM_STATE": ("garbage",),
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param(name, value, id=f"{name}-{number}-{ascii(value)[:20]}")
        for name, values in _WRONG.items()
        for number, value in enumerate(values)
    ],
)
def test_a_wrong_value_is_named_and_kept_short(name: str, value: str) -> None:
    (line,) = problems(**{name: value})
    assert line.startswith(name)
    assert len(line) < 250


@pytest.mark.parametrize(
    "schedule",
    [
        "*/15 * * * * *",
        "0 0 8-18/2 * * MON-FRI",
        "0 0 0 1,15 JUL,dec *",
        "0 */7 7 7 7 0-6",
        "0 0 0 * * */7",
        "0 0 9 13 * Friday",
        "*/5 * * * *",
    ],
)
def test_a_schedule_that_the_host_takes(schedule: str) -> None:
    assert read(GEM_CHECK_SCHEDULE=f" {schedule} ").check_schedule.text == schedule


def test_the_least_rate() -> None:
    assert read(GEM_CHECK_REQUESTS_PER_SECOND="0.01").check_requests_per_second == 0.01


@pytest.mark.parametrize("empty", [{}, {"GEM_CHECK_SCHEDULE": ""}, {"GEM_CHECK_SCHEDULE": " "}])
def test_the_app_needs_a_schedule_because_the_trigger_has_no_default(empty: dict[str, str]) -> None:
    given = {name: value for name, value in LEAST.items() if name != "GEM_CHECK_SCHEDULE"} | empty
    with pytest.raises(SettingsError) as caught:
        read_settings(given)
    (line,) = caught.value.problems
    assert line.startswith("GEM_CHECK_SCHEDULE is missing or empty")
    assert read_state_settings(given).check_schedule.text == MINUTELY  # enough for a command


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
def test_an_ambiguous_or_incomplete_identity(name: str, parts: dict[str, str], names: str) -> None:
    (line,) = problems(**{f"{name}__{part}": text for part, text in parts.items()})
    assert line.startswith(f"{name}__")
    assert names in line
    assert "__credential" in line


def test_the_least_wait_is_not_above_the_most() -> None:
    assert problems(GEM_CHECK_MIN_SECONDS="700") == (
        "GEM_CHECK_MIN_SECONDS is more than GEM_CHECK_MAX_SECONDS",
    )
    assert read(GEM_CHECK_MIN_SECONDS="600").check_min == timedelta(minutes=10)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://gem.example/a/", "https://gem.example/a"),
        ("http://127.0.0.1:7072/gem", "http://127.0.0.1:7072/gem"),
        ("http://localhost/gem//", "http://localhost/gem"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_address_is_https_or_of_this_machine(url: str, kept: str) -> None:
    assert read(GEM_API_BASE_URL=url).gem_base_url == kept


@pytest.mark.parametrize(
    "url",
    [
        "https://user:s3cret@gem.example/x",
        "https://s3cret@gem.example/x",
        "https://:s3cret@gem.example",
        "https://gem.example/x?key=s3cret",
        "https://gem.example/x#s3cret",
        "https://gem.example:s3cret/x",
    ],
)
@pytest.mark.parametrize(
    "name", ["GEM_API_BASE_URL", "GEM_STATE__queueServiceUri", "GEM_OUTPUT__blobServiceUri"]
)
def test_an_address_must_have_no_secret_and_none_is_shown(name: str, url: str) -> None:
    (line,) = problems(**{name: url})
    assert line.startswith(f"{name} ")
    assert "s3cret" not in line
    settings, _ = read_settings_and_problems(LEAST | {name: url})
    assert "s3cret" not in repr(settings)


def test_a_wrong_address_is_not_missing_too() -> None:
    state = {"GEM_STATE": "", "GEM_STATE__queueServiceUri": "https://a.example"}
    (line,) = problems(**state, GEM_STATE__blobServiceUri="https://a.example/?sig=s3cret")
    assert line.startswith("GEM_STATE__blobServiceUri has a query")


def test_words_are_taken_in_any_case() -> None:
    chosen = read(
        GEM_INPUT_AUDIT="FALSE",
        GEM_RESULTS_QUEUE_ENCODING="None",
        GEM_TRIGGER_SOURCE="logsandcontainerscan",
        GEM_STATE__credential="ManagedIdentity",
    )
    assert chosen.input_audit is False
    assert chosen.results_queue_encoding is QueueEncoding.NONE
    assert chosen.trigger_source is TriggerSource.CONTAINER_SCAN
    assert chosen.state.managed_identity


@pytest.mark.parametrize("name", ["default", "{storageId}", "c-{storageId}", "$web", "$root"])
def test_the_output_container(name: str) -> None:
    assert read(GEM_OUTPUT_CONTAINER=name).output_container == name


def test_the_bounds_and_the_folder_of_ids() -> None:
    bounds = {"GEM_IDS_MEMORY_MIB": "256", "GEM_IDS_DISK_MIB": "2048"}
    chosen = read(**bounds, GEM_IDS_FOLDER="/mnt/ids", GEM_INPUT_COMPARE="Columns")
    assert (chosen.ids_memory_bytes, chosen.ids_disk_bytes) == (256 << 20, 2 << 30)
    assert chosen.ids_folder == Path("/mnt/ids")
    assert chosen.input_compare is InputCompare.COLUMNS


def test_the_grace_time_may_be_none_at_all() -> None:
    assert read(GEM_OUTPUT_GRACE_MINUTES="0").output_grace == timedelta(0)


def test_gems_own_principal_and_token() -> None:
    chosen = read(
        GEM_TENANT_ID=TENANT, GEM_CLIENT_ID=CLIENT, GEM_CLIENT_SECRET="s", GEM_BEARER_TOKEN="b"
    )
    assert chosen.gem_principal == ServicePrincipal(TENANT, CLIENT, Secret("s"))
    assert chosen.gem_bearer_token == Secret("b")


def test_storage_by_identity() -> None:
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
def test_a_connection_string_that_nobody_can_connect_by(text: str, word: str) -> None:
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
def test_a_connection_string_connects(text: str) -> None:
    """By the rule, and by the SDK's own reading of it."""
    state = read(GEM_STATE=text).state
    for service in (blob_service(state, ""), queue_service(state)):
        assert service.credential or "sig=a%3D" in service.url


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("name", ["GEM_STATE", "GEM_OUTPUT", "GEM_API_KEY", "GEM_RESULTS_QUEUE"])
def test_quotation_marks_are_one_clear_problem(name: str, quote: str) -> None:
    """A file of settings for Docker keeps them. The host would take them as part of the value."""
    value = "gem-results" if name == "GEM_RESULTS_QUEUE" else STORAGE
    lines = problems(**{name: f"{quote}{value}{quote}"})
    assert lines == (f"{name} is in quotation marks, which are not part of it: remove them",)


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
def test_a_tenant_that_no_credential_takes(tenant: str) -> None:
    assert problems(GEM_TENANT_ID=tenant, GEM_CLIENT_ID=CLIENT, GEM_CLIENT_SECRET="s") == (
        "GEM_TENANT_ID is not the id or domain of a tenant",
    )
    with pytest.raises(ValueError, match="tenant"):
        sign_in(ServicePrincipal(tenant, "c", Secret("s")), on_platform=False)


@pytest.mark.parametrize(
    "tenant", ["contoso.onmicrosoft.com", "5e0b1d3c-7c4f-4f0e-9d61-2a8b3c4d5e6f"]
)
def test_a_tenant_by_domain_or_id(tenant: str) -> None:
    principal = read(
        GEM_TENANT_ID=tenant, GEM_CLIENT_ID=CLIENT, GEM_CLIENT_SECRET="s"
    ).gem_principal
    assert isinstance(
        credential_behind(sign_in(principal, on_platform=False)), ClientSecretCredential
    )


@pytest.mark.parametrize("show", [str, repr, "{}".format])
def test_no_secret_shows_itself(show: Callable[[object], str]) -> None:
    chosen = read(GEM_BEARER_TOKEN="bearer-secret", GEM_CLIENT_SECRET="x-secret",
                  GEM_TENANT_ID=TENANT, GEM_CLIENT_ID=CLIENT)  # fmt: skip
    shown = show(chosen) + show(chosen.gem_api_key)
    for secret in ("top-secret-key", "c2VjcmV0LWtleQ", "bearer-secret", "x-secret"):
        assert secret not in shown
    assert chosen.gem_api_key.reveal() == "top-secret-key"
    assert str(chosen.gem_api_key) == "***"


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "GEM_CHECK_MIN_SECONDS",
                "GEM_CHECK_SCHEDULE",
                "GEM_CHECK_CONCURRENCY",
                "GEM_API_BASE_URL",
                "GEM_RESULTS_QUEUE",
                "GEM_INPUT_AUDIT",
                "GEM_STATE__blobServiceUri",
                "GEM_OUTPUT__credential",
                "GEM_TENANT_ID",
            ]
        ),
        st.text(max_size=12) | st.sampled_from(["0 0 * * * *", "5", "https://a.example"]),
    )
)
def test_any_text_is_a_setting_or_a_named_problem(changes: dict[str, str]) -> None:
    with suppress(SettingsError):
        read(**changes)


@pytest.mark.parametrize(
    "text",
    [
        "https://reports.example/api/jobs/{jobRunId}/report.html",
        "https://reports.example/{jobRunId}/{id}/",
        "http://localhost:7071/api/jobs/{jobRunId}/report.html",
    ],
)
def test_the_address_of_pages_is_kept_with_its_placeholders(text: str) -> None:
    assert read(GEM_REPORT_PAGE_URL=text).report_page_url == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("https://reports.example/{jobRunId}?code=s3cret", "has a query"),
        ("https://me:s3cret@reports.example/{jobRunId}", "has a user or password"),
        ("http://reports.example/{jobRunId}", "is not an https address"),
        ("https://{jobRunId}.example/", "needs {jobRunId} in its path"),
        ("https://reports.example/{storageId}/{jobRunId}", "the only other placeholder"),
        ("https://reports.example/", "needs {jobRunId} in its path"),
    ],
)
def test_an_address_of_pages_that_could_hold_a_key_is_refused(text: str, why: str) -> None:
    (problem,) = problems(GEM_REPORT_PAGE_URL=text)
    assert problem.startswith("GEM_REPORT_PAGE_URL ")
    assert why in problem
    assert "s3cret" not in problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("https://a.blob.core.windows.net/", StoreAddress("https://a.blob.core.windows.net")),
        (
            "https://a.blob.core.windows.net/?sv=1&sig=s",
            StoreAddress("https://a.blob.core.windows.net", Secret("sv=1&sig=s")),
        ),
        ("http://127.0.0.1:10000/dev", StoreAddress("http://127.0.0.1:10000/dev")),
    ],
)
def test_where_overture_lies(text: str, expected: StoreAddress | None) -> None:
    assert read(GEM_OVERTURE=text).overture == expected


@pytest.mark.parametrize(
    "text",
    ["a.blob.core.windows.net", "http://a.net", "https://a.net?x=1", "https://u@a.net?sig=s"],
)
def test_what_is_no_place_for_overture(text: str) -> None:
    (problem,) = problems(GEM_OVERTURE=text)
    assert problem.startswith("GEM_OVERTURE ")
    assert text not in problem


COPY = "https://copy.blob.core.windows.net"
MANAGED = {"GEM_OVERTURE__credential": "managedidentity"}
CLIENT = "11111111-2222-3333-4444-555555555555"


def test_a_copy_of_overture_is_opened_with_an_identity_where_a_setting_says_so() -> None:
    assert read(GEM_OVERTURE=COPY).overture == StoreAddress(COPY)
    chosen = read(GEM_OVERTURE=COPY, GEM_OVERTURE__clientId=CLIENT, **MANAGED).overture
    assert chosen == StoreAddress(COPY, managed_identity=True, client_id=CLIENT)
    assert chosen.way == f"with the managed identity {CLIENT}"


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({**MANAGED}, "GEM_OVERTURE__credential is set, but GEM_OVERTURE is not"),
        ({"GEM_OVERTURE": f"{COPY}?sig=s", **MANAGED}, "GEM_OVERTURE has a signature"),
        (
            {"GEM_OVERTURE": "https://OvertureMapsWestUS2.blob.core.windows.net", **MANAGED},
            "GEM_OVERTURE is Overture's own account",
        ),
        (
            {"GEM_OVERTURE": COPY, "GEM_OVERTURE__credential": "key"},
            "GEM_OVERTURE__credential must be managedidentity or absent",
        ),
        (
            {"GEM_OVERTURE": COPY, "GEM_OVERTURE__clientId": CLIENT},
            "GEM_OVERTURE__clientId needs GEM_OVERTURE__credential",
        ),
    ],
)
def test_a_credential_for_overture_that_contradicts(values: dict[str, str], why: str) -> None:
    (problem,) = problems(**values)
    assert problem.startswith(why)
