"""What was found out about an output, before anything is judged. Pure values."""

from dataclasses import dataclass

from gem_core.audit.against_input.input_facts import InputFacts
from gem_core.audit.against_input.values import ValueFacts
from gem_core.audit.contract import Promises
from gem_core.audit.ids.facts import IdFacts
from gem_core.audit.judging.not_opened import NotOpened
from gem_core.audit.overture.facts import OvertureFacts
from gem_core.audit.parquet.opened_file import Fault, OpenedFile
from gem_core.audit.rows.profile import Profile
from gem_core.gem.job import GemJob


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is known of one output."""

    job: GemJob
    file: OpenedFile | Fault | NotOpened
    """The output; a Fault when it is not readable Parquet."""
    name: str | None
    """Of the output blob; None when the job does not lead to one (Obstacle.NAMES)."""
    size_bytes: int | None
    input: InputFacts
    decoded_apart: str | None = None
    """The column that was decoded in a second thread, if there was one."""
    promises: Promises | None = None
    """What the layout of the output promises; None when the output was not opened, or the app
    cannot audit its layout."""
    data_fault: str = ""
    """Why the rows could not be read to the end, or empty."""
    unsupported: str = ""
    """Why pyarrow cannot read the rows, which says nothing about the output; or empty."""
    profile: Profile | None = None
    """None when the rows were not read to the end, or none of the checked columns is usable."""
    ids: IdFacts | None = None
    """None as for `profile`, without a usable id column, and with an `ids_fault`."""
    ids_fault: str = ""
    """Why the ids could not be counted, which says nothing about the output; or empty."""
    values: ValueFacts | None = None
    """None when the comparison of values was not asked for, or the output was not opened."""
    expected_input: str | None = None
    """The input file name that was expected when the job was registered."""
    overture: OvertureFacts | None = None
    """None when nobody asked for a look-up of the GERS ids."""

    @property
    def opened(self) -> OpenedFile | None:
        """The output with its footer; None when that could not be read."""
        return self.file if isinstance(self.file, OpenedFile) else None

    @property
    def broken_off(self) -> str:
        """Why some rows were not read to the end, in the words of a report, or empty.

        It may concern only columns that the comparison of values reads.
        """
        if self.unsupported:
            return "pyarrow cannot read the rows"
        return "the rows could not be read to the end" if self.data_fault else ""
