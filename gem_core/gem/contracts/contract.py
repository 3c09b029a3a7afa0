"""What a contract is: all that differs between two generations of GEM's API. Pure.

A new generation is a new module with one `Contract`, and one line in `known`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gem_core.gem.contracts.figures import Figures
from gem_core.gem.contracts.layout import Layout
from gem_core.gem.contracts.members import Members
from gem_core.gem.contracts.road_input import RoadInput
from gem_core.gem.job import JobStatus


@dataclass(frozen=True, slots=True)
class Contract:
    """One generation of GEM's API."""

    name: str
    """Stored in records and sent in manifests, so it never changes. Listeners take any name."""
    path: Callable[[str], str]
    """From a job's id to the path of the question about it, below the base address."""
    headers: Callable[[str], Mapping[str, str]]
    """From the setting GEM_API_VERSION to the headers of a question, without key and token."""
    members: Members
    """The names of the members of an answer."""
    status: Callable[[str], JobStatus | None]
    """What GEM's word for a status means; None when the contract does not have the word."""
    words: str
    """Its words for a status, for a person."""
    output_name: Callable[[str], str]
    """From the name of the input to the name of the output."""
    road_input: RoadInput
    """The columns of an input of roads."""
    layout: Layout
    """The columns of an output."""
    figures: Figures
    """The figures of its statistics."""
