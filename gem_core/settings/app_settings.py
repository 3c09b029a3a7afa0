"""Every setting with its default and unit, read from a mapping. Pure.

All missing and invalid settings are reported together. The names are those of the Functions app's
app settings. README.md lists them for operators; tests keep README, sample and `infra/` in step.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from gem_core.errors import SettingsError
from gem_core.secret import Secret
from gem_core.settings.connection import Connection, ServicePrincipal
from gem_core.settings.connection_reader import read_connection
from gem_core.settings.reader import SettingReader

MAX_CONCURRENCY = 256
"""Requests to GEM in flight at the same time."""
MIN_REQUESTS_PER_SECOND = 0.01
"""With less, a tick of four minutes could end before its first request."""
MAX_BATCH_SIZE = 200
"""Jobs: so many of the longest ids make 43 KiB, which base64 still fits into a message."""
MAX_IDS_MIB = 65_536
"""More than any instance has."""


class QueueEncoding(StrEnum):
    """How a message body is written to the results queue."""

    BASE64 = "base64"
    """What Functions queue triggers expect by default."""
    NONE = "none"


class InputCompare(StrEnum):
    """What of the input is compared with the output, beside the columns' names and types."""

    IDS = "ids"
    COLUMNS = "columns"
    """Also every value of every column, which reads both files completely."""


class TriggerSource(StrEnum):
    """How the host learns of new tickets. Flex Consumption has only Event Grid."""

    EVENT_GRID = "EventGrid"
    CONTAINER_SCAN = "LogsAndContainerScan"


@dataclass(frozen=True, slots=True)
class StateSettings:
    """Our own state and the operator's limits: enough to manage jobs without GEM's key and without
    GEM's storage.
    """

    state: Connection
    check_schedule: str
    """NCRONTAB of six fields, UTC."""
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
    """Development only: a fixed token."""

    check_concurrency: int
    check_requests_per_second: float
    check_batch_size: int
    """Jobs that a tick hands to a run of `check_batch`; with 0 the tick asks GEM itself."""
    output_grace: timedelta

    results_queue: str
    results_queue_encoding: QueueEncoding
    output: Connection
    output_container: str
    input_audit: bool
    input_compare: InputCompare
    ids_memory_bytes: int
    """Memory for ids while they are counted and compared."""
    ids_folder: Path | None
    """For ids that do not fit into memory; None is the system's temporary directory."""
    report_page: bool
    report_map: bool
    trigger_source: TriggerSource


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read all settings.

    Args:
        environment: setting name to text, such as `os.environ`.

    Raises:
        SettingsError: it names all missing and invalid settings.

    """
    settings, problems = survey_settings(environment)
    if problems:
        raise SettingsError(problems)
    return settings


def survey_settings(environment: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
    """All settings, and what is missing or invalid: an invalid one has a harmless value.

    Each problem begins with the name of its setting.
    """
    read = SettingReader(environment)
    state = _state_settings(read)
    settings = Settings(
        **{member.name: getattr(state, member.name) for member in fields(state)},
        gem_base_url=read.url(
            "GEM_API_BASE_URL", "https://api.tomtom.com/maps/orbis/platform/gem"
        ).rstrip("/"),
        gem_api_key=Secret(read.header("GEM_API_KEY", required=True)),
        gem_api_version=read.header("GEM_API_VERSION", "1", may_be_empty=True),
        gem_token_scope=read.text("GEM_TOKEN_SCOPE", "https://gem.core.orbis.tomtom.com/.default"),
        gem_principal=read.principal("GEM_TENANT_ID", "GEM_CLIENT_ID", "GEM_CLIENT_SECRET"),
        gem_bearer_token=Secret(token) if (token := read.header("GEM_BEARER_TOKEN")) else None,
        check_concurrency=read.count("GEM_CHECK_CONCURRENCY", 16, most=MAX_CONCURRENCY),
        check_requests_per_second=read.number(
            "GEM_CHECK_REQUESTS_PER_SECOND", 10, least=MIN_REQUESTS_PER_SECOND
        ),
        check_batch_size=read.count("GEM_CHECK_BATCH_SIZE", 0, most=MAX_BATCH_SIZE, zero=True),
        output_grace=timedelta(minutes=read.number("GEM_OUTPUT_GRACE_MINUTES", 30, zero=True)),
        results_queue=read.queue_name("GEM_RESULTS_QUEUE", "gem-results"),
        results_queue_encoding=read.choice("GEM_RESULTS_QUEUE_ENCODING", QueueEncoding.BASE64),
        output=read_connection(read, "GEM_OUTPUT", queues=False),
        output_container=read.container("GEM_OUTPUT_CONTAINER", "default"),
        input_audit=read.flag("GEM_INPUT_AUDIT", default=True),
        input_compare=read.choice("GEM_INPUT_COMPARE", InputCompare.IDS),
        ids_memory_bytes=read.count("GEM_IDS_MEMORY_MIB", 64, most=MAX_IDS_MIB) << 20,
        ids_folder=Path(folder) if (folder := read.text("GEM_IDS_FOLDER")) else None,
        report_page=read.flag("GEM_REPORT_PAGE", default=True),
        report_map=read.flag("GEM_REPORT_MAP", default=True),
        trigger_source=read.choice("GEM_TRIGGER_SOURCE", TriggerSource.EVENT_GRID),
    )
    return settings, tuple(read.problems)


def read_state_settings(environment: Mapping[str, str]) -> StateSettings:
    """Read only the settings of our own state; see `read_settings`."""
    read = SettingReader(environment)
    settings = _state_settings(read)
    if read.problems:
        raise SettingsError(tuple(read.problems))
    return settings


def _state_settings(read: SettingReader) -> StateSettings:
    settings = StateSettings(
        state=read_connection(read, "GEM_STATE", queues=True),
        check_schedule=read.schedule("GEM_CHECK_SCHEDULE", "0 * * * * *"),
        check_min=timedelta(seconds=read.number("GEM_CHECK_MIN_SECONDS", 30)),
        check_max=timedelta(seconds=read.number("GEM_CHECK_MAX_SECONDS", 600)),
        job_deadline=timedelta(hours=read.number("GEM_JOB_DEADLINE_HOURS", 168)),
        lost_after=timedelta(minutes=read.number("GEM_LOST_AFTER_MINUTES", 60)),
        repeat_ticket_after=timedelta(minutes=read.number("GEM_REPEAT_TICKET_AFTER_MINUTES", 10)),
    )
    if settings.check_min > settings.check_max:
        read.problems.append("GEM_CHECK_MIN_SECONDS is more than GEM_CHECK_MAX_SECONDS")
    return settings
