"""What is known of an input of roads. Pure values."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gem_core.audit.contract import Promise, promise
from gem_core.audit.ids.facts import IdFacts
from gem_core.audit.parquet.opened_file import Fault, OpenedFile
from gem_core.audit.rows.offenders import Offenders
from gem_core.gem.contracts.contract import Contract
from gem_core.page.roads import Road
from gem_core.preflight.extent import Extent
from gem_core.preflight.road_rules import RoadRule


@dataclass(frozen=True, slots=True)
class RoadProfile:
    """All rows together."""

    rows: int
    """Counted while reading."""
    offenders: Mapping[RoadRule, Offenders]
    """A rule is absent when its column cannot be used."""
    navigable: int | None
    """Roads that are; None without a usable column."""
    extent: Extent
    points: int
    """Of all lines that could be read."""
    forms: Counter[str]
    """What the geometries are that are no LINESTRING."""
    sample: Mapping[str, Sequence[Road]] = field(default_factory=dict)
    """Roads for a map, "fit" and "unfit"."""


@dataclass(frozen=True, slots=True)
class RoadFacts:
    """Everything that is known of one input."""

    name: str
    size_bytes: int
    contract: Contract
    """By whose pages the input is judged."""
    file: OpenedFile | Fault
    crs: str | None = None
    """What GeoParquet's metadata says; None without such metadata."""
    data_fault: str = ""
    """Why the rows could not be read to the end, or empty."""
    unsupported: str = ""
    """Why pyarrow cannot read the rows, which says nothing about the file; or empty."""
    profile: RoadProfile | None = None
    """None when the rows were not read to the end, or no column can be used."""
    ids: IdFacts | None = None
    """None as for `profile`, without a usable id column, and with an `ids_fault`."""
    ids_fault: str = ""
    """Why the ids could not be counted, which says nothing about the file; or empty."""

    @property
    def opened(self) -> OpenedFile | None:
        """The file with its footer; None when that could not be read."""
        return self.file if isinstance(self.file, OpenedFile) else None

    @property
    def id_promise(self) -> Promise:
        """The column of ids, as the contract wants it."""
        return promise(self.contract.road_input.id)

    @property
    def geometry_promise(self) -> Promise:
        """The column of geometries."""
        return promise(self.contract.road_input.geometry)

    @property
    def navigable_promise(self) -> Promise:
        """The column that says which roads are navigable."""
        return promise(self.contract.road_input.navigable)
