"""Runs `store release`. Edge: terminal."""

from gem_core.commands.exit_codes import DONE
from gem_core.commands.table import plain
from gem_core.commands.terminal import print_json, print_lines
from gem_core.wiring.stores import stores


def release(*, as_json: bool) -> int:
    """End the claim to the storage and print which app had it. Returns the exit code."""
    app = stores().heartbeat.release()
    if as_json:
        print_json({"released": app or None})
    else:
        print_lines([plain(f"released: {app}" if app else "no app claims this storage")])
    return DONE
