"""All settings with their defaults and units, read from a mapping. Pure.

All missing and invalid settings are reported together. The names are those of the app settings in
Azure Functions. docs/settings.md lists them for operators. Tests compare it, the sample file and
`infra/` with this module.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from gem_core.errors import SettingsError
from gem_core.secret import Secret
from gem_core.settings.connection import Connection, ServicePrincipal
from gem_core.settings.connection_reader import (
    check_host_reads_the_same,
    read_connection,
    read_store,
)
from gem_core.settings.ncrontab import Schedule
from gem_core.settings.reader import SettingReader
from gem_core.settings.route import Route
from gem_core.settings.route_reader import read_routes
from gem_core.settings.store_address import StoreAddress

_SCHEDULE, _MINUTELY = "GEM_CHECK_SCHEDULE", "0 * * * * *"
"""The trigger reads this setting itself, so the app requires it. The commands do not."""
MAX_CONCURRENCY = 256
"""Concurrent requests to GEM."""
MIN_REQUESTS_PER_SECOND = 0.01
"""With a lower rate, a tick of four minutes could end before its first request."""
MAX_BATCH_SIZE = 200
"""Jobs. This many of the longest ids are 43 KiB, which fit into a queue message in base64."""
MAX_KEEP_DAYS = 36_500
"""A hundred years."""
MAX_FAILING_ROWS = 1_000
"""Of each check. All rows of a file take at most 4 MiB (`audit.child.failures`)."""
MAX_IDS_MIB = 65_536
"""More memory than any instance has."""
MAX_IDS_DISK_MIB = MAX_OVERTURE_MIB = 1_048_576
"""One TiB."""


class QueueEncoding(StrEnum):
    """The encoding of messages in the results queues."""

    BASE64 = "base64"
    """The default of Functions queue triggers."""
    NONE = "none"


class InputCompare(StrEnum):
    """What is compared with the input. Names and types of columns are always compared."""

    IDS = "ids"
    COLUMNS = "columns"
    """Ids, and every value of every column. This reads both files completely."""


class TriggerSource(StrEnum):
    """How the host detects new tickets. The Flex Consumption plan supports only Event Grid."""

    EVENT_GRID = "EventGrid"
    CONTAINER_SCAN = "LogsAndContainerScan"


@dataclass(frozen=True, slots=True)
class StateSettings:
    """The state storage, the routes, and the operator's intervals and deadlines.

    These settings are enough to manage jobs, without GEM's key and without GEM's storage.
    """

    state: Connection
    routes: tuple[Route, ...]
    """The default route first, if there is one. One of them takes every job."""
    results_queue_encoding: QueueEncoding
    """Of the messages on the queues of all routes."""
    check_schedule: Schedule
    """In UTC."""
    check_min: timedelta
    check_max: timedelta
    job_deadline: timedelta
    lost_after: timedelta
    repeat_ticket_after: timedelta


@dataclass(frozen=True, slots=True)
class Settings(StateSettings):
    """All settings."""

    gem_base_url: str
    gem_api_key: Secret
    gem_api_version: str
    """Sent as X-Version; empty sends none."""
    gem_token_scope: str
    gem_principal: ServicePrincipal | None
    gem_bearer_token: Secret | None
    """A fixed token, only for development."""

    check_concurrency: int
    check_requests_per_second: float
    check_batch_size: int
    """Jobs in each message to `check_batch`. With 0, the tick itself asks GEM about all jobs."""
    output_grace: timedelta
    discover: tuple[str, ...]
    """Prefixes of the inputs whose jobs are discovered; empty: GEM is not asked for its list."""
    discover_max_age: timedelta
    discover_every: timedelta

    keep: timedelta
    """How long delivered jobs are kept; zero: for ever."""

    output: Connection
    output_container: str
    input_audit: bool
    input_compare: InputCompare
    ids_memory_bytes: int
    """Memory for ids while they are counted and compared."""
    ids_disk_bytes: int
    """Disk for ids that do not fit into memory."""
    ids_folder: Path | None
    """Folder for ids that do not fit into memory. None is the system's temporary directory."""
    report_page: bool
    report_map: bool
    report_page_url: str
    """The address of a page for readers of manifests, with placeholders; empty for none."""
    failing_rows: int
    """How many failing rows of each check a delivery stores; 0: none."""
    overture: StoreAddress | None
    """Where Overture's changelog lies; None: GERS ids are not looked up."""
    overture_max_bytes: int
    """Of it that one delivery may read."""
    trigger_source: TriggerSource


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read all settings.

    Args:
        environment: texts by setting name, such as `os.environ`.

    Raises:
        SettingsError: settings are missing or invalid; the error names all of them.

    """
    settings, problems = read_settings_and_problems(environment)
    if problems:
        raise SettingsError(problems)
    return settings


def read_settings_and_problems(environment: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
    """All settings, and a text about each missing or invalid one.

    A missing or invalid setting has a harmless value. Each text begins with the setting's name.
    """
    read = SettingReader(environment)
    state = _state_settings(read)
    if not read.is_set(_SCHEDULE):
        read.problems.append(
            f"{_SCHEDULE} is missing or empty: the timer's trigger has no default, so set it "
            f"to {_MINUTELY}"
        )
    settings = Settings(
        **{member.name: getattr(state, member.name) for member in fields(state)},
        gem_base_url=read.url(
            "GEM_API_BASE_URL", "https://api.tomtom.com/maps/orbis/platform/gem"
        ).rstrip("/"),
        gem_api_key=Secret(read.header("GEM_API_KEY", required=True)),
        gem_api_version=read.header("GEM_API_VERSION", "1", may_be_empty=True),
        gem_token_scope=read.scope("GEM_TOKEN_SCOPE", "https://gem.core.orbis.tomtom.com/.default"),
        gem_principal=read.principal("GEM_TENANT_ID", "GEM_CLIENT_ID", "GEM_CLIENT_SECRET"),
        gem_bearer_token=Secret(token) if (token := read.header("GEM_BEARER_TOKEN")) else None,
        check_concurrency=read.count("GEM_CHECK_CONCURRENCY", 16, most=MAX_CONCURRENCY),
        check_requests_per_second=read.number(
            "GEM_CHECK_REQUESTS_PER_SECOND", 10, least=MIN_REQUESTS_PER_SECOND
        ),
        check_batch_size=read.count("GEM_CHECK_BATCH_SIZE", 0, most=MAX_BATCH_SIZE, zero=True),
        output_grace=timedelta(minutes=read.number("GEM_OUTPUT_GRACE_MINUTES", 30, zero=True)),
        discover=read.texts("GEM_DISCOVER"),
        discover_max_age=timedelta(hours=read.number("GEM_DISCOVER_MAX_AGE_HOURS", 24)),
        discover_every=timedelta(minutes=read.number("GEM_DISCOVER_EVERY_MINUTES", 10)),
        keep=timedelta(days=read.count("GEM_KEEP_DAYS", 0, most=MAX_KEEP_DAYS, zero=True)),
        output=read_connection(read, "GEM_OUTPUT", queues=False),
        output_container=read.container("GEM_OUTPUT_CONTAINER", "default"),
        input_audit=read.flag("GEM_INPUT_AUDIT", default=True),
        input_compare=read.choice("GEM_INPUT_COMPARE", InputCompare.IDS),
        ids_memory_bytes=read.count("GEM_IDS_MEMORY_MIB", 64, most=MAX_IDS_MIB) << 20,
        ids_disk_bytes=read.count("GEM_IDS_DISK_MIB", 512, most=MAX_IDS_DISK_MIB) << 20,
        ids_folder=Path(folder) if (folder := read.text("GEM_IDS_FOLDER")) else None,
        report_page=read.flag("GEM_REPORT_PAGE", default=True),
        report_map=read.flag("GEM_REPORT_MAP", default=True),
        report_page_url=read.page_url("GEM_REPORT_PAGE_URL"),
        failing_rows=read.count("GEM_FAILING_ROWS", 0, most=MAX_FAILING_ROWS, zero=True),
        overture=read_store(read, "GEM_OVERTURE"),
        overture_max_bytes=read.count("GEM_OVERTURE_MAX_MIB", 2048, most=MAX_OVERTURE_MIB) << 20,
        trigger_source=read.choice("GEM_TRIGGER_SOURCE", TriggerSource.EVENT_GRID),
    )
    return settings, tuple(read.problems)


def read_state_settings(environment: Mapping[str, str]) -> StateSettings:
    """Read only the settings of the state storage. Raises SettingsError as `read_settings` does."""
    read = SettingReader(environment)
    settings = _state_settings(read)
    if read.problems:
        raise SettingsError(tuple(read.problems))
    return settings


def _state_settings(read: SettingReader) -> StateSettings:
    settings = StateSettings(
        state=read_connection(read, "GEM_STATE", queues=True),
        routes=read_routes(read),
        results_queue_encoding=read.choice("GEM_RESULTS_QUEUE_ENCODING", QueueEncoding.BASE64),
        check_schedule=read.schedule(_SCHEDULE, _MINUTELY),
        check_min=timedelta(seconds=read.number("GEM_CHECK_MIN_SECONDS", 30)),
        check_max=timedelta(seconds=read.number("GEM_CHECK_MAX_SECONDS", 600)),
        job_deadline=timedelta(hours=read.number("GEM_JOB_DEADLINE_HOURS", 168)),
        lost_after=timedelta(minutes=read.number("GEM_LOST_AFTER_MINUTES", 60)),
        repeat_ticket_after=timedelta(minutes=read.number("GEM_REPEAT_TICKET_AFTER_MINUTES", 15)),
    )
    check_host_reads_the_same(read, "GEM_STATE")
    if settings.check_min > settings.check_max:
        read.problems.append("GEM_CHECK_MIN_SECONDS is more than GEM_CHECK_MAX_SECONDS")
    return settings
