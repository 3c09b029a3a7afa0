"""The stories of `poison list` and `poison replay`. Edge: terminal."""

from collections.abc import Collection

from gem_core.commands.exit_codes import DONE, NOT_SO
from gem_core.commands.job_text import poison_table
from gem_core.commands.table import plain
from gem_core.commands.terminal import complain, say, say_json, terminal_width
from gem_core.flows import replay_poison as replaying
from gem_core.wiring.environment import now
from gem_core.wiring.managers import poison_manager


def list_messages(*, as_json: bool) -> int:
    """Print what lies on the queues of failed messages."""
    found = replaying.list_poison(poison_manager())
    if as_json:
        say_json(found)
        return DONE
    if found["messages"]:
        say(poison_table(found["messages"], now(), width=terminal_width()))
    say(f"{queue['queue']}: {queue['messages']} messages" for queue in found["queues"])
    return DONE


def replay_messages(job_run_ids: Collection[str], *, as_json: bool) -> int:
    """Take failed messages up again; tell of each as it is done."""
    seen: set[str] = set()
    code = DONE
    for line in replaying.replay_poison(poison_manager(), set(job_run_ids)):
        seen.add(line["jobRunId"] or "")
        if line["kept"]:
            code = NOT_SO
        if as_json:
            say_json(line, indent=None)
        else:
            kept = f"; message {line['messageId']} is kept in {line['queue']}"
            text = f"{line['jobRunId'] or 'a message'}: {line['result']}"
            say([plain(text + (kept if line["kept"] else ""))])
    missing = [job_run_id for job_run_id in job_run_ids if job_run_id not in seen]
    for job_run_id in missing:
        complain(f"{plain(job_run_id)}: no failed message is about it")
    if not seen and not job_run_ids and not as_json:
        say(["no message failed too often"])
    return NOT_SO if missing else code
