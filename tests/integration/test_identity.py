"""The real credential classes of azure-identity against storage over HTTPS with OAuth.

A loopback server stands for the identity endpoint of App Service; all else is what runs in Azure.
"""

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from devkit.azurite import Azurite
from devkit.simulator import LIVES, GemSimulator
from devkit.simulator.overture import SimulatedOverture
from devkit.stage import OUTPUT_CONTAINER, QUEUE, ROOT, app_settings
from gem_core.storage.names import BATCHES, CONTAINERS
from tests.gem.server import Asked, Reply, ScriptedServer

pytestmark = pytest.mark.azurite

CLIENT_ID = "11111111-2222-3333-4444-555555555555"
DELIVER = """
from gem_core.wiring.delivery import deliverer
from gem_core.wiring.managers import manager
from gem_core.wiring.tick import checker
from gem_core.deliver.manifest import outcome_of
from gem_core.doctor.diagnostics import run_diagnostics
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.manage_jobs import register_job
from gem_core.wiring.doctor import installation

register_job(manager(), "job-1", None)
check_jobs(checker())
print(outcome_of(deliver_results(deliverer(), "job-1")))
found = run_diagnostics(installation("here"))
print([f"{each.name}: {finding.detail}" for each, finding in found if finding.status == "fail"])
"""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert_file, key_file


class IdentityEndpoint(ScriptedServer):
    """Stands for App Service's: issues unsigned tokens of the form that Azurite checks."""

    def reply(self, asked: Asked) -> Reply:
        expires = int(time.time()) + 3600
        token = {
            "access_token": _token({"aud": "https://storage.azure.com", "exp": expires}),
            "expires_on": str(expires),
            "resource": "https://storage.azure.com",
            "token_type": "Bearer",
            "client_id": CLIENT_ID,
        }
        known = asked.headers.get("x-identity-header") == "header-secret"
        headers = {"Content-Type": "application/json"}
        return Reply(200 if known else 401, json.dumps(token).encode(), headers)


def _token(claims: dict[str, object]) -> str:
    now = int(time.time())
    claims = {
        "iss": "https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/",
        "iat": now - 60,
        "nbf": now - 60,
    } | claims
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    coded = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    return ".".join(part.decode() for part in coded) + ".x"


@pytest.mark.parametrize("credential", ["managedidentity", ""], ids=["managed", "default-chain"])
def test_a_job_is_delivered_without_any_key(
    certificate: tuple[Path, Path], credential: str
) -> None:
    """Records, ticket, output, report, manifest and queue, all by a managed identity's token; and
    the doctor finds nothing. So is a copy of Overture read where a setting says so: only then the
    wrong ids of the output are found.
    """
    outcome = "valid_with_warnings" if credential else "valid"
    trust = str(certificate[0])
    with (
        IdentityEndpoint() as endpoint,
        Azurite(oauth_cert=certificate) as azurite,
        key_clients(azurite, trust) as (blobs, queue),
    ):
        copy = SimulatedOverture(blobs, is_private=True)
        files = blobs.get_container_client(OUTPUT_CONTAINER)
        with GemSimulator(files, on_matches=copy.add) as simulator:
            simulator.add_job("job-1", replace(LIVES["wrong_ids"], queued_for=0, running_for=0))
            done = subprocess.run(
                [sys.executable, "-c", DELIVER],
                cwd=ROOT,
                env=environment(azurite, simulator, endpoint, trust)
                | credentials(azurite, credential),
                capture_output=True,
                text=True,
                check=False,
            )
        assert (done.stdout, done.returncode) == (f"{outcome}\n[]\n", 0), done.stderr
        assert len(queue.peek_messages(5)) == 1
        assert listened(azurite, endpoint, trust) == [outcome, "job-1"]
        assert queue.peek_messages(5) == []
    assert endpoint.asked
    assert all(CLIENT_ID in asked.path for asked in endpoint.asked)


def listened(azurite: Azurite, endpoint: IdentityEndpoint, trust: str) -> list[str]:
    """Outcome and job that the example listener prints, which has an identity and no key either."""
    listener = ROOT / "examples" / "listeners" / "python" / "listen.py"
    done = subprocess.run(
        [sys.executable, listener, "--queue-service", azurite.queue_uri, "--queue", QUEUE,
         "--once", "--handled", ":memory:"],
        env={
            "PATH": os.environ["PATH"],
            "IDENTITY_ENDPOINT": f"{endpoint.url}/msi/token",
            "IDENTITY_HEADER": "header-secret",
            "AZURE_CLIENT_ID": CLIENT_ID,
            "REQUESTS_CA_BUNDLE": trust,
        },
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[:2]


@contextmanager
def key_clients(azurite: Azurite, trust: str) -> Iterator[tuple[BlobServiceClient, QueueClient]]:
    """What the infrastructure makes, made with the emulator's key."""
    storage = azurite.connection_string
    with (
        BlobServiceClient.from_connection_string(storage, connection_verify=trust) as blobs,
        QueueClient.from_connection_string(storage, QUEUE, connection_verify=trust) as queue,
        QueueClient.from_connection_string(storage, BATCHES, connection_verify=trust) as batches,
    ):
        for name in (*CONTAINERS, OUTPUT_CONTAINER):
            blobs.create_container(name)
        queue.create_queue()
        batches.create_queue()
        yield blobs, queue


def environment(
    azurite: Azurite, simulator: GemSimulator, endpoint: IdentityEndpoint, trust: str
) -> dict[str, str]:
    """The app's settings with addresses in place of keys, and App Service's own variables."""
    return app_settings(azurite, simulator) | {
        "PATH": os.environ["PATH"],
        "GEM_STATE": "",
        "GEM_STATE__blobServiceUri": azurite.blob_uri,
        "GEM_STATE__queueServiceUri": azurite.queue_uri,
        "GEM_OUTPUT": "",
        "GEM_OUTPUT__blobServiceUri": azurite.blob_uri,
        "IDENTITY_ENDPOINT": f"{endpoint.url}/msi/token",
        "IDENTITY_HEADER": "header-secret",
        "REQUESTS_CA_BUNDLE": trust,
    }


def credentials(azurite: Azurite, credential: str) -> dict[str, str]:
    """A named managed identity, or nothing but what the default chain finds by itself."""
    if not credential:
        return {"AZURE_CLIENT_ID": CLIENT_ID}
    return {"GEM_OVERTURE": azurite.blob_uri} | {
        f"{connection}__{name}": value
        for connection in ("GEM_STATE", "GEM_OUTPUT", "GEM_OVERTURE")
        for name, value in (("credential", credential), ("clientId", CLIENT_ID))
    }
