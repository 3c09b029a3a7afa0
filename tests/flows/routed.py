"""Jobs whose manifests go to several queues, one of which may refuse."""

from gem_core.errors import StoreMissing
from gem_core.flows.deliver_results import deliver_results
from gem_core.outcome import Outcome
from gem_core.settings.route import Route
from tests.builders import DEFAULT_ROUTE, JOB, World
from tests.flows.build import settled

NIGHT = Route("gem-night", "gem-night", outcomes=(Outcome.FAILED, Outcome.INVALID))
MAPS = Route("gem-maps", "gem-maps")
SEARCH = Route("gem-search", "gem-search")
AWAY = StoreMissing("queue 'gem-maps' does not exist")


def routed(*routes: Route) -> World:
    """A settled job whose output is valid, and these routes beside the default one."""
    world = settled()
    world.routes = (DEFAULT_ROUTE, *routes)
    return world


def mend(world: World) -> None:
    """Let every queue take messages again."""
    for queue in world.queues.values():
        queue.refuses = None


def sent(world: World) -> dict[str, list[str]]:
    """The ids of the manifests on each queue."""
    return {name: [event["id"] for event in queue.events()] for name, queue in world.queues.items()}


def deliver(world: World) -> None:
    """Deliver the job as soon as it is due."""
    world.wait()
    deliver_results(world.deliverer, JOB)


def broken() -> World:
    """A manifest that one of its three routes does not have yet, because its queue refuses."""
    world = routed(MAPS, SEARCH)
    world.queues["gem-maps"].refuses = AWAY
    deliver(world)
    world.new_tickets()
    return world
