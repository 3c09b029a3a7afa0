"""What a comparison of two runs found, and as JSON. Pure values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gem_core.succession.kind import Kind
from gem_core.succession.matched_file import MatchedFile
from gem_core.succession.pair_groups import GroupCounts
from gem_core.succession.road_join import Roads


@dataclass(frozen=True, slots=True)
class Succession:
    """What became of the GERS ids."""

    old: MatchedFile
    new: MatchedFile
    roads: Roads
    groups: Mapping[Kind, GroupCounts]
    pairs: int
    """Distinct pairs of an old and a new id, with dropped ids."""
    largest: int
    """Ids of the largest group."""
    dropped_elsewhere: int
    """Dropped ids that the new run has under other roads."""
    disk_bytes: int
    """That lay on disk at a time, at most."""

    def to_json(self) -> dict[str, Any]:
        """The result as plain JSON."""
        return {
            "old": _file_json(self.old),
            "new": _file_json(self.new),
            "roads": {_camel(name): count for name, count in asdict(self.roads).items()},
            "groups": {
                kind.value: {_camel(name): count for name, count in asdict(found).items()}
                for kind, found in self.groups.items()
            },
            "pairs": self.pairs,
            "largestGroup": self.largest,
            "droppedButInNewRun": self.dropped_elsewhere,
        }


def _file_json(file: MatchedFile) -> dict[str, Any]:
    counts = file.counts
    return {
        "name": file.source.name,
        "etag": file.source.etag,
        "layout": file.layout,
        "rows": counts.rows,
        "matched": counts.matched,
        "withoutId": counts.without_id,
        "withoutGersId": counts.no_gers_id,
        "withoutGersIdExample": counts.no_gers_id_first or None,
        "idsOfOtherType": counts.foreign_ids,
    }


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)
