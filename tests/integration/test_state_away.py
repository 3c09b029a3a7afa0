"""The state account refuses, is away, comes back: the app lives, and its routes name the cause.

With batches the host ends, since the queue of `check_batch` refuses (decision 106).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from devkit.azurite import Azurite
from devkit.processes import free_ports
from devkit.runner import Runner
from devkit.stage import ROOT, make_stores, sample_settings

pytestmark = pytest.mark.azurite

BATCHES = {"GEM_CHECK_BATCH_SIZE": "10"}
OF_STATE = {"records", "worklist", "tickets", "reports", "outbox", "results"}
"""The diagnostics of the doctor that need the state account."""


@contextmanager
def app(azurite: Azurite, state: str, **changes: str) -> Iterator[Runner]:
    """The app, with its host's storage on the emulator and `state` as its state account."""
    settings = sample_settings() | {
        "AzureWebJobsStorage": azurite.connection_string,
        "AzureFunctionsWebHost__hostid": f"away-{free_ports(1)[0]}",
        "GEM_STATE": state,
        "GEM_OUTPUT": azurite.connection_string,
        "GEM_API_KEY": "key",
        "GEM_API_BASE_URL": f"http://127.0.0.1:{free_ports(1)[0]}",
        "GEM_CHECK_SCHEDULE": "* * * * * *",
    }
    with Runner(ROOT, settings | changes) as runner:
        yield runner


def wrong_key(azurite: Azurite) -> str:
    return azurite.connection_string.replace("AccountKey=", "AccountKey=AAAA")


def ask(runner: Runner, method: str, route: str) -> requests.Response:
    headers = {"x-functions-key": runner.function_key}
    return requests.request(method, f"{runner.url}/api/{route}", headers=headers, timeout=120)


def failures(runner: Runner) -> dict[str, str]:
    """What the doctor finds wrong: detail and remedy by diagnostic."""
    answer = ask(runner, "POST", "doctor")
    assert answer.status_code == 503
    checks: list[dict[str, Any]] = answer.json()["checks"]
    return {
        check["name"]: f"{check['detail']} -> {check['remedy']}"
        for check in checks
        if check["status"] == "fail"
    }


def test_a_state_account_that_refuses_is_named_and_the_app_lives(azurite: Azurite) -> None:
    with app(azurite, wrong_key(azurite)) as runner:
        assert ask(runner, "GET", "health").status_code == 503
        status = ask(runner, "GET", "status")
        assert status.status_code == 503
        assert status.json()["title"] == "The app's storage cannot be used"
        assert "refused" in status.json()["detail"]
        found = failures(runner)
        assert found.keys() >= OF_STATE
        assert all("refused" in found[name] for name in OF_STATE)
        assert runner.running


def test_with_batches_the_host_ends(azurite: Azurite) -> None:
    with app(azurite, wrong_key(azurite), **BATCHES) as runner:
        runner.wait()
        assert "The loop 'queue check_batch' failed; the host ends" in runner.log
        assert runner.stop() == 1


def test_with_batches_the_function_can_be_switched_off(azurite: Azurite) -> None:
    off = {"AzureWebJobs.check_batch.Disabled": "true"}
    with app(azurite, wrong_key(azurite), **BATCHES, **off) as runner:
        assert failures(runner).keys() >= OF_STATE | {"batches"}
        assert runner.running


@pytest.mark.slow
def test_a_state_account_that_comes_back(azurite: Azurite) -> None:
    with Azurite() as state:
        make_stores(state.connection_string)
        state.stop()
        with app(azurite, state.connection_string) as runner:
            assert ask(runner, "GET", "health").status_code == 503
            assert failures(runner).keys() >= OF_STATE
            state.start()
            make_stores(state.connection_string)
            assert failures(runner).keys() & OF_STATE == set()
            assert runner.running
