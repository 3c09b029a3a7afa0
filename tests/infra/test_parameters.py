"""Parameters that would deploy an app that cannot work are refused before anything is made.

The real compiler evaluates them, as Azure does. It shows the first fault of Bicep's own rules, or
all messages of infra/rules.bicep and routes.bicep together.
"""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from tests.infra.bicep import BicepFile
from tests.infra.compiler import SNAPSHOTS, found, refusal
from tests.infra.contract import ROOT
from tests.infra.parameters import ACCOUNT, GROUP, NEEDED
from tests.infra.queries import duration, windows

VAULT = f"{GROUP}/Microsoft.KeyVault/vaults/kv-shared"
ADDRESS = "param outputBlobServiceUri = 'https://roads.blob.example.org'"
PRINCIPAL = "param outputTenantId = 'a'\nparam outputClientId = 'b'"


MISTAKEN = {
    "no output storage": ("", "set OUTPUT_STORAGE_ID for an account of your own, or"),
    "TomTom's storage without its principal": (
        ADDRESS,
        "OUTPUT_TENANT_ID and OUTPUT_CLIENT_ID for TomTom's",
    ),
    "an address beside the account that gives it": (
        f"{ACCOUNT}\n{ADDRESS}",
        "remove OUTPUT_BLOB_SERVICE_URI",
    ),
    "a principal for storage of your own": (
        f"{ACCOUNT}\n{PRINCIPAL}",
        "remove OUTPUT_TENANT_ID and OUTPUT_CLIENT_ID",
    ),
    "several accounts at one address": (
        f"param outputStorageIds = ['{GROUP}/Microsoft.Storage/storageAccounts/roads']\n{ADDRESS}",
        "OUTPUT_BLOB_SERVICE_URI must contain {storageId}",
    ),
    "an address with a signature": (
        f"param outputBlobServiceUri = 'https://roads.blob.example.org?sv=1'\n{PRINCIPAL}",
        "OUTPUT_BLOB_SERVICE_URI must begin with https:// and have no query",
    ),
    "a client without its tenant": (
        f"{ACCOUNT}\nparam gemClientId = 'b'",
        "GEM_TENANT_ID and GEM_CLIENT_ID belong together",
    ),
    "a tenant without a client": (
        f"{ACCOUNT}\nparam gemTenantId = 'a'",
        "GEM_TENANT_ID and GEM_CLIENT_ID belong together",
    ),
    "a vault's name instead of its id": (
        f"{ACCOUNT}\nparam vaultId = 'kv-shared'",
        'VAULT_ID contains "kv-shared", which is not a resource id',
    ),
    "a vault's id for a storage account": (
        f"param outputStorageId = '{VAULT}'",
        f'OUTPUT_STORAGE_ID contains "{VAULT}", which is not a resource id',
    ),
    "named secrets of a vault that is new": (
        f"{ACCOUNT}\nparam onlyNamedSecrets = true",
        "ONLY_NAMED_SECRETS needs VAULT_ID",
    ),
    "a name for a listener": (
        f"{ACCOUNT}\nparam listenerPrincipalIds = ['listener']",
        "LISTENER_PRINCIPAL_IDS must be object ids",
    ),
    "an address that is no range": (
        f"{ACCOUNT}\nparam allowedAddresses = ['203.0.113.7']",
        "ALLOWED_ADDRESSES must be ranges",
    ),
    "a network that is too small": (
        f"{ACCOUNT}\nparam networkAddressPrefix = '10.20.0.0/26'",
        "NETWORK_ADDRESS_PREFIX must be /25 or larger",
    ),
    "a schedule of five fields": (
        f"{ACCOUNT}\nparam checkSchedule = '*/5 * * * *'",
        "CHECK_SCHEDULE must have six fields",
    ),
    "an alert before an output can appear": (
        f"{ACCOUNT}\nparam extraSettings = {{ GEM_OUTPUT_GRACE_MINUTES: '90' }}",
        "WAITING_MINUTES must be more than GEM_OUTPUT_GRACE_MINUTES",
    ),
    "an alert that could never ring": (
        f"{ACCOUNT}\nparam waitingMinutes = 1440",
        "the maximum allowable value is 1380",
    ),
    "a number as a setting": (
        f"{ACCOUNT}\nparam extraSettings = {{ GEM_JOB_DEADLINE_HOURS: 72 }}",
        'expected a value of type "string" but the provided value is of type "72"',
    ),
}
"""Lines of a parameter file, and part of the message."""

needs_compiler = [
    pytest.mark.slow,
    pytest.mark.skipif(found() is None, reason="bicep is not on the PATH; GitHub's CI installs it"),
]


@pytest.mark.parametrize("mistake", [pytest.param(each, marks=needs_compiler) for each in MISTAKEN])
def test_a_mistaken_set_is_refused(mistake: str, tmp_path: Path) -> None:
    lines, message = MISTAKEN[mistake]
    said = refusal(ROOT / "infra" / "main.bicep", f"{NEEDED}\n{lines}", tmp_path)
    assert message in said


@pytest.mark.parametrize("case", [pytest.param("all", marks=needs_compiler)])
def test_all_mistakes_are_told_together(case: str, tmp_path: Path) -> None:
    lines = f"{NEEDED}\nparam gemClientId = '{case}'\nparam vaultId = 'kv-shared'"
    said = refusal(ROOT / "infra" / "main.bicep", lines, tmp_path)
    for name in ("OUTPUT_STORAGE_ID", "GEM_TENANT_ID", "VAULT_ID"):
        assert name in said


def test_every_parameter_is_in_a_snapshot() -> None:
    """So a parameter that is not passed on is seen."""
    main = set(BicepFile(ROOT / "infra" / "main.bicep").declared("parameter"))
    sets = "".join(file.read_text() for file in (ROOT / SNAPSHOTS).glob("*.bicepparam"))
    assert main - set(re.findall(r"^param (\w+)", sets, re.MULTILINE)) == set()


def test_the_longest_wait_leaves_an_hour_in_the_window() -> None:
    """The sweep repeats a ticket at least each hour, so the wait must be seen beside it."""
    main = (ROOT / "infra" / "main.bicep").read_text()
    [most] = re.findall(r"@maxValue\((\d+)\)\n@description.*\nparam waitingMinutes", main)
    assert timedelta(minutes=int(most) + 60) <= duration(windows(ROOT)["manifests-waiting"])
