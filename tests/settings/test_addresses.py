"""Addresses of GEM, of pages and of Overture's copy: https, and without a secret."""

import pytest

from gem_core.secret import Secret
from gem_core.settings.app_settings import read_settings_and_problems
from gem_core.settings.store_address import StoreAddress
from tests.settings.least import CLIENT, LEAST, problems, read


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
def test_overture_is_an_address_with_or_without_a_signature(
    text: str, expected: StoreAddress | None
) -> None:
    assert read(GEM_OVERTURE=text).overture == expected


@pytest.mark.parametrize(
    "text",
    ["a.blob.core.windows.net", "http://a.net", "https://a.net?x=1", "https://u@a.net?sig=s"],
)
def test_what_is_no_place_for_overture_is_refused(text: str) -> None:
    (problem,) = problems(GEM_OVERTURE=text)
    assert problem.startswith("GEM_OVERTURE ")
    assert text not in problem


COPY = "https://copy.blob.core.windows.net"
MANAGED = {"GEM_OVERTURE__credential": "managedidentity"}


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
def test_a_credential_for_overture_that_contradicts_is_refused(
    values: dict[str, str], why: str
) -> None:
    (problem,) = problems(**values)
    assert problem.startswith(why)
