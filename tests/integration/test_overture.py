"""Overture that refuses, cuts its list, drips, hangs, changes or is too large: one app, a job each.

No manifest is postponed or has another outcome. Its checks of Overture did not run, and say why.
"""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from random import Random
from threading import Event
from typing import Any, override
from urllib.parse import unquote
from uuid import UUID

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from devkit.azurite import ACCOUNT, Azurite
from devkit.overture import Segment, write_changelog
from devkit.runner import Runner
from devkit.simulator import LIVES, GemSimulator, SimulatorSettings
from devkit.simulator.overture import CHANGELOG, SimulatedOverture
from devkit.simulator.script import OVERTURE_RELEASE
from devkit.stage import OUTPUT_CONTAINER, ROOT, Stage, app_settings, make_stores
from tests.integration.courier import ENDED, FAST, Courier, failed_checks
from tests.integration.proxy import Proxy, When

pytestmark = [pytest.mark.azurite, pytest.mark.slow]

GOOD, WRONG = "job-good", "job-wrong"
CHECKS = {"gers_alive", "gers_type", "gers_in_place"}


class Trouble(StrEnum):
    """What befalls the requests for a release; the value is the release."""

    REFUSES = "2026-02-18.0"
    LIST_REFUSED = "2026-03-18.0"
    LIST_CUT = "2026-04-22.0"
    LIST_ENDLESS = "2026-05-20.0"
    DRIPS = "2026-06-17.0"
    HANGS = "2026-07-22.0"
    CHANGED = "2026-08-19.0"
    TOO_LARGE = "2026-09-23.0"

    @property
    def job(self) -> str:
        """Each has its own."""
        return f"job-{self.name.lower().replace('_', '-')}"


REASONS = {
    Trouble.REFUSES: "403",
    Trouble.LIST_REFUSED: "403",
    Trouble.LIST_CUT: "cannot be listed",
    Trouble.LIST_ENDLESS: "cannot be listed: the storage is too slow",
    Trouble.DRIPS: "did not come in",
    Trouble.HANGS: "did not come in",
    Trouble.CHANGED: "was replaced or deleted while it was read",
    Trouble.TOO_LARGE: "GEM_OVERTURE_MAX_MIB or --overture-max allows 1",
}
ENDLESS = (
    f"<?xml version='1.0' encoding='utf-8'?><EnumerationResults><Prefix>{Trouble.LIST_ENDLESS}/"
    "</Prefix><Blobs/><NextMarker>on</NextMarker></EnumerationResults>"
).encode()
"""A page of a list that goes on and on."""
HASTY = f"""
import sys
sys.path.append({str(ROOT)!r})
from functools import partial
from gem_core.audit.child import limits
from gem_core.audit.overture import patience
from gem_core.wiring import overture
limits.Limits = partial(limits.Limits, range_seconds=4)
patience.SLOW_SECONDS, patience.REST_SECONDS = 4.0, 0.0
overture.ANSWER_SECONDS = 6.0
from gem_core.functions import app
"""
"""The app, but it waits some seconds for Overture where it would wait a minute, and asks it again
at once."""


class Troubled(Proxy):
    """Stands before Overture."""

    def __init__(self, target: str) -> None:
        super().__init__(target, matches=lambda *_: False, when=When.BEFORE)
        self.is_well = Event()

    @override
    def pass_on(self, caller: BaseHTTPRequestHandler) -> None:
        path = unquote(caller.path)
        trouble = next((each for each in Trouble if each in path), None)
        is_list = "comp=list" in path
        match trouble:
            case _ if self.is_well.is_set():
                super().pass_on(caller)
            case Trouble.LIST_REFUSED if is_list:
                _answer(caller, 403)
            case Trouble.LIST_CUT if is_list:
                _answer(caller, 200, b"<?xml version='1.0'?><EnumerationResults><Blobs><Blob><Na")
            case Trouble.LIST_ENDLESS if is_list:
                self.is_well.wait(1.5)
                _answer(caller, 200, ENDLESS)
            case Trouble.REFUSES if not is_list:
                _answer(caller, 403)
            case Trouble.CHANGED if not is_list:
                _answer(caller, 412)
            case Trouble.HANGS if not is_list:
                self.is_well.wait()
                caller.close_connection = True
            case Trouble.DRIPS if not is_list:
                self._drip(caller)
            case _:
                super().pass_on(caller)

    def _drip(self, caller: BaseHTTPRequestHandler) -> None:
        first, last = map(int, caller.headers["x-ms-range"].removeprefix("bytes=").split("-"))
        caller.send_response_only(206)
        caller.send_header("x-ms-request-id", "1")
        caller.send_header("ETag", caller.headers["If-Match"])
        caller.send_header("Content-Length", str(last - first + 1))
        caller.send_header("Content-Range", f"bytes {first}-{last}/{last + 1}")
        caller.end_headers()
        caller.close_connection = True
        with suppress(OSError):  # the app gave it up
            while not self.is_well.wait(0.1):
                caller.wfile.write(b"0")


