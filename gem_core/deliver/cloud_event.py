"""An event as it is stored and sent: CloudEvents 1.0 as JSON, of any type. Pure."""

from dataclasses import dataclass

from gem_core.settings.route import DEFAULT


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """One event. Storing and sending it does not depend on its content."""

    id: str
    """A listener drops an event whose id it has seen before."""
    body: str
    """The event as JSON, with its id. Exactly this text is stored and sent."""
    routes: tuple[str, ...] = (DEFAULT,)
    """The names of the routes that it takes, fixed when it was made."""
