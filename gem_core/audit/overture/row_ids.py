"""The ids of some rows of an output, for the person who corrects them. Edge (reads)."""

from collections.abc import Collection, Mapping

import numpy as np

from gem_core.audit.arrow.text import readable
from gem_core.audit.contract import ID, Promises
from gem_core.audit.overture.meter import Meter, Stopped
from gem_core.audit.parquet.opened_file import Fault, open_parquet
from gem_core.audit.parquet.reader_errors import DataFault
from gem_core.audit.reading.range_file import RangeFile
from gem_core.audit.reading.source import Source
from gem_core.errors import OutputError
from gem_core.gem.contracts.layout import Role


def ids_of(
    output: Source, promises: Promises, rows: Collection[int], meter: Meter
) -> Mapping[int, str | None]:
    """The ids of these rows as text, by row; only row groups that have one of them are read.

    Rows whose id cannot be read, or not in time, are left out. Raises MemoryError.
    """
    found: dict[int, str | None] = {}
    if not rows:
        return found
    try:
        with RangeFile(output) as file:
            opened = open_parquet(file)
            if isinstance(opened, Fault) or Role.ID not in promises.usable(opened.schema).columns:
                return found
            sizes = np.array(opened.footer.group_rows)
            ends = np.cumsum(sizes)
            wanted = np.sort(np.fromiter(rows, np.int64))
            of = np.searchsorted(ends, wanted, side="right")
            groups = np.unique(of)
            before = np.cumsum(sizes[groups]) - sizes[groups]
            places = wanted - (ends - sizes)[of] + before[np.searchsorted(groups, of)]
            first = 0
            for batch in opened.batches([ID], groups=groups.tolist()):
                meter.check()
                column = batch.column(ID)
                begin, end = np.searchsorted(places, [first, first + len(column)])
                for row, place in zip(wanted[begin:end], places[begin:end] - first, strict=True):
                    found[int(row)] = readable(column[int(place)])
                first += len(column)
    except (Stopped, DataFault, OutputError):
        pass  # the verdict does not need them
    return found
