"""The script of a job, and its JSON form in the control API. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from devkit.simulator.generation import PAGE, Generation
from devkit.simulator.large_output import LargeOutput
from devkit.simulator.life import CLEAN, LIVES, Life, OutputFault, Trouble

MOST_ROWS = 200_000
"""The files of a job are created in memory. `large_output` can write larger files."""

OVERTURE_RELEASE = "2026-01-21.0"


@dataclass(frozen=True, slots=True)
class Script:
    """The description of a job that will be created."""

    life: Life = CLEAN
    rows: int = 400
    seed: int = 0
    input_file_name: str | None = None
    """None for the job's id and ".parquet"."""
    upload_input: bool = True
    storage_id: str = "storage-001"
    matching_type: str = "road"
    overture_release: str = OVERTURE_RELEASE
    generation: Generation = PAGE
    """Whose words the answers and the output have."""
    large_output: LargeOutput | None = None
    """An output that was written before. `rows` and `seed` are then ignored."""


class ScriptError(Exception):
    """The JSON is not a valid script; the message names all problems."""


def read_script(value: object) -> Script:
    """Read the body of `PUT /control/jobs/{jobRunId}`.

    All keys are optional. `life` is one of `LIVES`. `queuedFor`, `runningFor`, `lateBy`,
    `overwriteAfter`, `vanishesAfter` (in simulated seconds), `troubles` and `outputFault` change
    this life. `rows`, `seed`, `inputFileName` and `uploadInput` describe the files.

    Raises:
        ScriptError: a key is unknown or a value is invalid.

    """
    if not isinstance(value, Mapping):
        raise ScriptError("a JSON object is expected")
    problems: list[str] = []
    life_name = value.get("life", CLEAN.name)
    life = LIVES.get(life_name) if isinstance(life_name, str) else None
    if life is None:
        problems.append(f"life is not one of {', '.join(LIVES)}")
    changes: dict[str, Any] = {}
    job: dict[str, Any] = {}
    for key, received in value.items():
        if key == "life":
            continue
        target, (field, read) = changes, _LIFE_KEYS.get(key, (None, _flag))
        if field is None:
            target, (field, read) = job, _JOB_KEYS.get(key, (None, _flag))
        if field is None:
            problems.append(f"{key} is unknown")
            continue
        try:
            target[field] = read(received)
        except ValueError as error:
            problems.append(f"{key}: {error}")
    if problems or life is None:
        raise ScriptError("; ".join(problems))
    return Script(life=replace(life, **changes), **job)


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:  # noqa: PLR2004 - thirty years
        raise ValueError("seconds are expected")
    return float(value)


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a whole number is expected")
    return value


def _rows(value: object) -> int:
    rows = _whole(value)
    if not 1 <= rows <= MOST_ROWS:
        raise ValueError(f"1 to {MOST_ROWS} is expected")
    return rows


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false is expected")
    return value


def _name(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a name is expected")
    return value


def _fault(value: object) -> OutputFault:
    return OutputFault(_name(value))


def _troubles(value: object) -> tuple[Trouble | None, ...]:
    if not isinstance(value, list):
        raise ValueError("a list is expected")
    return tuple(None if item is None else Trouble(_name(item)) for item in value)


type _Key = tuple[str | None, Callable[[object], object]]

_LIFE_KEYS: dict[str, _Key] = {
    "queuedFor": ("queued_for", _seconds),
    "runningFor": ("running_for", _seconds),
    "lateBy": ("late_by", _seconds),
    "overwriteAfter": ("overwrite_after", _seconds),
    "vanishesAfter": ("vanishes_after", _seconds),
    "troubles": ("troubles", _troubles),
    "outputFault": ("output_fault", _fault),
}
_JOB_KEYS: dict[str, _Key] = {
    "rows": ("rows", _rows),
    "seed": ("seed", _whole),
    "inputFileName": ("input_file_name", _name),
    "uploadInput": ("upload_input", _flag),
}
