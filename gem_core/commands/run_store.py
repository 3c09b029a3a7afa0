"""Runs `store release`. Edge: terminal."""

from gem_core.commands.exit_codes import DONE
from gem_core.commands.table import plain
from gem_core.commands.terminal import print_json, print_lines
from gem_core.storage.names import WORKLIST
from gem_core.watch.store_claim import Owner, StoreClaim
from gem_core.wiring.environment import now
from gem_core.wiring.stores import stores


def release(*, as_json: bool) -> int:
    """End the claim to the storage and print who had it. Returns the exit code."""
    had = StoreClaim(stores().documents(WORKLIST), Owner("", ""), now).release()
    if as_json:
        print_json({"released": had or None})
    else:
        print_lines([plain(f"released: {had}" if had else "no app has claimed this storage")])
    return DONE
