"""Finds the secrets in the environment of the process, so that they can be kept out of texts. Pure.

They are found by the names of settings and by the form of values. So a secret is found too if other
settings are missing or invalid.
"""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from gem_core.settings.reader import is_reference
from gem_core.settings.rules import is_guid

_SECRETS = re.compile(
    "GEM_API_KEY|GEM_BEARER_TOKEN|GEM_CLIENT_SECRET|GEM_(?:STATE|OUTPUT)__clientSecret"
    "|AZURE_CLIENT_SECRET|IDENTITY_HEADER|MSI_SECRET"
)
"""Ours, and those that the platform and Azure's default chain of credentials use."""
_CLIENT_IDS = re.compile("GEM_CLIENT_ID|GEM_(?:STATE|OUTPUT)__clientId")
"""No secrets, unless somebody swapped an id and its secret."""
_PART = re.compile(r"(?:sig|AccountKey|SharedAccessKey)=([^;&\s]+)", re.IGNORECASE)
"""The secret part of an address or of a connection string."""


def secrets_of(environment: Mapping[str, str]) -> Iterator[str]:
    """Each secret among these texts by name, such as `os.environ`."""
    for name, text in environment.items():
        value = text.strip()
        if _SECRETS.fullmatch(name) and not is_reference(value):
            yield value
        if _CLIENT_IDS.fullmatch(name) and not is_guid(value):
            yield value
        yield from parts_of(value)


def parts_of(text: str) -> Iterator[str]:
    """Each secret part of an address or of a connection string, without percent-encoding."""
    for found in _PART.finditer(text):
        yield unquote(found[1])