def _answer(caller: BaseHTTPRequestHandler, status: int, body: bytes = b"") -> None:
    caller.send_response_only(status)
    caller.send_header("x-ms-request-id", "1")
    if status == 412:
        caller.send_header("x-ms-error-code", "ConditionNotMet")
    caller.send_header("Content-Type", "application/xml")
    caller.send_header("Content-Length", str(len(body)))
    caller.end_headers()
    caller.wfile.write(body)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Courier, Troubled]]:
    """The app after it delivered all jobs."""
    folder = tmp_path_factory.mktemp("app")
    shutil.copy(ROOT / "host.json", folder)
    (folder / "function_app.py").write_text(HASTY)
    with Azurite() as azurite, Troubled(azurite.blob_uri) as overture:
        make_stores(azurite.connection_string)
        with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:
            on_matches = SimulatedOverture(blobs).add
            files = blobs.get_container_client(OUTPUT_CONTAINER)
            with GemSimulator(files, SimulatorSettings(), on_matches=on_matches) as simulator:
                simulator.add_job(GOOD, ENDED)
                simulator.add_job(WRONG, _ended("wrong_ids"))
                for trouble in Trouble:
                    simulator.add_job(trouble.job, ENDED, overture_release=trouble)
                simulator.write_due_outputs()
                _write_releases(blobs.get_container_client(CHANGELOG), folder)
                settings = app_settings(azurite, simulator) | FAST
                settings |= {
                    "GEM_OVERTURE": f"http://{overture.netloc}/{ACCOUNT}",
                    "GEM_OVERTURE_MAX_MIB": "1",
                }
                with Runner(folder, settings) as runner:
                    courier = Courier(Stage(azurite, simulator, runner))
                    jobs = [GOOD, WRONG, *(trouble.job for trouble in Trouble)]
                    for job in jobs:
                        courier.register(job)
                    for job in jobs:
                        courier.events_of(job)
                    yield courier, overture
                    overture.is_well.set()


def _ended(name: str) -> Any:  # noqa: ANN401 - a life
    return ENDED.__replace__(name=name, output_fault=LIVES[name].output_fault)


def _write_releases(changelog: ContainerClient, folder: Path) -> None:
    """Every other release is the same as the one; one has a large file in place of the roads."""
    near = (19.0, 20.0, 51.0, 52.0)
    random = Random(0)  # ids that cannot be compressed
    ids = (str(UUID(int=random.getrandbits(128), version=4)) for _ in range(60_000))
    others = [Segment(id_, near) for id_ in ids]
    large = {"unchanged": others}
    write_changelog(folder, Trouble.TOO_LARGE, large, files=1, group_rows=10_000, first_file=9)
    (file,) = folder.rglob("*.parquet")
    changelog.upload_blob(file.relative_to(folder / CHANGELOG).as_posix(), file.read_bytes())
    for name in list(changelog.list_blob_names(name_starts_with=OVERTURE_RELEASE)):
        body = changelog.download_blob(name).readall()
        for trouble in Trouble:
            if trouble is Trouble.TOO_LARGE and "change_type=unchanged" in name:
                continue
            changelog.upload_blob(name.replace(OVERTURE_RELEASE, trouble, 1), body)


def _checks(event: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {line["name"]: line for line in event["data"]["checks"]["notPassed"]}


def test_ids_are_looked_up_and_report_and_page_show_those_that_are_wrong(
    up: tuple[Courier, Troubled],
) -> None:
    courier, _ = up
    (good,) = courier.events_of(GOOD)
    assert (good["data"]["outcome"], _checks(good)) == ("valid", {})
    (wrong,) = courier.events_of(WRONG)
    assert (wrong["data"]["outcome"], failed_checks(wrong)) == ("valid_with_warnings", CHECKS)
    page = courier.call("GET", f"jobs/{WRONG}/report.html").text
    assert "34 with a GERS id that Overture does not have, or has elsewhere" in page
    for line in _checks(wrong).values():
        assert line["detail"] in page


@pytest.mark.parametrize("trouble", Trouble, ids=lambda each: each.name)
def test_trouble_costs_the_look_up_alone(up: tuple[Courier, Troubled], trouble: Trouble) -> None:
    courier, _ = up
    good, troubled = (courier.events_of(job)[0]["data"] for job in (GOOD, trouble.job))
    checks = _checks({"data": troubled})
    assert checks.keys() == CHECKS
    for line in checks.values():
        assert line["verdict"] == "not_run"
        assert REASONS[trouble] in line["detail"]
    for member in ("outcome", "match", "statistics"):
        assert troubled[member] == good[member]
    assert courier.record(trouble.job)["stage"] == "delivered"
    postponed = [line for line in courier.log().splitlines() if "delivery_postponed" in line]
    assert not [line for line in postponed if trouble.job in line]


def test_a_redelivery_looks_the_ids_up_under_another_id(up: tuple[Courier, Troubled]) -> None:
    courier, overture = up
    job = Trouble.HANGS.job
    (first,) = courier.events_of(job)
    overture.is_well.set()
    ids = []
    for _ in range(2):
        answer = courier.call("POST", f"jobs/{job}/redeliver")
        assert answer.ok, answer.text
        ids.append(courier.delivered(job)["manifestId"])
    assert first["id"] not in ids
    assert len(set(ids)) == 1
    again = next(each for each in courier.events_of(job) if each["id"] == ids[0])
    assert _checks(again) == {}
