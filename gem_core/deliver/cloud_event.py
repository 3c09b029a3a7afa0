"""An event as it is stored and sent: CloudEvents 1.0 as JSON, of whatever type. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """One event. What is in it is the business of those who make and read it."""

    id: str
    """A listener that has seen it drops the event as a repeat."""
    body: str
    """The event as JSON, with its id. It is stored and sent as exactly this text."""
