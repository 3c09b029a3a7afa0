"""The state account refuses, is away, comes back: the app lives, and its routes name the cause.

`STATE_AWAY_HOST` plays it also behind a program with the host's own extensions. With batches the
host ends, since the queue of `check_batch` refuses (decision 106).
"""

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from devkit.azurite import Azurite
from devkit.processes import free_ports
from devkit.stage import make_stores, sample_settings
from gem_core.storage.names import TICKETS
from tests.devkit.beside.hosts import ExtensionsHost, Host, extensions_host, runner_host
from tests.integration.courier import wait_for
from tests.integration.event_bus import post_event

pytestmark = pytest.mark.azurite

BATCHES = {"GEM_CHECK_BATCH_SIZE": "10"}
OFF = {"AzureWebJobs.check_batch.Disabled": "true"}
OF_STATE = {"records", "worklist", "tickets", "reports", "outbox", "results"}
"""The diagnostics of the doctor that need the state account."""
PROGRAM = os.environ.get("STATE_AWAY_HOST", "")
LOOKS_FOR_SECONDS = 60.0
"""The extensions end the host 45 seconds after the start when a queue does not answer."""

type Start = Callable[[dict[str, str]], AbstractContextManager[Host]]


def settings(azurite: Azurite, state: str, **changes: str) -> dict[str, str]:
    """The host's storage is on the emulator, and `state` is the state account."""
    return (
        sample_settings()
        | {
            "AzureWebJobsStorage": azurite.connection_string,
            "AzureFunctionsWebHost__hostid": f"away-{free_ports(1)[0]}",
            "GEM_STATE": state,
            "GEM_OUTPUT": azurite.connection_string,
            "GEM_API_KEY": "key",
            "GEM_API_BASE_URL": f"http://127.0.0.1:{free_ports(1)[0]}",
            "GEM_BEARER_TOKEN": "token",
            "GEM_CHECK_SCHEDULE": "* * * * * *",
        }
        | changes
    )


BOTH = pytest.mark.parametrize(
    "start",
    [
        pytest.param(runner_host, id="runner"),
        pytest.param(
            partial(extensions_host, PROGRAM),
            id="extensions",
            marks=pytest.mark.skipif(not PROGRAM, reason="STATE_AWAY_HOST names no program"),
        ),
    ],
)


def wrong_key(azurite: Azurite) -> str:
    return azurite.connection_string.replace("AccountKey=", "AccountKey=AAAA")


def failures(host: Host) -> dict[str, str]:
    """What the doctor finds wrong: detail and remedy by diagnostic."""
    answer = host.call("POST", "doctor")
    assert answer.status_code == 503
    checks: list[dict[str, Any]] = answer.json()["checks"]
    return {
        check["name"]: f"{check['detail']} -> {check['remedy']}"
        for check in checks
        if check["status"] == "fail"
    }


def is_named(host: Host, word: str) -> None:
    """Health, status and doctor say that the state account is the cause, and why."""
    health = host.call("GET", "health")
    assert (health.status_code, health.json()) == (503, {"status": "unhealthy"})
    status = host.call("GET", "status")
    assert status.status_code == 503
    assert status.json()["title"] == "The app's storage cannot be used"
    found = failures(host)
    assert found.keys() >= OF_STATE
    for name in OF_STATE:
        assert word in found[name]


def lives_on(host: Host) -> None:
    """The host does not end, though the extensions would take a while to."""
    ends_at = time.monotonic() + LOOKS_FOR_SECONDS * isinstance(host, ExtensionsHost)
    while host.is_up and time.monotonic() < ends_at:
        time.sleep(1)
    assert host.is_up


@BOTH
def test_a_state_account_that_refuses_is_named_and_the_app_lives(
    azurite: Azurite, start: Start
) -> None:
    with start(settings(azurite, wrong_key(azurite))) as host:
        is_named(host, "refused")
        wait_for(  # a probe that has no time says that storage did not answer
            lambda: "refused" in host.call("GET", "status").json()["detail"] or None,
            what="the reason in the status",
        )
        lives_on(host)


def test_with_batches_the_host_ends(azurite: Azurite) -> None:
    with runner_host(settings(azurite, wrong_key(azurite), **BATCHES)) as host:
        host.runner.wait()
        assert "The loop 'queue check_batch' failed; the host ends" in host.log()
        assert host.runner.stop() == 1


def test_with_batches_the_function_can_be_switched_off(azurite: Azurite) -> None:
    with runner_host(settings(azurite, wrong_key(azurite), **BATCHES, **OFF)) as host:
        assert failures(host).keys() >= OF_STATE | {"batches"}
        assert host.is_up


@pytest.mark.slow
@BOTH
def test_a_state_account_that_comes_back(azurite: Azurite, start: Start) -> None:
    """The routes say so, ticks end, and tickets start deliveries, without a new start."""
    with Azurite() as state:
        make_stores(state.connection_string)
        state.stop()
        with start(settings(azurite, state.connection_string)) as host:
            is_named(host, "no answer")
            lives_on(host)
            state.start()
            make_stores(state.connection_string)
            assert failures(host).keys() & OF_STATE == set()
            wait_for(partial(is_well, host), what="health")
            written(host, state)
            wait_for(partial(is_in_log, host, '"delivery_skipped"'), what="a delivery")
            assert host.is_up
            assert host.ends == 0


def is_well(host: Host) -> bool | None:
    """Whether health answers 200, and status that the timer works."""
    answers = [host.call("GET", route).status_code for route in ("health", "status")]
    return answers == [200, 200] or None


def is_in_log(host: Host, word: str) -> bool | None:
    return word in host.log() or None


def written(host: Host, state: Azurite) -> None:
    """A ticket about a job that nobody knows; the runner sees it by itself."""
    with BlobServiceClient.from_connection_string(state.connection_string) as blobs:
        blobs.get_blob_client(TICKETS, "job-unknown.json").upload_blob(b"{}")
    if isinstance(host, ExtensionsHost):
        assert post_event(host, state.blob_uri, "job-unknown.json") == 202
