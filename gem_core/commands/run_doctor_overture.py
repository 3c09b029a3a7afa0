"""Runs `doctor --overture`. Edge: terminal."""

from gem_core.audit.overture.described import describe
from gem_core.commands.exit_codes import DONE
from gem_core.commands.table import plain
from gem_core.commands.terminal import print_json, print_lines
from gem_core.wiring.overture import named_storage


def run_overture(text: str, release: str | None, *, as_json: bool) -> int:
    """Print what a changelog looks like. Raises CourierError."""
    storage, way = named_storage(text, "--overture")
    lines = [plain(line) for line in (way, *describe(storage, release))]
    if as_json:
        print_json({"overture": lines})
    else:
        print_lines(lines)
    return DONE
