"""The contestants. Each reads one file and applies the rules in the way its documentation shows.

Libraries are imported before the clock runs. The audit and the floor are tuned; the others are
one plain formulation each, with one thread where they have a setting for it.
"""

from collections.abc import Callable
from pathlib import Path

from gem_core.outcome import Outcome

COLUMNS = ["id", "gers_id", "match_confidence", "match_status"]
FORM = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}"
WORDS = ["matched", "unmatched"]

GOOD = {Outcome.VALID, Outcome.VALID_WITH_WARNINGS}
"""The job of a benchmark has no statistics, which is a warning."""

type Run = Callable[[Path], object]
"""Reads and judges one file."""


def floor() -> Run:
    """Decode the four columns and do nothing else."""
    import pyarrow.parquet as pq

    def run(path: Path) -> int:
        file = pq.ParquetFile(
            path, read_dictionary=["match_status"], pre_buffer=False, buffer_size=1 << 20
        )
        batches = file.iter_batches(131_072, columns=COLUMNS, use_threads=False)
        return sum(batch.num_rows for batch in batches)

    return run


def audit_one_thread() -> Run:
    """Run the whole audit in one thread, without an input."""
    return _audit(two_threads=False)


def audit_two_threads() -> Run:
    """Run the same in two threads, as it does by itself on two processors."""
    return _audit(two_threads=True)


def audit_ids_in_memory() -> Run:
    """Run it in one thread with 256 MiB for ids, so that ten million of them stay in memory."""
    return _audit(two_threads=False, ids_bytes=256 << 20)


def _audit(*, two_threads: bool, ids_bytes: int | None = None) -> Run:
    import numpy as np
    import pyarrow as pa

    from gem_core.audit.audit import audit
    from gem_core.audit.options import AuditOptions, IdLimits
    from gem_core.audit.reading.source import open_file
    from gem_core.gem.contracts import known

    # pyarrow imports pandas at its first numpy array, if pandas is installed.
    pa.array(np.zeros(1))
    limits = IdLimits() if ids_bytes is None else IdLimits(ids_bytes)
    options = AuditOptions(limits, two_threads=two_threads)

    def run(path: Path) -> str:
        answer = {
            "jobRunId": "bench",
            "status": "finished",
            "inputFileName": "roads.parquet",
            "outputFileName": path.name,
            "statistics": {"confidence_threshold": 60},
        }
        job = known.read(answer, job_run_id="bench")
        report = audit(open_file(path), job, input_source=None, options=options)
        if report.outcome not in GOOD:
            raise ValueError(f"a good file fails {report.failed()}")
        return str(report.outcome)

    return run


def duckdb() -> Run:
    """One aggregate query over the file, which counts all kinds of faults."""
    import duckdb as library

    query = f"""
        select count(*), count(distinct id), count(*) filter (where id is null),
            count(*) filter (where match_status is null
                or match_status not in ('matched', 'unmatched')),
            count(*) filter (where (match_status = 'matched') <> (gers_id is not null)),
            count(*) filter (where not regexp_full_match(gers_id, '{FORM}')),
            count(*) filter (where match_status = 'matched' and match_confidence is null),
            count(*) filter (where not (match_confidence between 0 and 1))
        from read_parquet(?)"""  # noqa: S608 - constants

    def run(path: Path) -> object:
        with library.connect(config={"threads": 1}) as database:
            return database.execute(query, [str(path)]).fetchone()

    return run


def polars() -> Run:
    """One lazy, streamed query, which counts all kinds of faults."""
    import polars as pl

    matched = pl.col("match_status") == "matched"
    gers, confidence = pl.col("gers_id"), pl.col("match_confidence")
    facts = [
        pl.len(),
        pl.col("id").n_unique().alias("ids"),
        pl.col("id").null_count().alias("no_id"),
        (~pl.col("match_status").is_in(WORDS).fill_null(value=False)).sum().alias("word"),
        (matched != gers.is_not_null()).sum().alias("presence"),
        (~gers.str.contains(rf"\\A(?:{FORM})\\z")).sum().alias("form"),
        (matched & confidence.is_null()).sum().alias("no_confidence"),
        (~confidence.is_between(0, 1)).sum().alias("range"),
    ]

    def run(path: Path) -> object:
        return pl.scan_parquet(path).select(facts).collect(engine="streaming")

    return run


def pandera() -> Run:
    """Validate a pandas data frame with a schema."""
    import pandas as pd
    import pandera.pandas as pa

    schema = pa.DataFrameSchema(
        {
            "id": pa.Column(nullable=False, unique=True),
            "gers_id": pa.Column(
                checks=pa.Check(lambda texts: texts.str.fullmatch(FORM), element_wise=False),
                nullable=True,
            ),
            "match_confidence": pa.Column(float, pa.Check.in_range(0, 1), nullable=True),
            "match_status": pa.Column(checks=pa.Check.isin(WORDS), nullable=False),
        },
        checks=pa.Check(
            lambda rows: (rows["match_status"] == "matched") == rows["gers_id"].notna()
        ),
    )

    def run(path: Path) -> object:
        return schema.validate(pd.read_parquet(path, columns=COLUMNS)) is not None

    return run


def great_expectations() -> Run:
    """Validate a pandas data frame with a suite of expectations, without counts of faults."""
    import great_expectations as gx
    import pandas as pd
    from great_expectations import expectations as expect

    def run(path: Path) -> bool:
        context = gx.get_context(mode="ephemeral")
        asset = context.data_sources.add_pandas("bench").add_dataframe_asset("rows")
        batches = asset.add_batch_definition_whole_dataframe("all")
        suite = gx.ExpectationSuite(
            name="matched",
            expectations=[
                expect.ExpectColumnValuesToNotBeNull(column="id"),
                expect.ExpectColumnValuesToBeUnique(column="id"),
                expect.ExpectColumnValuesToMatchRegex(column="gers_id", regex=rf"^(?:{FORM})\Z"),
                expect.ExpectColumnValuesToBeBetween(
                    column="match_confidence", min_value=0, max_value=1
                ),
                expect.ExpectColumnValuesToBeInSet(column="match_status", value_set=WORDS),
            ],
        )
        frame = pd.read_parquet(path, columns=COLUMNS)
        batch = batches.get_batch(batch_parameters={"dataframe": frame})
        return bool(batch.validate(suite, result_format="BOOLEAN_ONLY").success)

    return run


CONTESTANTS: dict[str, Callable[[], Run]] = {
    "floor": floor,
    "audit": audit_one_thread,
    "audit_two_threads": audit_two_threads,
    "audit_ids_in_memory": audit_ids_in_memory,
    "duckdb": duckdb,
    "polars": polars,
    "pandera": pandera,
    "great_expectations": great_expectations,
}
