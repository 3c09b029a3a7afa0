"""Overture is asked without a credential, unless a setting says else."""

import subprocess
import sys

import pytest
from azure.core.credentials import AzureSasCredential
from azure.identity import ManagedIdentityCredential

from gem_core.audit.overture.release import NoRelease
from gem_core.secret import Secret
from gem_core.settings.store_address import StoreAddress
from gem_core.storage.clients import overture_service
from gem_core.wiring.overture import release_finder
from tests.gem.server import Reply, ScriptedServer
from tests.storage.build import credential_behind


def test_overture_is_asked_without_a_credential_unless_a_setting_says_else() -> None:
    url = "https://overturemapswestus2.blob.core.windows.net"
    assert overture_service(StoreAddress(url)).credential is None
    signed = overture_service(StoreAddress(url, Secret("sv=1&sig=s")))
    assert isinstance(signed.credential, AzureSasCredential)
    copy = overture_service(StoreAddress("https://copy.net", managed_identity=True))
    assert isinstance(credential_behind(copy.credential), ManagedIdentityCredential)


def test_no_header_of_a_request_to_overture_is_a_credential(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Even where an identity is at hand."""
    with ScriptedServer(Reply(403)) as server:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "header-secret")
        find = release_finder(StoreAddress(server.url))
        assert find
        assert isinstance(find("2026-01-21.0"), NoRelease)
    assert server.asked
    for asked in server.asked:
        assert asked.path.startswith("/changelog?")
        assert not {"authorization", "cookie", "x-identity-header"} & set(asked.headers)


def test_overture_costs_nothing_unless_it_is_set() -> None:
    program = (
        "import sys, gem_core.wiring.delivery, gem_core.flows.deliver_results\n"
        "names = ('listing', 'blob_storage', 'look_up', 'search')\n"
        "print([n for n in names if f'gem_core.audit.overture.{n}' in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
