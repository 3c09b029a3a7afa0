"""Alerts and workbook over what the runner passes on: as in the host, only lines of an invocation.

One story in five runs of the app: jobs that end well, are lost, have an unknown status; a results
queue that is missing; GEM that is away; tickets that nobody delivers, and GEM that refuses the
token; an app that cannot be loaded.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile

import pytest
import requests
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from devkit.azurite import Azurite
from devkit.processes import free_ports
from devkit.runner import Runner
from devkit.simulator import CLEAN, LIVES, GemSimulator, SimulatorSettings
from devkit.stage import OUTPUT_CONTAINER, ROOT, Stage, app_settings, make_stores
from gem_core.storage.names import JOBS, POISON_QUEUES, TICKETS
from gem_core.watch.attempts import TROUBLE_AFTER
from tests.broken_app import broken_app
from tests.infra.asked import QUERIES, WINDOWS, Line, Run, ask
from tests.integration.courier import FAST, Courier, add_job_of_unknown_status, wait_for

pytestmark = [pytest.mark.azurite, pytest.mark.slow]

_LINE = re.compile(r"^(\d\d:\d\d:\d\d\.\d{3}) \w+ +\[(\w+)\] (.*)$", re.MULTILINE)
_RUN = re.compile(r"Executed (\w+) \((Succeeded|Failed)")
NOT_DELIVERED = {"AzureWebJobs.deliver_results.Disabled": "true"}
NO_GEM = NOT_DELIVERED | {"GEM_API_BASE_URL": f"http://127.0.0.1:{free_ports(1)[0]}"}
NO_QUEUE = {"GEM_RESULTS_QUEUE": "missing"}
DAY = timedelta(days=1)
ENDS_AT_ONCE = replace(CLEAN, queued_for=0, running_for=0)


@dataclass(frozen=True)
class Telemetry:
    """What the host would send to Application Insights."""

    lines: list[Line]
    runs: list[Run]

    @classmethod
    def read(cls, log: str) -> "Telemetry":
        """From the runner's log. Lines of the runner itself are none, but for runs.

        The log has times of day alone: each line is of the day on which it is nearest to the line
        before it.
        """
        found, at = cls([], []), None
        for time, function, message in _LINE.findall(log):
            moment = datetime.strptime(time, "%H:%M:%S.%f").astimezone()
            at = moment + round((at - moment) / DAY) * DAY if at else moment
            if run := _RUN.match(message):
                found.runs.append((at, run[1], run[2] == "Succeeded"))
            elif function != "runner" and message.startswith("{"):
                found.lines.append((at, message))
        return found

    @property
    def end(self) -> datetime:
        """The moment of the last line."""
        return max(at for at, _ in self.lines)


@pytest.fixture(scope="module")
def telemetry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Telemetry]:
    """The lines and runs of the story."""
    with Azurite() as azurite:
        make_stores(azurite.connection_string)
        with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:
            outputs = blobs.get_container_client(OUTPUT_CONTAINER)
            with GemSimulator(outputs, SimulatorSettings(time_scale=600)) as simulator:
                settings = app_settings(azurite, simulator) | FAST
                with Runner(ROOT, settings) as runner:
                    delivered(Courier(Stage(azurite, simulator, runner)))
                    log = runner.log
                with Runner(ROOT, settings | NO_QUEUE) as runner:
                    postponed(Courier(Stage(azurite, simulator, runner)))
                    log += runner.log
                with Runner(ROOT, settings | NO_GEM) as runner:
                    away(Courier(Stage(azurite, simulator, runner)))
                    log += runner.log
                with Runner(ROOT, settings | NOT_DELIVERED) as runner:
                    refused(Courier(Stage(azurite, simulator, runner)))
                    log += runner.log
        with Runner(broken_app(tmp_path_factory.mktemp("app"), "raise OSError"), {}) as runner:
            assert requests.get(f"{runner.url}/api/health", timeout=60).status_code == 503
            log += runner.log
        yield Telemetry.read(log)


def seen(courier: Courier, *words: str) -> None:
    """Wait for a line with these words."""

    def look() -> bool | None:
        lines = courier.log().splitlines()
        return any(all(word in line for word in words) for line in lines) or None

    wait_for(look, what=" ".join(words))


def delivered(courier: Courier) -> None:
    """Jobs end, one is lost, one has an unknown status; a message waits on a poison queue."""
    storage = courier.up.azurite.connection_string
    with QueueServiceClient.from_connection_string(storage) as queues:
        queues.create_queue(POISON_QUEUES[1]).send_message("{}")
    add_job_of_unknown_status(courier.up.simulator, "job-odd")
    courier.up.simulator.add_job("job-good", CLEAN)
    courier.up.simulator.add_job("job-lost", LIVES["vanishing"])
    for job in ("job-good", "job-odd", "job-lost"):
        courier.register(job)
    for job in ("job-good", "job-lost"):
        courier.events_of(job)
    seen(courier, '"job_drifted"', "job-odd")
    seen(courier, '"poison_messages": 1')


def away(courier: Courier) -> None:
    """GEM answers nobody."""
    courier.register("job-away")
    seen(courier, '"job_not_answered"', "job-away")

    def look() -> bool | None:
        return courier.call("GET", "status").json()["status"] == "failing" or None

    wait_for(look, what="failing")


def refused(courier: Courier) -> None:
    """A ticket is raised again and again, and GEM refuses the token."""
    courier.up.simulator.add_job("job-waits", ENDS_AT_ONCE)
    courier.register("job-waits")
    seen(courier, '"ticket_repeated"', "job-waits")
    courier.up.simulator.add_job("job-refused", CLEAN)
    courier.up.simulator.expire_tokens()
    courier.register("job-refused")
    seen(courier, '"tick_stopped"')
    seen(courier, "Executed check_jobs (Failed")


def postponed(courier: Courier) -> None:
    """A delivery is postponed, an hour passes, and it is postponed again."""
    storage, runner = courier.up.azurite.connection_string, courier.up.runner
    courier.up.simulator.add_job("job-later", ENDS_AT_ONCE)
    courier.register("job-later")
    seen(courier, '"delivery_postponed"', "job-later")
    with BlobServiceClient.from_connection_string(storage) as blobs:
        blob = blobs.get_blob_client(JOBS, "job-later.json")
        record = json.loads(blob.download_blob().readall())
        last = record["attempts"]["postponement"]
        for moment in ("since", "until"):
            earlier = datetime.fromisoformat(last[moment]) - TROUBLE_AFTER
            last[moment] = earlier.isoformat()
        blob.upload_blob(json.dumps(record), overwrite=True)
    headers = {"x-functions-key": runner.master_key}
    ticket = {"input": f"{TICKETS}/job-later.json"}
    url = f"{runner.url}/admin/functions/deliver_results"
    requests.post(url, json=ticket, headers=headers, timeout=60).raise_for_status()
    seen(courier, '"delivery_still_postponed"', "job-later")


WRITTEN_BY_AZURE = {"log-quota-reached"}
"""Queries about lines that neither the app nor the host writes."""
LATER = {
    "manifests-waiting": timedelta(hours=2),
    "function-failures": timedelta(minutes=20),
    "gem-not-answering": timedelta(minutes=31),
}
"""What must first last for a while."""
PART = {
    "no-successful-tick": ('"tick_stopped"', "the end"),
    "gem-not-answering": ('"job_not_answered"', '"job_registered"'),
}
"""What is about a part of the story: in its first line, and in the first line after it. Over the
whole story it must not ring."""


@pytest.mark.parametrize("name", sorted(QUERIES.keys() - WRITTEN_BY_AZURE))
def test_each_query_finds_what_it_is_about(telemetry: Telemetry, name: str) -> None:
    lines, runs, query = telemetry.lines, telemetry.runs, QUERIES[name]
    now = telemetry.end + LATER.get(name, timedelta())
    if name == "poison-expiring":
        query = query.replace("> 5d", "> 0d")
    if name in PART:
        assert not ask(name, lines, runs, now=now)
        first, after = PART[name]
        since = next(number for number, (_, line) in enumerate(lines) if first in line)
        lines = list(takewhile(lambda line: after not in line[1], lines[since:]))
    assert ask(name, lines, runs, now=now, query=query)


def test_a_story_goes_on_after_midnight() -> None:
    """A line may also be written a little before an earlier one, by another thread."""
    times = ("23:59:59.900", "00:00:00.100", "23:59:59.950", "00:00:01.000")
    log = "".join(f"{time} INFO    [check_jobs] {{}}\n" for time in times)
    first, *others = [at for at, _ in Telemetry.read(log).lines]
    assert [(at - first).total_seconds() for at in others] == [0.2, 0.05, 1.1]


def test_every_line_belongs_to_an_invocation(telemetry: Telemetry) -> None:
    """The story has lines of the pool; the runner drops a line that no invocation logs."""
    told = {line.split('"')[3] for _, line in telemetry.lines}
    assert told >= {"job_checked", "job_settled", "job_drifted", "ticket_repeated"}
    assert WINDOWS.keys() <= QUERIES.keys()
