"""The runner answers and runs what the host's own extensions do: their answers are the golden data.

`golden.json` was recorded by `python -m tests.devkit.beside`; README.md of the runner says how.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from devkit.azurite import Azurite
from devkit.runner import Runner
from tests.devkit.beside import messages, webhook
from tests.devkit.beside.callback import callback
from tests.devkit.beside.recorder import Storage

APP = Path(__file__).parent / "apps" / "callback"
GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parent / "beside" / "golden.json").read_text("utf-8")
)
_PARALLEL = "AzureFunctionsJobHost__extensions__blobs__maxDegreeOfParallelism"


def test_the_golden_data_has_every_case() -> None:
    assert set(GOLDEN["webhook"]) == {case.name for case in (*webhook.CASES, webhook.LAST)}
    assert set(GOLDEN["messages"]) == set(messages.SENT)


@pytest.mark.azurite
@pytest.mark.slow
@pytest.mark.parametrize("most", GOLDEN["parallel"])
def test_the_runner_does_what_the_extensions_do(azurite: Azurite, most: str) -> None:
    with (
        Storage.of(azurite.connection_string, f"beside-{most}") as storage,
        callback() as (calls, address),
    ):
        storage.prepare()
        settings = {
            "AzureWebJobsStorage": azurite.connection_string,
            "AzureFunctionsWebHost__hostid": storage.host_id,
            "DATA": azurite.connection_string,
            "INBOX": storage.inbox.container_name,
            "QUEUE": storage.queue,
            "CALLBACK": address,
            "RUNNER_BLOB_EVENTS": "false",
            _PARALLEL: most,
        }
        runner = Runner(APP, settings)
        with runner:
            runs = {case.name: GOLDEN["webhook"][case.name]["runs"] for case in webhook.CASES}
            expected = GOLDEN | {"parallel": GOLDEN["parallel"][most], "runs": runs}
            found = storage.record(
                runner.url, runner.master_key, calls, quiet_seconds=1.0, expected=expected
            )
            runner.wait()
            assert "Invalid function ID" in runner.log  # the last request
            assert runner.stop() == 1
    assert found["parallel"] == GOLDEN["parallel"][most]
    assert found["messages"] == GOLDEN["messages"]
    assert found["webhook"] == GOLDEN["webhook"]
