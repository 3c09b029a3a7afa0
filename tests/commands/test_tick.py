"""`python -m gem_core tick` on real stores, with a simulated GEM."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from devkit.azurite import Azurite
from devkit.simulator import CLEAN, GemSimulator
from devkit.stage import app_settings
from gem_core.storage import names
from gem_core.watch.heartbeat import Heartbeat
from gem_core.watch.rate_limiter import LEASE_TIME, PREFIX
from gem_core.watch.store_claim import Ticker
from gem_core.wiring.environment import now
from gem_core.wiring.stores import stores
from tests.commands.command_runner import CommandRunner


@pytest.fixture
def simulator(azurite: Azurite) -> Iterator[GemSimulator]:
    with (
        BlobServiceClient.from_connection_string(azurite.connection_string) as blobs,
        GemSimulator(blobs.get_container_client(names.REPORTS)) as started,
    ):
        yield started


@pytest.fixture
def options(azurite: Azurite, simulator: GemSimulator, tmp_path: Path) -> tuple[str, str]:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"Values": app_settings(azurite, simulator)}))
    return "--settings", str(file)


def test_a_tick_does_what_the_timer_does(
    command: CommandRunner, simulator: GemSimulator, options: tuple[str, str]
) -> None:
    ended = replace(CLEAN, queued_for=0, running_for=0)
    simulator.add_job("job-1", ended, upload_input=False)
    simulator.add_job("job-2", CLEAN, upload_input=False)
    command("jobs", "register", "job-1", "job-2", *options)
    code, out, err = command("tick", *options)
    assert (code, out, err) == (0, "2 of 2 open jobs due: 2 checked, 1 settled\n", "")
    assert command.json("jobs", "list", "--stage", "settled", *options)["jobs"][0]["jobRunId"] == (
        "job-1"
    )
    assert command("tick", *options)[1] == "0 of 2 open jobs due: nothing to do\n"


def test_a_tick_beside_another_leaves_the_jobs_to_it(
    command: CommandRunner, options: tuple[str, str]
) -> None:
    command("jobs", "register", "job-1", *options)
    until = {"until": (now() + 10 * LEASE_TIME).isoformat()}
    stores().documents(names.WORKLIST).put(f"{PREFIX}0", b"", metadata=until)
    code, out, _ = command("tick", *options)
    assert (code, out) == (
        1,
        "1 of 1 open jobs due: 1 remaining (other runs hold all leases of the rate limiter)\n",
    )


def test_a_tick_that_gem_refuses_fails(
    command: CommandRunner, simulator: GemSimulator, options: tuple[str, str]
) -> None:
    command("jobs", "register", "job-1", *options)
    simulator.expire_tokens()
    code, out, err = command("tick", *options)
    assert (code, out) == (2, "")
    assert err.startswith("gem-courier tick: GEM answered 401")


def test_a_tick_needs_all_settings(command: CommandRunner) -> None:
    code, out, err = command("tick")
    assert (code, out) == (2, "")
    assert "GEM_CHECK_SCHEDULE is missing or empty" in err
    assert "GEM_API_KEY is missing" in err


def test_a_tick_as_another_identity_than_the_app_is_refused_until_the_claim_is_released(
    command: CommandRunner, options: tuple[str, str]
) -> None:
    Heartbeat(stores().documents(names.WORKLIST), Ticker("courier", "A")).start(now())
    code, _, err = command("tick", *options)
    assert code == 2
    assert "the app 'courier' ticks on this GEM_STATE" in err
    assert command.json("store", "release", *options) == {"released": "courier"}
    assert command("store", "release", *options)[1] == "no app claims this storage\n"
    assert command("tick", *options)[0] == 0
