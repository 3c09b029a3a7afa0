"""Runs `poison list` and `poison replay`. Edge: terminal."""

from collections.abc import Collection

from gem_core.commands.exit_codes import DONE, NOT_SO
from gem_core.commands.job_text import poison_counts, poison_table
from gem_core.commands.table import plain
from gem_core.commands.terminal import print_error, print_json, print_lines, terminal_width
from gem_core.flows import replay_poison as replaying
from gem_core.wiring.environment import now
from gem_core.wiring.managers import state_manager


def list_messages(*, as_json: bool) -> int:
    """Print the messages of the poison queues. Returns the exit code."""
    found = replaying.list_poison(state_manager())
    if as_json:
        print_json(found)
        return DONE
    if found["messages"]:
        print_lines(poison_table(found["messages"], now(), width=terminal_width()))
    print_lines(poison_counts(found["queues"]))
    return DONE


def replay_messages(job_run_ids: Collection[str], *, as_json: bool) -> int:
    """Replay poison messages and print each result. Returns the exit code.

    Args:
        job_run_ids: only messages about these jobs; empty for all messages.
        as_json: print one JSON object for each message.

    """
    seen: set[str] = set()
    code = DONE
    for line in replaying.replay_poison(state_manager(), set(job_run_ids)):
        seen.add(line["jobRunId"] or "")
        if line["kept"]:
            code = NOT_SO
        if as_json:
            print_json(line, indent=None)
        else:
            kept = f"; message {line['messageId']} stays in {line['queue']}"
            text = f"{line['jobRunId'] or 'a message'}: {line['result']}"
            print_lines([plain(text + (kept if line["kept"] else ""))])
    missing = [job_run_id for job_run_id in job_run_ids if job_run_id not in seen]
    for job_run_id in missing:
        print_error(f"{plain(job_run_id)}: this job has no poison message")
    if not seen and not job_run_ids and not as_json:
        print_lines(["no poison messages"])
    return NOT_SO if missing else code
