"""What became of GERS ids between two runs. Pure."""

from enum import StrEnum


class Kind(StrEnum):
    """Of a group of GERS ids that are connected by shared roads, in the order of a report.

    Two files cannot show that an id does not exist any more, so no kind says that.
    """

    SAME = "same"
    """One id, in both runs."""
    REPLACED = "replaced"
    """One old id, another new one."""
    SPLIT = "split"
    """One old id, several new ones; the old one may be among them."""
    MERGED = "merged"
    """Several old ids, one new one; it may be among the old ones."""
    REGROUPED = "regrouped"
    """Several old ids, several new ones."""
    DROPPED = "dropped"
    """An old id: none of its roads has a match in the new run."""
    GAINED = "gained"
    """A new id: none of its roads had a match in the old run."""


KINDS = tuple(Kind)
