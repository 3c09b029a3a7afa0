"""A secret is found wherever somebody set it, and a value in the wrong setting is never shown."""

import pytest

from gem_core.settings.app_settings import read_settings_and_problems
from gem_core.settings.secrets import secrets_of
from tests.published import SAMPLE

SECRET = "Qx8~aB3dEfGh1jKlMnOpQr"
GUID = "5e0b1d3c-7c4f-4f0e-9d61-2a8b3c4d5e6f"
ANY_TEXT = {
    "GEM_API_KEY",
    "GEM_API_VERSION",
    "GEM_BEARER_TOKEN",
    "GEM_CLIENT_SECRET",
    "GEM_DISCOVER",
    "GEM_IDS_FOLDER",
}
"""Settings whose own form is any text. None of them is shown."""
NAMES = sorted(
    {name for name in SAMPLE if name.startswith("GEM_")}
    | {
        f"GEM_{store}__{part}"
        for store in ("STATE", "OUTPUT")
        for part in ("blobServiceUri", "credential", "tenantId", "clientId")
    }
)


@pytest.mark.parametrize("name", NAMES)
def test_a_secret_in_the_wrong_setting_is_a_problem_that_does_not_show_it(name: str) -> None:
    own = {"GEM_TENANT_ID": GUID, "GEM_CLIENT_ID": GUID, "GEM_CLIENT_SECRET": SECRET}
    managed = {f"{name.partition('__')[0]}__credential": "managedidentity"}
    extra = managed if name.endswith("clientId") else {}
    settings, problems = read_settings_and_problems(SAMPLE | own | extra | {name: SECRET})
    assert name in ANY_TEXT or any(each.startswith(f"{name} ") or name in each for each in problems)
    assert SECRET[:8] not in "".join(problems)
    assert SECRET[:8] not in repr((settings.state.blob_service_uri, settings.gem_token_scope))


def test_an_id_and_its_secret_that_are_swapped() -> None:
    swapped = {"GEM_TENANT_ID": GUID, "GEM_CLIENT_ID": SECRET, "GEM_CLIENT_SECRET": GUID}
    _, problems = read_settings_and_problems(SAMPLE | swapped)
    assert problems == (
        "GEM_CLIENT_ID is not a client id, which is a GUID (is it swapped with GEM_CLIENT_SECRET?)",
    )
    assert SECRET in secrets_of(swapped)


@pytest.mark.parametrize(
    ("name", "text", "secrets"),
    [
        ("GEM_API_KEY", f" {SECRET} ", [SECRET]),
        ("GEM_BEARER_TOKEN", SECRET, [SECRET]),
        ("GEM_OUTPUT__clientSecret", SECRET, [SECRET]),
        ("AZURE_CLIENT_SECRET", SECRET, [SECRET]),
        ("IDENTITY_HEADER", SECRET, [SECRET]),
        ("GEM_CLIENT_ID", GUID, []),
        ("GEM_STATE", "AccountName=a;AccountKey=a+/b==;X=y", ["a+/b=="]),
        ("AzureWebJobsStorage", "BlobEndpoint=https://b;SharedAccessSignature=?sv=1&sig=a%2Bb%3D&x=1",
         ["a+b="]),
        ("GEM_API_BASE_URL", "https://h/?sig=abc", ["abc"]),
        ("GEM_API_KEY", "@Microsoft.KeyVault(SecretUri=https://v/secrets/a)", []),
        ("PATH", "/usr/bin", []),
    ],
)  # fmt: skip
def test_secrets_are_found_by_name_and_by_form(name: str, text: str, secrets: list[str]) -> None:
    assert list(secrets_of({name: text})) == secrets
