"""The settings and the clock of this process. Edge: the only place that reads the environment."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache

from gem_core.errors import SettingsError
from gem_core.settings.app_settings import (
    Settings,
    StateSettings,
    read_settings,
    read_state_settings,
    survey_settings,
)
from gem_core.settings.connection import Connection
from gem_core.settings.connection_reader import read_connection
from gem_core.settings.reader import SettingReader


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def use_settings(values: Mapping[str, str]) -> None:
    """Replace all GEM_ settings of the environment. Call it before anything is built."""
    for name in [name for name in os.environ if name.startswith("GEM_")]:
        del os.environ[name]
    os.environ.update(values)


@cache
def settings() -> Settings:
    """All app settings. Raises SettingsError, which names all missing and invalid ones."""
    return read_settings(os.environ)


@cache
def state_settings() -> StateSettings:
    """The settings that concern our own state. Raises SettingsError."""
    return read_state_settings(os.environ)


def survey() -> tuple[Settings, tuple[str, ...]]:
    """All app settings, and what is missing or invalid."""
    return survey_settings(os.environ)


def output_connection() -> Connection:
    """GEM's storage alone, whatever the other settings are. Raises SettingsError."""
    read = SettingReader(os.environ)
    output = read_connection(read, "GEM_OUTPUT", queues=False)
    if read.problems:
        raise SettingsError(tuple(read.problems))
    return output
