"""The runner's decisions, without storage: the host's rules as far as they are documented."""

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from devkit.runner.__main__ import _apply_settings
from devkit.runner.app import (
    Function,
    HostJson,
    functions_of,
    host_id,
    read_host_json,
)
from devkit.runner.blob_message import BlobMessage, message_of_event
from devkit.runner.blob_path import BlobPath
from devkit.runner.connections import Connections
from devkit.runner.http_value import read_query
from devkit.runner.routes import AuthLevel, Keys, path_segments, route_of
from devkit.runner.timer import (
    Status,
    is_monitored,
    read_schedule,
    status_after_run,
    status_at_start,
)
from devkit.runner.worker import AppLoadError, IndexedFunction

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOURLY = read_schedule("0 0 * * * *")


def function(**trigger: Any) -> Function:  # noqa: ANN401 - a binding is JSON
    return Function(IndexedFunction("name", "id", ()), {"type": "httpTrigger", **trigger})


def indexed(*bindings: Mapping[str, Any]) -> tuple[IndexedFunction, ...]:
    return (IndexedFunction("name", "id", bindings),)


class TestSettings:
    def test_settings_stand_in_for_percent_names(self) -> None:
        found = functions_of(
            indexed({"type": "timerTrigger", "name": "timer", "schedule": "0 %MINUTES% * * * *"}),
            {"MINUTES": "*/5"},
        )
        assert found[0].trigger["schedule"] == "0 */5 * * * *"

    @pytest.mark.parametrize(
        ("bindings", "problem"),
        [
            ([{"type": "timerTrigger", "schedule": "%GONE%"}], "'%GONE%' does not resolve"),
            ([{"type": "serviceBusTrigger"}], "uses serviceBusTrigger"),
            ([{"type": "timerTrigger"}, {"type": "queue"}], "uses queue:"),
        ],
    )
    def test_what_cannot_be_played_is_refused(
        self, bindings: list[dict[str, Any]], problem: str
    ) -> None:
        with pytest.raises(AppLoadError, match=problem):
            functions_of(indexed(*bindings), {})

    def test_an_app_without_functions_is_refused(self) -> None:
        with pytest.raises(AppLoadError, match="has no function"):
            functions_of((), {})

    def test_a_function_is_disabled_by_its_setting(self) -> None:
        timer = indexed({"type": "timerTrigger", "name": "timer", "schedule": "0 0 0 * * *"})
        assert functions_of(timer, {"AzureWebJobs.name.Disabled": "true"})[0].disabled
        assert not functions_of(timer, {"AzureWebJobs.other.Disabled": "true"})[0].disabled

    def test_the_environment_beats_the_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        values = {"RUNNER_TEST_A": "file", "RUNNER_TEST_B": "file"}
        (tmp_path / "local.settings.json").write_text(json.dumps({"Values": values}))
        environment = {"RUNNER_TEST_A": "environment"}
        monkeypatch.setattr("os.environ", environment)
        _apply_settings(tmp_path, None)
        assert environment == {"RUNNER_TEST_A": "environment", "RUNNER_TEST_B": "file"}

    def test_a_wrong_settings_file_ends_the_runner_with_its_reason(self, tmp_path: Path) -> None:
        (tmp_path / "local.settings.json").write_text('{"Values": {"A": [1]}}')
        done = subprocess.run(
            [sys.executable, "-m", "devkit.runner", "--app", tmp_path],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (1, "")
        assert f"{tmp_path}/local.settings.json, line 1: A is an object or a list" in done.stderr
        assert "Traceback" not in done.stderr

    def test_host_json_is_read_and_has_defaults(self, tmp_path: Path) -> None:
        (tmp_path / "host.json").write_text('{"version": "2.0"}')
        assert read_host_json(tmp_path, {}) == HostJson("api", 8, 5, 16, 8, 5, 0)
        blobs = {"maxDegreeOfParallelism": 2, "poisonBlobThreshold": 3}
        queues = {"batchSize": 4, "maxDequeueCount": 2, "visibilityTimeout": "00:01:30"}
        extensions = {"http": {"routePrefix": "v1"}, "blobs": blobs, "queues": queues}
        text = json.dumps({"version": "2.0", "extensions": extensions})
        (tmp_path / "host.json").write_text(text)
        assert read_host_json(tmp_path, {}) == HostJson("v1", 2, 3, 4, 2, 2, 90)
        override = {"AzureFunctionsJobHost__extensions__blobs__maxDegreeOfParallelism": "7"}
        assert read_host_json(tmp_path, override).blob_parallelism == 7

    def test_a_missing_host_json_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(AppLoadError, match=r"host\.json cannot be read"):
            read_host_json(tmp_path, {})

    def test_the_host_id_is_the_settings_or_the_folders(self) -> None:
        derived = host_id(Path("/one"), {})
        assert derived != host_id(Path("/two"), {})
        assert len(derived) <= 32
        assert host_id(Path("/one"), {"AzureFunctionsWebHost__hostid": "mine"}) == "mine"


class TestConnections:
    ADDRESS = "DefaultEndpointsProtocol=https;AccountName={};AccountKey=a2V5;"

    @pytest.mark.parametrize(
        ("settings", "address"),
        [
            ({"DATA": ADDRESS.format("one")}, "https://one.blob.core.windows.net/"),
            ({"AzureWebJobsDATA": ADDRESS.format("two")}, "https://two.blob.core.windows.net/"),
            (
                {"DATA": ADDRESS.format("one"), "AzureWebJobsDATA": ADDRESS.format("two")},
                "https://two.blob.core.windows.net/",
            ),
            (
                {
                    "DATA__blobServiceUri": "https://one.blob.core.windows.net",
                    "AzureWebJobsDATA__accountName": "two",
                },
                "https://two.blob.core.windows.net/",
            ),
            ({"DATA": "UseDevelopmentStorage=true"}, "http://127.0.0.1:10000/devstoreaccount1/"),
            (
                {"DATA__blobServiceUri": "https://three.blob.core.windows.net"},
                "https://three.blob.core.windows.net/",
            ),
            (
                {"DATA__serviceUri": "https://four.blob.core.windows.net"},
                "https://four.blob.core.windows.net/",
            ),
            ({"DATA__accountName": "five"}, "https://five.blob.core.windows.net/"),
        ],
    )
    def test_blobs_are_found_by_the_hosts_rules(
        self, settings: dict[str, str], address: str
    ) -> None:
        with Connections(settings).blobs("DATA") as service:
            assert service.url == address

    def test_an_identity_needs_the_address_of_its_queues(self) -> None:
        settings = {"DATA__blobServiceUri": "https://a.blob.core.windows.net"}
        assert not Connections(settings).has_queues("DATA")
        with pytest.raises(AppLoadError, match="DATA__queueServiceUri"):
            Connections(settings).queue("DATA", "queue")
        settings["DATA__queueServiceUri"] = "https://a.queue.core.windows.net"
        assert Connections(settings).has_queues("DATA")
        with Connections(settings).queue("DATA", "queue") as queue:
            assert queue.url == "https://a.queue.core.windows.net/queue"


class TestTimer:
    def test_the_first_start_waits_for_the_next_occurrence(self) -> None:
        status = status_at_start(None, HOURLY, NOON + timedelta(minutes=1))
        assert status.next == NOON + timedelta(hours=1)

    def test_a_stored_next_in_the_past_is_past_due(self) -> None:
        stored = Status(last=NOON, next=NOON + timedelta(hours=1), updated=NOON)
        assert status_at_start(stored, HOURLY, NOON + timedelta(days=3)) == stored

    def test_a_changed_schedule_makes_a_new_next(self) -> None:
        stored = Status(last=NOON, next=NOON + timedelta(days=1), updated=NOON)
        status = status_at_start(stored, HOURLY, NOON + timedelta(minutes=5))
        assert status.next == NOON + timedelta(hours=1)

    def test_a_changed_schedule_is_never_past_due(self) -> None:
        stored = Status(last=NOON, next=NOON + timedelta(days=1), updated=NOON)
        now = NOON + timedelta(hours=3, minutes=5)
        assert status_at_start(stored, HOURLY, now).next == NOON + timedelta(hours=4)

    @pytest.mark.parametrize(
        ("started", "following"),
        [
            (timedelta(milliseconds=-20), timedelta(hours=1)),  # early: not due again at once
            (timedelta(milliseconds=20), timedelta(hours=1)),
            (timedelta(minutes=-30), timedelta(0)),  # runOnStartup
        ],
    )
    def test_what_follows_a_run(self, started: timedelta, following: timedelta) -> None:
        done = status_after_run(HOURLY, due=NOON, started=NOON + started, ended=NOON)
        assert done.next == NOON + following

    def test_after_a_long_run_the_next_starts_at_once(self) -> None:
        minutely, ended = read_schedule("0 * * * * *"), NOON + timedelta(seconds=75)
        assert status_after_run(minutely, due=NOON, started=NOON, ended=ended).next < ended

    def test_a_status_survives_its_blob(self) -> None:
        status = Status(last=NOON, next=NOON + timedelta(hours=1), updated=NOON)
        assert Status.parse(json.dumps(status.as_json())) == status

    @pytest.mark.parametrize(
        ("text", "monitored"),
        [("*/30 * * * * *", False), ("0 * * * * *", True), ("0 0 0 1 1 *", True)],
    )
    def test_only_schedules_of_a_minute_or_more_have_a_status(
        self, text: str, *, monitored: bool
    ) -> None:
        assert is_monitored(read_schedule(text), NOON) is monitored

    @pytest.mark.parametrize("text", ["0 * * * * * *", "0 61 * * * *", "every day", ""])
    def test_no_ncrontab_is_refused(self, text: str) -> None:
        with pytest.raises(AppLoadError, match="schedule"):
            read_schedule(text)


class TestBlobPath:
    @pytest.mark.parametrize(
        ("path", "name", "tokens"),
        [
            ("in/{name}.json", "a.json", {"name": "a"}),
            ("in/{name}.json", "deep/a.json", {"name": "deep/a"}),
            ("in/{name}.json", "a.txt", None),
            ("in/x/{a}-{b}", "x/1-2-3", {"a": "1-2", "b": "3"}),
            ("in/x/{a}", "y/1", None),
            ("in/{{{a}}}.txt", "{1}.txt", {"a": "1"}),
            ("in/a.txt", "a_txt", None),
            ("in", "any", {"name": "any"}),
        ],
    )
    def test_names_fit_or_not(self, path: str, name: str, tokens: dict[str, str] | None) -> None:
        assert BlobPath.parse(path).match(name) == tokens

    def test_the_listing_starts_at_the_literal_prefix(self) -> None:
        path = BlobPath.parse("in/x/{{y}}/{a}/z")
        assert (path.container, path.prefix) == ("in", "x/{y}/")

    @pytest.mark.parametrize("path", ["{any}/x", "", "in/{open", "in/shut}"])
    def test_a_path_that_no_host_would_take_is_refused(self, path: str) -> None:
        with pytest.raises(AppLoadError, match="blob path"):
            BlobPath.parse(path)


class TestEvents:
    @pytest.mark.parametrize(
        "url",
        [
            "https://account.blob.core.windows.net/in/deep/a%20b.json",
            "http://127.0.0.1:10000/devstoreaccount1/in/deep/a%20b.json",
        ],
    )
    def test_a_blob_is_taken_from_the_events_url(self, url: str) -> None:
        data = {"url": url, "eTag": "0x1", "blobType": "BlockBlob"}
        message = message_of_event({"data": data}, "Host.Functions.f")
        assert message == BlobMessage("Host.Functions.f", "in", "deep/a b.json", "0x1")
        assert BlobMessage.parse(message.to_json()) == message


class TestParallel:
    @pytest.mark.parametrize(
        ("most", "batch", "threshold"), [(1, 1, 0), (2, 2, 0), (3, 2, 1), (4, 3, 1), (8, 5, 3)]
    )
    def test_blobs_are_taken_as_by_the_extension(
        self, most: int, batch: int, threshold: int
    ) -> None:
        host = HostJson(blob_parallelism=most)
        assert (host.blob_batch, host.blob_threshold) == (batch, threshold)


class TestRoutes:
    @pytest.mark.parametrize(
        ("route", "path", "parameters"),
        [
            ("jobs/{id}", "/api/jobs/a", {"id": "a"}),
            ("jobs/{id}", "/API/Jobs/a/", {"id": "a"}),
            ("jobs/{id}", "/api/jobs", None),
            ("jobs/{id}", "/api/jobs//", None),
            ("jobs/{id}", "/api/jobs/a/b", None),
            ("jobs/{id}/check", "/api/jobs/a%20b/check", {"id": "a b"}),
            ("files/{*rest}", "/api/files/a/b", {"rest": "a/b"}),
            (None, "/api/name", {}),
        ],
    )
    def test_paths_match_as_in_aspnet(
        self, route: str | None, path: str, parameters: dict[str, str] | None
    ) -> None:
        assert route_of(function(route=route), "api").match(path_segments(path)) == parameters

    @pytest.mark.parametrize(
        ("raw", "segments"),
        [
            ("/", ("",)),
            ("/a%2Fb/%C3%BC", ("a%2Fb", "ü")),
            ("/a%252Fb", ("a%2Fb",)),
            ("/api/jobs/../x", ("api", "x")),
            ("/api/%2e%2e/x/.", ("x",)),
            ("/../..", ()),
        ],
    )
    def test_a_path_is_decoded_once(self, raw: str, segments: tuple[str, ...]) -> None:
        assert path_segments(raw) == segments

    @pytest.mark.parametrize("route", ["jobs/{id:int}", "jobs/{id?}", "jobs/x{id}"])
    def test_a_route_that_is_not_known_is_refused(self, route: str) -> None:
        with pytest.raises(AppLoadError, match="does not support the route part"):
            route_of(function(route=route), "api")

    def test_literal_segments_go_first(self) -> None:
        templates = ["{*all}", "{id}", "fixed"]
        routes = [route_of(function(route=one), "") for one in templates]
        ordered = sorted(routes, key=lambda one: one.precedence)
        assert [one.template for one in ordered] == ["fixed", "{id}", "{*all}"]

    def test_the_level_is_function_unless_said_otherwise(self) -> None:
        assert route_of(function(), "api").level is AuthLevel.FUNCTION
        assert route_of(function(authLevel="ANONYMOUS"), "api").level is AuthLevel.ANONYMOUS

    @pytest.mark.parametrize(
        ("level", "opened_by"),
        [
            (AuthLevel.ANONYMOUS, {"", "wrong", "function", "master"}),
            (AuthLevel.FUNCTION, {"function", "master"}),
            (AuthLevel.ADMIN, {"master"}),
        ],
    )
    def test_keys_open_their_levels(self, level: AuthLevel, opened_by: set[str]) -> None:
        keys = Keys("function", "master")
        given = {"", "wrong", "function", "master"}
        assert {key for key in given if keys.open(level, key)} == opened_by

    def test_repeated_query_values_are_joined_and_empty_ones_left_out(self) -> None:
        assert read_query("a=1&b=%26&a=2&c=&d") == {"a": "1,2", "b": "&"}
