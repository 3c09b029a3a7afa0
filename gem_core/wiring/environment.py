"""The settings and the clock of this process. Edge: only this module reads the environment.

Whoever reads settings here makes their secrets known first, so that no text of this process shows
them.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime

from gem_core.errors import SettingsError
from gem_core.once import Once
from gem_core.redaction import remember
from gem_core.settings.app_settings import (
    Settings,
    StateSettings,
    read_settings,
    read_settings_and_problems,
    read_state_settings,
)
from gem_core.settings.connection import Connection
from gem_core.settings.connection_reader import read_connection
from gem_core.settings.reader import SettingReader
from gem_core.settings.rules import is_guid
from gem_core.settings.secrets import secrets_of


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


def use_settings(values: Mapping[str, str]) -> None:
    """Replace all GEM_ settings of the environment. Call this before anything is built."""
    for name in [name for name in os.environ if name.startswith("GEM_")]:
        del os.environ[name]
    os.environ.update(values)


def app_name() -> str:
    """The name that Azure gives to all instances of an app; empty elsewhere.

    A deployment slot is an app of its own, with an identity of its own, and has the site's name
    too. So its name is added, as the Functions host does (`GetAzureWebsiteUniqueSlotName`).
    """
    site, slot = (os.environ.get(f"WEBSITE_{word}_NAME", "") for word in ("SITE", "SLOT"))
    return f"{site}-{slot}" if site and slot and slot.lower() != "production" else site


def default_client_id() -> str:
    """The client id that Azure's default credentials use; empty for another one or none."""
    client_id = os.environ.get("AZURE_CLIENT_ID", "")
    return client_id if is_guid(client_id) else ""


def system_environment() -> Mapping[str, str]:
    """The environment of this process as it is. Another process may get a few names of it."""
    return os.environ


@Once
def settings() -> Settings:
    """All app settings. Raises SettingsError with all missing and invalid settings."""
    return read_settings(_environment())


@Once
def state_settings() -> StateSettings:
    """The settings of the state storage. Raises SettingsError."""
    return read_state_settings(_environment())


def settings_and_problems() -> tuple[Settings, tuple[str, ...]]:
    """All app settings, and what is missing or invalid; see `read_settings_and_problems`."""
    return read_settings_and_problems(_environment())


def output_connection() -> Connection:
    """The connection to GEM's storage. Ignores all other settings. Raises SettingsError."""
    read = SettingReader(_environment())
    output = read_connection(read, "GEM_OUTPUT", queues=False)
    if read.problems:
        raise SettingsError(tuple(read.problems))
    return output


def _environment() -> Mapping[str, str]:
    remember(*secrets_of(os.environ))
    return os.environ
