"""Every setting with its default and unit, read from a mapping. Pure.

All problems are named at once. The names are the app settings of the Functions app. README.md lists
them for operators; a test holds the two, the settings sample and `infra/` to the same names.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from cronsim import CronSim, CronSimError

from gem_core.errors import SettingsError

KEY_VAULT_REFERENCE = "@Microsoft.KeyVault("
"""What the platform leaves in a setting when it could not resolve the reference."""

DEVELOPMENT_STORAGE = "UseDevelopmentStorage=true"
_EMULATOR = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;"
    "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
)
"""What the shortcut stands for: the emulator's published account, the same on every machine. The
Functions host knows the shortcut, the Python SDK does not ("Use the Azurite emulator")."""

NCRONTAB_FIELDS = 6
"""Seconds, minutes, hours, day, month, day of the week."""

_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""A schedule is only parsed here, and the parser wants a start."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that never shows itself: not in logs, tracebacks, records or messages."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        """The value, for the one call that needs it."""
        return self._value

    def __str__(self) -> str:
        return "***"


class QueueEncoding(StrEnum):
    """How a message body is written to the results queue."""

    BASE64 = "base64"
    """What Functions queue triggers expect unless told otherwise."""
    NONE = "none"


class TriggerSource(StrEnum):
    """How the host learns of new tickets. Flex Consumption has only Event Grid."""

    EVENT_GRID = "EventGrid"
    CONTAINER_SCAN = "LogsAndContainerScan"


@dataclass(frozen=True, slots=True)
class ServicePrincipal:
    """An Entra application with a client secret."""

    tenant_id: str
    client_id: str
    client_secret: Secret


@dataclass(frozen=True, slots=True)
class Connection:
    """Storage by connection string, or by service addresses and an identity.

    The suffixes (`__blobServiceUri`, `__credential`, …) are those of the Functions connection
    settings, so the blob trigger and our own clients read the same ones.
    """

    name: str
    connection_string: Secret | None = None
    blob_service_uri: str | None = None
    queue_service_uri: str | None = None
    managed_identity: bool = False
    """Whether `__credential` says "managedidentity"; otherwise the default Azure chain is used."""
    client_id: str | None = None
    """Of a user-assigned identity."""
    principal: ServicePrincipal | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration, checked."""

    gem_base_url: str
    gem_api_key: Secret
    gem_api_version: str
    """Sent as X-Version; empty sends none."""
    gem_token_scope: str
    gem_principal: ServicePrincipal | None
    gem_bearer_token: Secret | None
    """Development only: a fixed token."""

    check_schedule: str
    """NCRONTAB of six fields, UTC."""
    check_min: timedelta
    check_max: timedelta
    check_concurrency: int
    check_requests_per_second: float
    job_deadline: timedelta
    lost_after: timedelta
    output_grace: timedelta
    redeliver_after: timedelta

    state: Connection
    results_queue: str
    results_queue_encoding: QueueEncoding
    output: Connection
    output_container: str
    input_audit: bool
    trigger_source: TriggerSource


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read all settings.

    Args:
        environment: setting name to text, such as `os.environ`.

    Raises:
        SettingsError: at least one is missing or wrong; it names every one of them.

    """
    read = _Reader(environment)
    settings = Settings(
        gem_base_url=read.url(
            "GEM_API_BASE_URL", "https://api.tomtom.com/maps/orbis/platform/gem"
        ).rstrip("/"),
        gem_api_key=Secret(read.text("GEM_API_KEY", required=True)),
        gem_api_version=read.text("GEM_API_VERSION", "1"),
        gem_token_scope=read.text("GEM_TOKEN_SCOPE", "https://gem.core.orbis.tomtom.com/.default"),
        gem_principal=read.principal("GEM_TENANT_ID", "GEM_CLIENT_ID", "GEM_CLIENT_SECRET"),
        gem_bearer_token=read.secret("GEM_BEARER_TOKEN"),
        check_schedule=read.schedule("GEM_CHECK_SCHEDULE", "0 * * * * *"),
        check_min=timedelta(seconds=read.number("GEM_CHECK_MIN_SECONDS", 30)),
        check_max=timedelta(seconds=read.number("GEM_CHECK_MAX_SECONDS", 600)),
        check_concurrency=read.count("GEM_CHECK_CONCURRENCY", 16, most=256),
        check_requests_per_second=read.number("GEM_CHECK_REQUESTS_PER_SECOND", 10),
        job_deadline=timedelta(hours=read.number("GEM_JOB_DEADLINE_HOURS", 168)),
        lost_after=timedelta(minutes=read.number("GEM_LOST_AFTER_MINUTES", 60)),
        output_grace=timedelta(minutes=read.number("GEM_OUTPUT_GRACE_MINUTES", 30, zero=True)),
        redeliver_after=timedelta(minutes=read.number("GEM_REDELIVER_AFTER_MINUTES", 10)),
        state=read.connection("GEM_STATE", queues=True),
        results_queue=read.queue_name("GEM_RESULTS_QUEUE", "gem-results"),
        results_queue_encoding=read.choice("GEM_RESULTS_QUEUE_ENCODING", QueueEncoding.BASE64),
        output=read.connection("GEM_OUTPUT", queues=False),
        output_container=read.text("GEM_OUTPUT_CONTAINER", "default"),
        input_audit=read.flag("GEM_INPUT_AUDIT", default=True),
        trigger_source=read.choice("GEM_TRIGGER_SOURCE", TriggerSource.EVENT_GRID),
    )
    if settings.check_min > settings.check_max:
        read.problems.append("GEM_CHECK_MIN_SECONDS is more than GEM_CHECK_MAX_SECONDS")
    if read.problems:
        raise SettingsError(tuple(read.problems))
    return settings


class _Reader:
    """Reads single settings; a problem is noted and a harmless value returned, so that all show."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def text(self, name: str, default: str = "", *, required: bool = False) -> str:
        value = self._environment.get(name, default).strip()
        if required and not value:
            self.problems.append(f"{name} is missing")
        if value.startswith(KEY_VAULT_REFERENCE):
            self.problems.append(
                f"{name} is an unresolved Key Vault reference: check that the secret exists and "
                "that the app's identity may read it (Key Vault Secrets User)"
            )
        return value

    def secret(self, name: str) -> Secret | None:
        value = self.text(name)
        return Secret(value) if value else None

    def url(self, name: str, default: str = "", *, required: bool = False) -> str:
        value = self.text(name, default, required=required)
        try:
            parts = urlsplit(value)
        except ValueError:
            parts = urlsplit("")
        local = parts.hostname in {"127.0.0.1", "localhost", "::1"}
        if value and not (
            parts.hostname and (parts.scheme == "https" or (local and parts.scheme == "http"))
        ):
            self.problems.append(f"{name} is not an https address (http only for this machine)")
        return value

    def number(self, name: str, default: float, *, zero: bool = False) -> float:
        text = self.text(name, str(default)) or str(default)
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or value < 0 or (value == 0 and not zero):
            self.problems.append(f"{name} is {text[:40]!r}, not a number above 0")
            return default
        return value

    def count(self, name: str, default: int, *, most: int) -> int:
        text = self.text(name, str(default)) or str(default)
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
            self.problems.append(f"{name} is {text[:40]!r}, not a whole number of 1 to {most}")
            return default
        return int(text)

    def flag(self, name: str, *, default: bool) -> bool:
        text = self.text(name).lower()
        if text in {"", "true", "false"}:
            return default if not text else text == "true"
        self.problems.append(f"{name} is {text[:40]!r}, not true or false")
        return default

    def choice[E: StrEnum](self, name: str, default: E) -> E:
        text = self.text(name, default) or default
        for member in type(default):
            if member.lower() == text.lower():
                return member
        words = " or ".join(type(default))
        self.problems.append(f"{name} is {text[:40]!r}, not {words}")
        return default

    def schedule(self, name: str, default: str) -> str:
        text = self.text(name, default) or default
        try:
            CronSim(text, _ANY_TIME)
        except CronSimError as error:
            problem = str(error)
        else:
            problem = "" if len(text.split()) == NCRONTAB_FIELDS else "six fields, seconds first"
        if problem:
            self.problems.append(f"{name} is {text[:40]!r}, not an NCRONTAB schedule: {problem}")
        return default if problem else text

    def queue_name(self, name: str, default: str) -> str:
        text = self.text(name, default) or default
        letters = text.replace("-", "")
        fits = 3 <= len(text) <= 63 and letters.isalnum() and letters.isascii()  # noqa: PLR2004
        if not fits or text != text.lower() or "--" in text or text.strip("-") != text:
            self.problems.append(
                f"{name} is {text[:70]!r}, not a queue name (3 to 63 of a-z, 0-9, single hyphens)"
            )
            return default
        return text

    def principal(self, tenant: str, client: str, secret: str) -> ServicePrincipal | None:
        values = {name: self.text(name) for name in (tenant, client, secret)}
        missing = [name for name, value in values.items() if not value]
        if len(missing) == len(values):
            return None
        self.problems.extend(f"{name} is missing: set all three or none" for name in missing)
        return ServicePrincipal(values[tenant], values[client], Secret(values[secret]))

    def connection(self, name: str, *, queues: bool) -> Connection:
        connection_string = self.secret(name)
        if connection_string == Secret(DEVELOPMENT_STORAGE):
            connection_string = Secret(_EMULATOR)
        blob = self.url(f"{name}__blobServiceUri")
        queue = self.url(f"{name}__queueServiceUri") if queues else ""
        if not connection_string and not blob:
            self.problems.append(f"{name} is missing (or {name}__blobServiceUri with an identity)")
        if blob and queues and not queue:
            self.problems.append(f"{name}__queueServiceUri is missing beside __blobServiceUri")
        credential = self.text(f"{name}__credential").lower()
        if credential not in {"", "managedidentity"}:
            self.problems.append(f"{name}__credential is not managedidentity (or leave it out)")
        client_id = self.text(f"{name}__clientId") or None
        principal = None
        if self.text(f"{name}__tenantId") or self.text(f"{name}__clientSecret"):
            principal = self.principal(
                f"{name}__tenantId", f"{name}__clientId", f"{name}__clientSecret"
            )
        return Connection(
            name=name,
            connection_string=connection_string,
            blob_service_uri=blob or None,
            queue_service_uri=queue or None,
            managed_identity=bool(credential),
            client_id=client_id,
            principal=principal,
        )
