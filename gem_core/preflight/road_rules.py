"""The rules of a row of an input. Pure."""

from enum import StrEnum


class RoadRule(StrEnum):
    """A rule that every row keeps. It has the name of its check, whose title states it.

    A geometry breaks at most one of the rules from GEOMETRY_PRESENT to COORDINATES_FINITE.
    """

    ID_PRESENT = "id_present"
    NAVIGABLE_PRESENT = "navigable_present"
    GEOMETRY_PRESENT = "geometry_present"
    GEOMETRY_LINESTRING = "geometry_linestring"
    GEOMETRY_WELL_FORMED = "geometry_well_formed"
    GEOMETRY_TWO_POINTS = "geometry_two_points"
    COORDINATES_FINITE = "coordinates_finite"
    COORDINATES_IN_RANGE = "coordinates_in_range"
    COORDINATES_TWO = "coordinates_two"
    GEOMETRY_LENGTH = "geometry_length"
