"""Reads a `local.settings.json`, the settings file of the Functions Core Tools. Edge: a file.

The rules are those of Core Tools (AppSettingsFile, read by Newtonsoft.Json into a dictionary of
strings). Comments and trailing commas are allowed. A number is the text in the file, true and false
are texts, and null means that the setting is absent. An error names the line and the setting, but
never a value.
"""

import json
import re
from pathlib import Path
from typing import Any

from gem_core.errors import SettingsError

_STRING = r'"(?:[^"\\\n]|\\.)*"'
_COMMENT = re.compile(rf"{_STRING}|//[^\r\n]*|/\*.*?\*/", re.DOTALL)
_TRAILING_COMMA = re.compile(rf"{_STRING}|,(?=\s*[}}\]])")
_NAME = re.compile(r'"([A-Za-z][A-Za-z0-9_.:-]{0,99})"\s*:', re.ASCII)


def read_settings_file(path: Path) -> dict[str, str]:
    """The values of the file, by name.

    Raises:
        SettingsError: the file cannot be read, has another form, or is encrypted.

    """
    try:
        body = path.read_bytes()
        text = body.decode(json.detect_encoding(body))
    except OSError as error:
        raise _problem(f"{path}: {error.strerror}") from None
    except ValueError:
        raise _problem(f"{path} is not UTF-8 or UTF-16") from None
    content = _parse(path, text)
    values = content.get("Values") if isinstance(content, dict) else None
    if not isinstance(values, dict):
        raise _problem(f"{path} has no object Values: it must have the form of local.settings.json")
    if str(content.get("IsEncrypted")).lower() == "true":
        raise _problem(f"{path} is encrypted: run func settings decrypt")
    nested = [name for name, value in values.items() if isinstance(value, dict | list)]
    if nested:
        raise SettingsError(
            tuple(
                f"{_place(path, text, name)} is an object or a list, not a text" for name in nested
            )
        )
    return {name: _text(value) for name, value in values.items() if value is not None}


def _parse(path: Path, text: str) -> Any:  # noqa: ANN401 - any JSON value
    plain = _without(_TRAILING_COMMA, _without(_COMMENT, text))
    try:
        return json.loads(plain, parse_int=str, parse_float=str, parse_constant=str)
    except json.JSONDecodeError as error:
        names = _NAME.findall(plain, 0, error.pos)
        last = f", at or after {names[-1]}" if names else ""
        raise _problem(f"{path}, line {error.lineno}{last}: not JSON: {error.msg}") from None
    except RecursionError:
        raise _problem(f"{path} is nested too deeply") from None


def _without(pattern: re.Pattern[str], text: str) -> str:
    """Replace matches outside strings by blanks, so that line numbers stay the same."""
    return pattern.sub(
        lambda found: found[0] if found[0].startswith('"') else re.sub(r"[^\n]", " ", found[0]),
        text,
    )


def _place(path: Path, text: str, name: str) -> str:
    found = re.search(rf"{re.escape(json.dumps(name))}\s*:", text)
    line = f", line {text.count('\n', 0, found.start()) + 1}" if found else ""
    return f"{path}{line}: {name[:100]}"


def _text(value: str | bool) -> str:  # noqa: FBT001 - a value of the file
    return value if isinstance(value, str) else str(value).lower()


def _problem(text: str) -> SettingsError:
    return SettingsError((text,))
