"""Reads the GERS ids of outputs. Edge (reads, disk)."""

import numpy as np
import pyarrow as pa

from gem_core.advice.fold import ROAD
from gem_core.audit.overture.keys import keys_of
from gem_core.audit.overture.partitions import Partitions
from gem_core.audit.reading.range_file import RangeFile
from gem_core.audit.reading.source import Source
from gem_core.audit.rows.gers import format_of_release
from gem_core.audit.rows.gers_formats import formats_of
from gem_core.succession.matched_file import open_matched


def read_roads(source: Source, release: str, output: int, into: Partitions) -> int:
    """Add the matched roads of an output that have an id in the format of its release, as `ROAD`.

    Returns:
        How many they are.

    Raises:
        CannotCompare: it is not an output of a known layout.
        DataFault: its rows cannot be read.
        OutputError: it cannot be read, or has changed.
        SpillFull, OSError: of the disk.

    """
    format_ = format_of_release(release)
    count = 0
    with RangeFile(source) as file:
        for texts in open_matched(source, file).gers_ids():
            is_id = formats_of(texts) == format_.number
            keys = keys_of(texts.filter(pa.array(is_id)), format_)
            found = np.empty(len(keys), ROAD)
            found["mixed"], found["low"], found["output"] = keys.mixed, keys.low, output
            into.add(keys.mixed, found)
            count += len(keys)
    return count
