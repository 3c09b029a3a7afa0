"""The settings of a `local.settings.json`, the file of the Functions Core Tools. Edge: a file."""

import json
from pathlib import Path

from gem_core.errors import RequestError


def read_settings_file(path: Path) -> dict[str, str]:
    """The values of the file, by name.

    Raises:
        RequestError: it is not there, is no such file, or is encrypted.

    """
    try:
        held = json.loads(path.read_bytes())
    except OSError as error:
        raise RequestError(f"--settings: {path}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise RequestError(f"--settings: {path} is no JSON") from None
    values = held.get("Values") if isinstance(held, dict) else None
    if not isinstance(values, dict) or not all(isinstance(text, str) for text in values.values()):
        raise RequestError(
            f"--settings: {path} has no Values of strings, as local.settings.json has"
        )
    if held.get("IsEncrypted"):
        raise RequestError(f"--settings: {path} is encrypted: func settings decrypt")
    return values
