"""The least settings with which the app starts, and what it says of others."""

import pytest

from gem_core.errors import SettingsError
from gem_core.settings.app_settings import Settings, read_settings

STORAGE = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=c2VjcmV0LWtleQ=="
TENANT = "5e0b1d3c-7c4f-4f0e-9d61-2a8b3c4d5e6f"
CLIENT = "0c9a4f0e-2b1d-4c3e-8f7a-6d5c4b3a2918"
MINUTELY = "0 * * * * *"
LEAST = {
    "GEM_API_KEY": "top-secret-key",
    "GEM_STATE": STORAGE,
    "GEM_OUTPUT": STORAGE,
    "GEM_CHECK_SCHEDULE": MINUTELY,
}


def read(**changes: str) -> Settings:
    return read_settings(LEAST | changes)


def problems(**changes: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        read(**changes)
    assert all(line in str(caught.value) for line in caught.value.problems)
    return caught.value.problems
