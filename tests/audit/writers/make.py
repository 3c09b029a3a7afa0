"""Writes the files of writers that are no dependency of the project, into tests/data/writers.

`uv run --no-project --with pyarrow==26.0.1,polars==2.1.0,fastparquet==2026.9.0,pandas==3.1.1
python -m tests.audit.writers.make`. A writer leaves out the types that it does not have.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from tests.audit.build import input_table, matched_table
from tests.audit.writers.table import TYPES, column

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


WRITERS: tuple[Callable[[pa.Table, Path], None], ...] = (polars, fastparquet)


def main() -> int:
    """An input and an output of each writer."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    columns = {name: column(name) for name in TYPES}
    for write in WRITERS:
        write(input_table(**columns), FOLDER / f"{write.__name__}.parquet")
        write(matched_table(**columns), FOLDER / f"{write.__name__}_matched.parquet")
    return 0


if __name__ == "__main__":
    sys.exit(main())
