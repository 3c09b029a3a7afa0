"""Runs the command `send-test`. Edge: terminal, random ids."""

from uuid import uuid4

from gem_core.commands.exit_codes import DONE, NOT_SO
from gem_core.commands.table import plain
from gem_core.commands.terminal import print_error, print_json, print_lines
from gem_core.deliver.sample import sample_manifest
from gem_core.errors import RequestError
from gem_core.settings.route import route_of
from gem_core.wiring.environment import now, state_settings
from gem_core.wiring.stores import stores


def run(name: str, *, as_json: bool) -> int:
    """Send a test message to the queue of a route. Returns the exit code.

    Raises:
        SettingsError: a setting of the state storage or of the routes is missing or invalid.
        StoreError: the queue refused the message or did not answer.

    """
    chosen = state_settings()
    try:
        route = route_of(chosen.routes, name)
    except RequestError as error:
        print_error(str(error))
        return NOT_SO
    event = sample_manifest(uuid4().hex, now())
    stores().results_queue(route.queue, chosen.results_queue_encoding).send(event.body)
    if as_json:
        print_json({"route": route.name, "queue": route.queue, "id": event.id})
    else:
        print_lines([plain(f"sent to the queue {route.queue}: {event.id}")])
    return DONE
