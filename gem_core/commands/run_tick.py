"""Runs the command `tick`. Edge: terminal."""

from gem_core.commands.exit_codes import DONE, NOT_SO
from gem_core.commands.table import plain
from gem_core.commands.terminal import print_json, print_lines
from gem_core.flows.check_jobs import check_jobs
from gem_core.watch.heartbeat import Tick
from gem_core.wiring.tick import checker


def run(*, as_json: bool) -> int:
    """Run a tick and print what it did. Returns the exit code."""
    tick = check_jobs(checker())
    if as_json:
        print_json(tick.to_json())
    else:
        print_lines([plain(_line(tick))])
    return NOT_SO if tick.remaining else DONE


def _line(tick: Tick) -> str:
    counts = {
        "checked": tick.checked,
        "settled": tick.settled,
        "sent to check_batch": tick.handed_out,
        "tickets raised again": tick.tickets_repeated,
        "problems": tick.problems,
        "remaining": tick.remaining,
    }
    done = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    text = f"{tick.due_jobs} of {tick.open_jobs} open jobs due: {done or 'nothing to do'}"
    return f"{text} ({tick.stopped})" if tick.stopped else text
