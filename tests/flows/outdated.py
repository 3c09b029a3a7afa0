"""Delivered jobs that a release outdates, and the listeners that want to know."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema

from gem_core.deliver.outdated import OUTDATED_TYPE, DeliveredOutput
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.send_outdated import Told, delivered_outputs, send_outdated
from gem_core.settings.route import EventType, Route
from tests.builders import DEFAULT_ROUTE, OUTPUT, World, finished, matched_file
from tests.fakes import Trap

_DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
_SCHEMA = jsonschema.Draft202012Validator(
    json.loads((_DOCS / "outdated.schema.json").read_text("utf-8")),
    format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
)
OLD, NEWEST = "2026-03-18.0", "2026-05-20.0"
OUTDATED = Route("gem-outdated", "gem-outdated", (EventType.JOB_OUTDATED,))
BOTH = Route("gem-both", "gem-both", (EventType.JOB_SETTLED, EventType.JOB_OUTDATED))


def changes(ids: int = 1) -> dict[str, Any]:
    """Figures of an output in which so many ids were removed."""
    none, some = {"ids": 0, "roads": 0}, {"ids": ids, "roads": ids + 1}
    rest = ("restored", "geometryChanged", "classChanged", "unknownChange", "otherChange")
    return {"total": {"ids": 9, "roads": 9}, "outdated": some, "removed": some} | dict.fromkeys(
        rest, none
    )


def delivered(*job_run_ids: str, routes: tuple[Route, ...] = (DEFAULT_ROUTE, OUTDATED)) -> World:
    """A world in which these jobs were delivered; no call was counted yet."""
    world = World(routes=routes)
    world.files.write(OUTPUT, matched_file())
    for job_run_id in job_run_ids:
        world.settle(finished(overtureRelease=OLD), job_run_id)
        deliver_results(world.deliverer, job_run_id)
    world.trap = Trap()
    return world


def outputs(world: World) -> list[DeliveredOutput]:
    """The outputs of the jobs, all of which can be read."""
    found = [*delivered_outputs(world.manager)]
    read = [each for each in found if isinstance(each, DeliveredOutput)]
    assert len(read) == len(found)
    return read


def tell(world: World, figures: Mapping[str, Any] | None = None) -> list[Told]:
    """What `advise --send` does when every job is outdated."""
    queues = {
        route.name: world.trap.around(world.queues[route.name], "queue")
        for route in world.routes
        if EventType.JOB_OUTDATED in route.types
    }
    return [
        send_outdated(world.manager, queues, each, NEWEST, figures or changes())
        for each in outputs(world)
    ]


def events(world: World, route: Route = OUTDATED) -> list[dict[str, Any]]:
    """The events on a queue, each held against the schema."""
    sent = world.queues[route.name].events()
    found = [event for event in sent if event["type"] == OUTDATED_TYPE]
    for event in found:
        _SCHEMA.validate(event)
    return found
