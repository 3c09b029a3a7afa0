"""Writes the files of writers that are no dependency of the project, into tests/data/writers.

`uv run --no-project --with pyarrow==26.0.1,polars==2.1.0,fastparquet==2026.9.0,pandas==3.1.1
python -m tests.audit.writers.make polars fastparquet`. The others come from pyarrow 25.0.1 with
pyspark 4.3.0 (and Java 17), chdb 4.4.0 and datafusion 55.0.0. A writer leaves out the types that it
does not have.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from tests.audit.build import input_table, matched_table
from tests.audit.writers.table import TYPES, UNKNOWN_TO_SPARK, column

FOLDER = Path(__file__).parents[2] / "data" / "writers"

NO_FASTPARQUET = {"date", "time", "decimal", "long_decimal", "list", "struct"}
"""pandas has none of these types, and fastparquet writes their objects as floats, JSON or not."""


def polars(table: pa.Table, path: Path) -> None:
    """By polars' own writer."""
    import polars as pl  # noqa: PLC0415 - not installed where the tests run

    pl.DataFrame(table).write_parquet(path)


def fastparquet(table: pa.Table, path: Path) -> None:
    """By fastparquet, of pandas' types that hold null."""
    import fastparquet as fp  # type: ignore[import-not-found]  # noqa: PLC0415 - as above

    table = table.drop_columns([name for name in table.schema.names if name in NO_FASTPARQUET])
    frame = table.to_pandas(types_mapper=_nullable)
    kinds = {name: "bytes" if name == "binary" else "utf8" for name in frame.select_dtypes(object)}
    fp.write(str(path), frame, write_index=False, object_encoding=kinds)


def _nullable(kind: pa.DataType) -> object:
    import pandas as pd  # noqa: PLC0415 - as above

    if pa.types.is_integer(kind):
        return getattr(pd, f"{'U' * (str(kind)[0] == 'u')}Int{kind.bit_width}Dtype")()
    if pa.types.is_string(kind):
        return pd.StringDtype("python")
    return pd.BooleanDtype() if pa.types.is_boolean(kind) else None


def spark(table: pa.Table, path: Path, **settings: str) -> None:
    """By Spark, which reads a file of pyarrow as GEM would."""
    from pyspark.sql import SparkSession  # type: ignore[import-not-found]  # noqa: PLC0415 - as above

    if "time" in table.schema.names:
        table = table.drop_columns("time")
    builder = SparkSession.builder.master("local[1]").config("spark.sql.session.timeZone", "UTC")
    session = builder.getOrCreate()
    for name, value in settings.items():
        session.conf.set(f"spark.sql.parquet.{name}", value)
    with TemporaryDirectory() as folder:
        pq.write_table(table, f"{folder}/in.parquet")
        session.read.parquet(f"{folder}/in.parquet").coalesce(1).write.parquet(f"{folder}/out")
        (part,) = Path(folder, "out").glob("*.parquet")
        path.write_bytes(part.read_bytes())
    session.stop()


def spark_legacy(table: pa.Table, path: Path) -> None:
    """As Spark wrote before 1.5, Hive and Impala: lists of two levels, decimals as bytes."""
    spark(table, path, writeLegacyFormat="true")


def clickhouse(table: pa.Table, path: Path) -> None:
    """By ClickHouse, which has UUIDs, text that is no UTF-8, and no local times."""
    import chdb  # type: ignore[import-not-found]  # noqa: PLC0415 - as above

    with TemporaryDirectory() as folder:
        pq.write_table(table, f"{folder}/in.parquet")
        path.unlink(missing_ok=True)
        chdb.query(
            f"INSERT INTO FUNCTION file('{path}', Parquet) SELECT * "  # noqa: S608 - both are ours
            f"FROM file('{folder}/in.parquet', Parquet)"
        )


def datafusion(table: pa.Table, path: Path) -> None:
    """By DataFusion with arrow-rs: pages of version 2, delta encodings, floats split by byte."""
    from datafusion import SessionContext  # type: ignore[import-not-found]  # noqa: PLC0415 - as above

    encodings = {
        "id": "delta_binary_packed",
        "geometry": "delta_length_byte_array",
        "gers_id": "delta_byte_array",
        "match_status": "delta_byte_array",
        "match_confidence": "byte_stream_split",
        "int32": "delta_binary_packed",
        "float32": "byte_stream_split",
    }
    options = {
        "writer_version": "2.0",
        "dictionary_enabled": "false",
        "compression": "lz4_raw",
        **{f"encoding::{k}": v for k, v in encodings.items() if k in table.schema.names},
    }
    words = ", ".join(f"'format.{name}' '{value}'" for name, value in options.items())
    context = SessionContext()
    context.register_record_batches("t", [table.to_batches()])
    context.sql(f"COPY t TO '{path}' STORED AS PARQUET OPTIONS ({words})").collect()


WRITERS: Mapping[str, Callable[[pa.Table, Path], None]] = {
    write.__name__: write
    for write in (polars, fastparquet, spark, spark_legacy, clickhouse, datafusion)
}


def main(*names: str) -> int:
    """An input and an output of each writer of these names."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    columns = {name: column(name) for name in TYPES}
    for name in names:
        WRITERS[name](input_table(**columns), FOLDER / f"{name}.parquet")
        WRITERS[name](matched_table(**columns), FOLDER / f"{name}_matched.parquet")
    if "spark" in names:
        spark(matched_table(**UNKNOWN_TO_SPARK), FOLDER / "spark_wider_matched.parquet")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
