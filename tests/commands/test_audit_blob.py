"""An audit of a blob: how it is opened, and that no signature is shown."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken
from azure.storage.blob import (
    AccountSasPermissions,
    BlobSasPermissions,
    BlobServiceClient,
    ContainerClient,
    ResourceTypes,
    generate_account_sas,
    generate_blob_sas,
)

from devkit.azurite import Azurite
from gem_core.audit.reading.address import parse_address
from gem_core.storage import clients
from gem_core.wiring.addresses import account_of
from tests.commands.audit_command import audit_command


@pytest.fixture
def blob(azurite: Azurite, files: Path) -> Iterator[ContainerClient]:
    """The right output in a container of the emulator."""
    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        container = service.get_container_client("command")
        if not container.exists():
            container.create_container()
        container.upload_blob(
            "a folder/roads_matched.parquet",
            (files / "roads_matched.parquet").read_bytes(),
            overwrite=True,
        )
        yield container


def test_a_blob_is_audited_with_the_credential_of_gem_output(
    azurite: Azurite,
    blob: ContainerClient,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    address = f"{blob.url}/a%20folder/roads_matched.parquet"
    monkeypatch.setenv("GEM_OUTPUT", azurite.connection_string)
    assert audit_command(address, "--input", address) == 0
    assert "valid" in capsys.readouterr().out
    assert audit_command(f"{blob.url}/absent.parquet") == 2
    assert "absent.parquet is not there" in capsys.readouterr().err
    assert audit_command(address.replace("devstoreaccount1", "other")) == 2
    assert "not in the storage of GEM_OUTPUT" in capsys.readouterr().err
    monkeypatch.delenv("GEM_OUTPUT")
    assert audit_command(address) == 2
    assert "GEM_OUTPUT is missing" in capsys.readouterr().err


def test_a_signature_in_the_connection_string_opens_the_blob_and_is_never_shown(
    azurite: Azurite,
    blob: ContainerClient,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    key = azurite.connection_string.partition("AccountKey=")[2].partition(";")[0]
    signature = generate_account_sas(
        "devstoreaccount1",
        account_key=key,
        resource_types=ResourceTypes(object=True),
        permission=AccountSasPermissions(read=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    output = f"BlobEndpoint={azurite.blob_uri};SharedAccessSignature={signature}"
    monkeypatch.setenv("GEM_OUTPUT", output)
    address = f"{blob.url}/a%20folder/roads_matched.parquet"
    assert audit_command(address) == 0
    assert audit_command(address.replace("devstoreaccount1", "other")) == 2
    out, err = capsys.readouterr()
    assert "not in the storage of GEM_OUTPUT" in err
    assert "sig" not in out + err


def test_a_signature_opens_the_blob_and_is_never_shown(
    azurite: Azurite, blob: ContainerClient, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not in text, JSON, page or error. A wrong signature is refused."""
    key = azurite.connection_string.partition("AccountKey=")[2].partition(";")[0]
    signature = generate_blob_sas(
        "devstoreaccount1",
        "command",
        "a folder/roads_matched.parquet",
        account_key=key,
        permission=BlobSasPermissions(read=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    secret = signature.partition("sig=")[2].partition("&")[0]
    address = f"{blob.url}/a%20folder/roads_matched.parquet"
    page = files / "page.html"
    assert audit_command(f"{address}?{signature}", "--html", page) == 0
    assert audit_command(f"{address}?{signature}", "--json") == 0
    wrong = signature.replace(secret, "d3Jvbmc%3D")
    assert audit_command(f"{address}?{wrong}") == 2
    out, err = capsys.readouterr()
    assert "refused" in err
    for text in (out, err, page.read_text("utf-8")):
        assert secret not in text
        assert "sig=" not in text
        assert "d3Jvbmc" not in text


def test_an_address_without_signature_is_opened_by_the_default_chain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Chain:
        def get_token(self, *_: str, **__: object) -> AccessToken:
            raise AssertionError("nothing is asked here")

    asked = []

    def sign_in(principal: object, *, on_platform: bool) -> Chain:
        asked.append((principal, on_platform))
        return Chain()

    monkeypatch.setattr(clients, "sign_in", sign_in)
    account = account_of(parse_address("https://a.blob.core.windows.net/c/n"))
    assert account.url == "https://a.blob.core.windows.net/"
    assert asked == [(None, False)]
