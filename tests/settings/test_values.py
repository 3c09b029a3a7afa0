"""The values of single settings: what is taken, and what is named as wrong."""

from datetime import timedelta
from pathlib import Path

import pytest

from gem_core.settings.app_settings import InputCompare, QueueEncoding, TriggerSource
from tests.settings.least import STORAGE, problems, read


def test_a_version_that_no_header_can_hold_is_refused() -> None:
    assert problems(GEM_API_VERSION="1\n2") == (
        "GEM_API_VERSION has characters that are not allowed in an HTTP header",
    )


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_version_sends_none(empty: str) -> None:
    assert read(GEM_API_VERSION=empty).gem_api_version == ""


_NO_NUMBERS = ("-1", "nan", "inf", "ten", "1,5", "9" * 500)
_WRONG: dict[str, tuple[str, ...]] = {
    "GEM_CHECK_MIN_SECONDS": ("0", "1e30", *_NO_NUMBERS),
    "GEM_CHECK_REQUESTS_PER_SECOND": ("0", "1e-300", "1e-9", "0.0099", *_NO_NUMBERS),
    "GEM_JOB_DEADLINE_HOURS": ("0", "1e30", *_NO_NUMBERS),
    "GEM_DISCOVER": ("a,,b", ","),
    "GEM_DISCOVER_MAX_AGE_HOURS": ("0", *_NO_NUMBERS),
    "GEM_DISCOVER_EVERY_MINUTES": ("0", *_NO_NUMBERS),
    "GEM_OUTPUT_GRACE_MINUTES": ("1e300", *_NO_NUMBERS),
    "GEM_CHECK_BATCH_SIZE": ("-1", "201", "1.5", "off"),
    "GEM_KEEP_DAYS": ("-1", "36501", "0.5", "never"),
    "GEM_CHECK_CONCURRENCY": ("0", "257", "1.5", "\u0661", "1" * 5000),
    "GEM_INPUT_AUDIT": ("yes",),
    "GEM_RESULTS_QUEUE_ENCODING": ("base32",),
    "GEM_INPUT_COMPARE": ("rows",),
    "GEM_IDS_MEMORY_MIB": ("0", "65537", "1.5"),
    "GEM_IDS_DISK_MIB": ("0", "1048577", "1.5"),
    "GEM_TRIGGER_SOURCE": ("Grid",),
    "GEM_CHECK_SCHEDULE": (
        *("", "00:01:00", "* * * *", "0 0 0 30 2 *", "0 61 * * * *", "0 */0 * * * *"),
        *("0\t* * * * *", "0 * * * * *\n", "\t0 * * * * *"),
        *("0 0 0 * * 7", "0 0 0 * * 1-7", "0 0 0 * * MON,7", "0 0 0 * * 07", "0 0 0 * * 7/2"),
        *("0 0 0 L * *", "0 0 0 LW * *", "0 0 0 * * 5L", "0 0 0 * * 1#2", "0 0 0 * * MON#2"),
    ),
    "GEM_RESULTS_QUEUE": ("ab", "x" * 64, "gem--results", "-gem", "gem_results", "Gem", "g\xeam"),
    "GEM_API_BASE_URL": (
        "http://gem.example",
        "gem.example",
        "ftp://127.0.0.1",
        "https://",
        "https://[::1",
        "https://h:port/x",
        "https://h:70000",
        "https://h:0/x",
        "https://h/a b",
        "https://h\n.example/x",
    ),
    "GEM_OUTPUT_CONTAINER": ("ab", "Default", "a--b", "{storageid}", "c_{storageId}", "x" * 64),
    "GEM_STATE__credential": ("secret",),
    "GEM_API_KEY": ("two\nlines", "ke\u2026y"),
    "GEM_BEARER_TOKEN": ("two\nlines",),
    "GEM_STATE": ("garbage",),
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param(name, value, id=f"{name}-{number}-{ascii(value)[:20]}")
        for name, values in _WRONG.items()
        for number, value in enumerate(values)
    ],
)
def test_a_wrong_value_is_named_and_kept_short(name: str, value: str) -> None:
    (line,) = problems(**{name: value})
    assert line.startswith(name)
    assert len(line) < 250


@pytest.mark.parametrize(
    "schedule",
    [
        "*/15 * * * * *",
        "0 0 8-18/2 * * MON-FRI",
        "0 0 0 1,15 JUL,dec *",
        "0 */7 7 7 7 0-6",
        "0 0 0 * * */7",
        "0 0 9 13 * Friday",
        "*/5 * * * *",
    ],
)
def test_a_schedule_that_the_host_takes_is_taken(schedule: str) -> None:
    assert read(GEM_CHECK_SCHEDULE=f" {schedule} ").check_schedule.text == schedule


def test_the_least_rate_is_one_request_in_100_seconds() -> None:
    assert read(GEM_CHECK_REQUESTS_PER_SECOND="0.01").check_requests_per_second == 0.01


def test_the_least_wait_is_not_above_the_most() -> None:
    assert problems(GEM_CHECK_MIN_SECONDS="700") == (
        "GEM_CHECK_MIN_SECONDS is more than GEM_CHECK_MAX_SECONDS",
    )
    assert read(GEM_CHECK_MIN_SECONDS="600").check_min == timedelta(minutes=10)


def test_words_are_taken_in_any_case() -> None:
    chosen = read(
        GEM_INPUT_AUDIT="FALSE",
        GEM_RESULTS_QUEUE_ENCODING="None",
        GEM_TRIGGER_SOURCE="logsandcontainerscan",
        GEM_STATE__credential="ManagedIdentity",
    )
    assert chosen.input_audit is False
    assert chosen.results_queue_encoding is QueueEncoding.NONE
    assert chosen.trigger_source is TriggerSource.CONTAINER_SCAN
    assert chosen.state.managed_identity


@pytest.mark.parametrize("name", ["default", "{storageId}", "c-{storageId}", "$web", "$root"])
def test_the_output_container_may_be_a_template_or_a_container_of_azures_own(name: str) -> None:
    assert read(GEM_OUTPUT_CONTAINER=name).output_container == name


def test_the_bounds_and_the_folder_of_ids_are_settings() -> None:
    bounds = {"GEM_IDS_MEMORY_MIB": "256", "GEM_IDS_DISK_MIB": "2048"}
    chosen = read(**bounds, GEM_IDS_FOLDER="/mnt/ids", GEM_INPUT_COMPARE="Columns")
    assert (chosen.ids_memory_bytes, chosen.ids_disk_bytes) == (256 << 20, 2 << 30)
    assert chosen.ids_folder == Path("/mnt/ids")
    assert chosen.input_compare is InputCompare.COLUMNS


def test_the_grace_time_may_be_none_at_all() -> None:
    assert read(GEM_OUTPUT_GRACE_MINUTES="0").output_grace == timedelta(0)


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("name", ["GEM_STATE", "GEM_OUTPUT", "GEM_API_KEY", "GEM_RESULTS_QUEUE"])
def test_quotation_marks_are_one_clear_problem(name: str, quote: str) -> None:
    """A file of settings for Docker keeps them. The host would take them as part of the value."""
    value = "gem-results" if name == "GEM_RESULTS_QUEUE" else STORAGE
    lines = problems(**{name: f"{quote}{value}{quote}"})
    assert lines == (f"{name} is in quotation marks, which are not part of it: remove them",)
