"""A part of a report as JSON."""

import json
from typing import Any


def plain(value: dict[str, Any]) -> dict[str, Any]:
    """Through JSON, which refuses NaN and the infinities."""
    again: dict[str, Any] = json.loads(json.dumps(value, allow_nan=False))
    assert again == value
    return again
