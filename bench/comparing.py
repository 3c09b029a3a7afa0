"""The cost of comparing all values with the input, compared with only decoding both files."""

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from bench.contestants import GOOD

CARRIED_ON = ["id", "geometry"]
"""The columns of `networks` that come from the input."""

type Run = Callable[[Path], object]


def write_input(output: Path) -> Path:
    """Write the input of a network, unless it is there: what GEM added is left out."""
    path = input_of(output)
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        file = pq.ParquetFile(output)
        schema = file.read_row_group(0, CARRIED_ON).schema
        with pq.ParquetWriter(unfinished, schema, compression="snappy") as writer:
            for batch in file.iter_batches(1 << 20, columns=CARRIED_ON):
                writer.write_batch(batch, row_group_size=1 << 20)
        unfinished.rename(path)
    return path


def input_of(output: Path) -> Path:
    """Where the input of a network lies."""
    return output.with_suffix(".input.parquet")


def both() -> Run:
    """Decode all columns of both files and do nothing else."""

    def run(path: Path) -> int:
        rows = 0
        for each in (path, input_of(path)):
            file = pq.ParquetFile(each, pre_buffer=False, buffer_size=1 << 20)
            rows += sum(batch.num_rows for batch in file.iter_batches(131_072, use_threads=False))
        return rows

    return run


def _audit(*, with_values: bool, two_threads: bool = False) -> Run:
    import numpy as np
    import pyarrow as pa

    from gem_core.audit.audit import audit
    from gem_core.audit.judging.report_json import report_to_json
    from gem_core.audit.options import AuditOptions
    from gem_core.audit.reading.source import open_file
    from gem_core.gem.contracts import known

    # pyarrow imports pandas at its first numpy array, if pandas is installed.
    pa.array(np.zeros(1))
    job = known.read({"jobRunId": "bench", "status": "finished"})
    options = AuditOptions(two_threads=two_threads, with_values=with_values)

    def run(path: Path) -> str:
        input_source = open_file(input_of(path))
        report = audit(open_file(path), job, input_source=input_source, options=options)
        compared = report_to_json(report)["input"]["valuesCompared"]
        if report.outcome not in GOOD or compared is not with_values:
            raise ValueError(f"a good file fails {report.failed()}; compared: {compared}")
        return str(report.outcome)

    return run


def ids() -> Run:
    """Audit, and compare the ids with the input."""
    return _audit(with_values=False)


def columns() -> Run:
    """Audit, and compare all values with the input."""
    return _audit(with_values=True)


def columns_in_two_threads() -> Run:
    """Like `columns`, but each file is decoded in its own thread."""
    return _audit(with_values=True, two_threads=True)


COMPARERS: dict[str, Callable[[], Run]] = {
    "both": both,
    "ids": ids,
    "columns": columns,
    "columns, two threads": columns_in_two_threads,
}
