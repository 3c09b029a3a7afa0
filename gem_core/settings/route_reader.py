"""Reads the routes from GEM_RESULTS_QUEUE and GEM_RESULTS_ROUTES. Pure.

A problem names the route by its number and never repeats a value, as for every setting.
"""

import json
from collections.abc import Iterable
from enum import StrEnum

from gem_core.outcome import Outcome
from gem_core.settings.reader import SettingReader
from gem_core.settings.route import DEFAULT, EventType, Route
from gem_core.settings.rules import POISON, QUEUE_RULE, is_queue_name

QUEUE, ROUTES = "GEM_RESULTS_QUEUE", "GEM_RESULTS_ROUTES"
NO_QUEUE = "none"
"""The value of GEM_RESULTS_QUEUE that leaves the default route out."""
MEMBERS = ("queue", "types", "outcomes", "labels")
"""What the object of a route may have; `queue` is required."""
MAX_ROUTES = 20
"""Each delivery sends to them one after the other."""
OWN_QUEUES = {"gem-batches"}
"""Queues that the app itself reads."""


def read_routes(read: SettingReader) -> tuple[Route, ...]:
    """The routes, the default one first."""
    name = read.queue_name(QUEUE, "gem-results")
    default = () if name == NO_QUEUE else (Route(DEFAULT, name),)
    text, before = read.text(ROUTES), len(read.problems)
    routes = (*default, *_further(read, text))
    queues = [route.queue for route in routes]
    if len(set(queues)) < len(queues):
        read.problems.append(f"{ROUTES} has two routes to one queue, or one to {QUEUE}")
    if len(read.problems) == before and not any(route.takes_every_job for route in routes):
        read.problems.append(
            f"{QUEUE} is {NO_QUEUE}, so {ROUTES} needs a route that takes every job: one without "
            "outcomes and labels, which takes job.settled"
        )
    return routes


def _further(read: SettingReader, text: str) -> Iterable[Route]:
    try:
        entries = json.loads(text) if text else []
    except (ValueError, RecursionError):
        entries = None
    if not isinstance(entries, list) or len(entries) > MAX_ROUTES:
        read.problems.append(f"{ROUTES} is not a JSON list of at most {MAX_ROUTES} routes")
        return
    for number, entry in enumerate(entries, 1):
        try:
            yield _route(entry)
        except ValueError as error:
            read.problems.append(f"{ROUTES} is wrong: route {number} {error}")


def _route(entry: object) -> Route:
    """One route. Raises ValueError with a text that continues after the route's number."""
    if not isinstance(entry, dict) or not entry.keys() <= set(MEMBERS):
        raise ValueError(f"is not an object with only {', '.join(MEMBERS)}")
    queue = entry.get("queue")
    if not isinstance(queue, str) or not is_queue_name(queue):
        raise ValueError(f"has no queue, or not a queue name ({QUEUE_RULE})")
    if queue in {DEFAULT, NO_QUEUE, *OWN_QUEUES} or queue.endswith(POISON):
        raise ValueError("has a queue whose name is used for something else")
    labels = entry.get("labels", {})
    if not isinstance(labels, dict) or not all(isinstance(text, str) for text in labels.values()):
        raise ValueError("has labels that are not an object of texts")
    types = _words(EventType, "types", entry) or (EventType.JOB_SETTLED,)
    return Route(queue, queue, types, _words(Outcome, "outcomes", entry), labels)


def _words[E: StrEnum](kind: type[E], name: str, entry: dict[str, object]) -> tuple[E, ...]:
    """The words of a member; empty when it is absent. Raises ValueError."""
    if name not in entry:
        return ()
    words = entry[name]
    if not isinstance(words, list) or not words or not all(word in list(kind) for word in words):
        raise ValueError(f"has {name} that are not a list of {', '.join(kind)}")
    return tuple(map(kind, words))
