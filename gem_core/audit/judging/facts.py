"""What was found out about an output, before anything is judged. Pure values."""

from dataclasses import dataclass

from gem_core.audit.against_input.input_facts import InputFacts
from gem_core.audit.against_input.values import ValueFacts
from gem_core.audit.ids.facts import IdFacts
from gem_core.audit.parquet.opened_file import Fault, OpenedFile
from gem_core.audit.rows.profile import Profile
from gem_core.gem.job import GemJob


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a check may look at."""

    job: GemJob
    name: str | None
    """Of the output blob; None when nothing was opened."""
    size_bytes: int | None
    input: InputFacts
    opened: OpenedFile | None = None
    fault: Fault | None = None
    """Set when the output is no readable Parquet."""
    decoded_apart: str | None = None
    """The column that was decoded in a second thread, if any was."""
    data_fault: str = ""
    """Why the rows could not be read to the end, or empty."""
    too_much: str = ""
    """Why reading the rows would take more memory or time than there is, or empty."""
    profile: Profile | None = None
    """None when the rows were not read to the end, or no column of theirs can be judged."""
    ids_fault: str = ""
    """Why the ids were given up, or empty."""
    ids: IdFacts | None = None
    """None as for `profile`, or when there is no usable id column."""
    values: ValueFacts | None = None
    """None when nobody asked for them, or the output was never opened."""
    expected_input: str | None = None
    """The input file name that was expected when the job was registered."""
    refused: str = ""
    """Set when GEM's names cannot be those of a file; nothing was read then."""
    given_up: str = ""
    """Set when each audit ended the process; nothing else is known then."""
    changed: str = ""
    """Set when the output never held still; nothing else is known then."""

    @property
    def unopened(self) -> str:
        """Why there is no footer to judge, or empty."""
        if self.refused:
            return "the names that GEM gives are no names of a file"
        if self.given_up:
            return "the audit was given up"
        if self.changed:
            return "the output changed each time while it was read"
        return "the file is no readable Parquet" if self.fault else ""

    @property
    def unread(self) -> str:
        """Why there are no rows to judge, or empty."""
        if self.unopened or self.profile:
            return self.unopened
        return self.broken_off or "none of the columns that the checks need is as promised"

    @property
    def broken_off(self) -> str:
        """Why rows were not read to the end, or empty; also those that only values needed."""
        if self.too_much:
            return "reading the rows would take more than an audit has"
        return "the rows could not be read to the end" if self.data_fault else ""
