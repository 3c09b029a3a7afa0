"""Layouts of outputs that no answer belongs to. Pure.

Sources: TomTom, "Technical documentation" (a half-way state between two generations) and
"Lane-level matching data".
"""

from gem_core.gem.contracts.layout import Column, ColumnType, Layout, Role

TECHNICAL_PAGE = Layout(
    name="technical-page",
    marks=("gers_id", "confidence", "match_type"),
    columns={
        Role.ID: Column("id", ColumnType.INTEGER_OR_TEXT),
        Role.GERS_ID: Column("gers_id", ColumnType.TEXT),
        Role.CONFIDENCE: Column("confidence", ColumnType.NUMBER),
        Role.STATUS: Column("match_type", ColumnType.TEXT),
    },
    optional={
        Role.LINEAR_START: Column("linear_ref_start", ColumnType.NUMBER),
        Role.LINEAR_END: Column("linear_ref_end", ColumnType.NUMBER),
    },
    others=("overture_release",),
    matched=("full", "partial"),
    unmatched=("none",),
)

LANE_LEVEL = Layout(name="lane-level", marks=("traceId", "mapRevisionId"))
"""One row for each trace, matched with lanes of TomTom Orbis Maps; it has no GERS ids."""
