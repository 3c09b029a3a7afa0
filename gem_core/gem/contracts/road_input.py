"""What GEM reads of an input of roads. Pure."""

from dataclasses import dataclass

from gem_core.gem.contracts.layout import Column, ColumnType

_GEOMETRY = Column("geometry", ColumnType.TEXT)
_NAVIGABLE = Column("is_navigable", ColumnType.BOOLEAN)


@dataclass(frozen=True, slots=True)
class RoadInput:
    """The columns that GEM reads, by one generation of its pages. An input may have others too."""

    id: Column
    """Of a road; never null, each once."""
    navigable_required: bool
    """Whether there must be a column that says which roads are navigable."""
    geometry: Column = _GEOMETRY
    """WKT, a LINESTRING in WGS 84, longitude first."""
    navigable: Column = _NAVIGABLE
