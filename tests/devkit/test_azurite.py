"""The emulator comes up, keeps its promises about its end, and speaks HTTPS with tokens."""

import base64
import ipaddress
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from devkit.azurite import Azurite
from devkit.processes import ChildError, free_ports

pytestmark = pytest.mark.azurite


def test_blobs_and_queues_work_with_the_connection_string(azurite: Azurite) -> None:
    with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:
        container = blobs.create_container("azurite-test")
        container.upload_blob("a b/ü.txt", b"bytes")
        assert container.download_blob("a b/ü.txt").readall() == b"bytes"
        assert container.url.startswith(azurite.blob_uri)
    with QueueClient.from_connection_string(azurite.connection_string, "azurite-test") as queue:
        queue.create_queue()
        queue.send_message("hello")
        assert queue.receive_message() is not None


def test_a_stop_and_a_start_keep_ports_and_data(tmp_path: Path) -> None:
    with Azurite(tmp_path / "data") as azurite:
        uri, pid = azurite.blob_uri, azurite.pid
        with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:
            blobs.create_container("kept").upload_blob("name", b"bytes")
            azurite.stop()
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
            azurite.start()
            assert azurite.blob_uri == uri
            assert blobs.get_blob_client("kept", "name").download_blob().readall() == b"bytes"


def test_a_start_that_fails_shows_its_own_words(tmp_path: Path) -> None:
    not_a_folder = tmp_path / "file"
    not_a_folder.write_text("")
    with pytest.raises(ChildError, match=r"Azurite ended with code 1:\n.*(ENOTDIR|EEXIST)"):
        Azurite(not_a_folder).start()


def test_taken_ports_are_replaced_by_others(
    azurite: Azurite, monkeypatch: pytest.MonkeyPatch
) -> None:
    choices = [azurite._ports, free_ports(3)]
    monkeypatch.setattr("devkit.azurite.free_ports", lambda _count: choices.pop(0))
    with Azurite() as second:
        assert second.blob_uri != azurite.blob_uri
        second.stop()
        second._ports = azurite._ports
        with pytest.raises(ChildError, match="EADDRINUSE"):
            second.start()


def test_it_dies_with_a_killed_parent() -> None:
    program = "from devkit.azurite import Azurite\nwith Azurite() as a: print(a.pid); input()"
    with subprocess.Popen(
        [sys.executable, "-uc", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        parent.kill()
    _wait_until_gone(pid)


def test_an_exception_stops_it() -> None:
    pid = 0
    with pytest.raises(KeyboardInterrupt), Azurite() as azurite:  # noqa: PT012 - the block is it
        pid = azurite.pid
        raise KeyboardInterrupt
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_ctrl_c_in_the_terminal_does_not_reach_it(azurite: Azurite) -> None:
    assert os.getpgid(azurite.pid) == azurite.pid != os.getpgid(0)


class _Token:
    """A token as Entra would give it, but unsigned: the emulator checks issuer, audience, time."""

    def __init__(self, audience: str) -> None:
        self._audience = audience

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        now = int(time.time())
        claims = {
            "iss": "https://sts.windows.net/00000000-0000-0000-0000-000000000000/",
            "aud": self._audience,
            "iat": now,
            "nbf": now - 60,
            "exp": now + 3600,
        }
        parts = [{"alg": "none", "typ": "JWT"}, claims]
        encoded = [
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
            for part in parts
        ]
        return AccessToken(".".join([*encoded, "x"]), now + 3600)


def test_https_takes_a_bearer_token_and_refuses_a_wrong_audience(tmp_path: Path) -> None:
    cert, key = _certificate(tmp_path)
    with Azurite(oauth_cert=(cert, key)) as azurite:
        verify = str(cert)
        good = _Token("https://storage.azure.com")
        with BlobServiceClient(
            azurite.blob_uri, credential=good, connection_verify=verify
        ) as blobs:
            blobs.create_container("with-a-token")
        bad = _Token("https://example.com")
        with (
            BlobServiceClient(azurite.blob_uri, credential=bad, connection_verify=verify) as blobs,
            pytest.raises((ClientAuthenticationError, HttpResponseError)),
        ):
            blobs.create_container("refused")


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = folder / "cert.pem", folder / "key.pem"
    cert_path.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert_path, key_path


def _wait_until_gone(pid: int) -> None:
    """Fails when the process is still there after a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.kill(pid, signal.SIG_DFL)
        except ProcessLookupError:
            return
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return  # it ended; whoever adopted it has not collected it yet
        time.sleep(0.02)
    pytest.fail(f"process {pid} is still running")
