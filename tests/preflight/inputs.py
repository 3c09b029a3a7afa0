"""Inputs as people make them, and what a preflight says of each."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.wkb import wkb

OLDER, NEWER = "x-version-1", "unversioned"

LINES = ["LINESTRING (4.88 52.37, 4.89 52.38)", "LINESTRING (4.90 52.36, 4.91 52.36, 4.92 52.35)"]


@dataclass(frozen=True)
class Case:
    """One input."""

    make: Callable[[], pa.Table | bytes]
    code: int
    """The exit code."""
    failed: Sequence[str] = ()
    """The checks that fail, as the older pages have it."""
    says: str = ""
    """What is said of it."""
    newer_code: int | None = None
    """The exit code by the newer pages, if it is another one."""
    name: str = "roads.parquet"
    options: Mapping[str, object] = field(default_factory=dict)
    """Of the writer."""

    def write(self, folder: Path) -> Path:
        """Write the file."""
        path, made = folder / self.name, self.make()
        if isinstance(made, bytes):
            path.write_bytes(made)
        else:
            pq.write_table(made, path, **self.options)
        return path


def roads(lines: Sequence[str | None] = LINES, **columns: object) -> pa.Table:
    """A good input with these geometries. A column given as None is left out."""
    table: dict[str, object] = {
        "id": pa.array(range(1, len(lines) + 1), pa.int64()),
        "is_navigable": pa.array([True] * len(lines), pa.bool_()),
        "geometry": pa.array(lines, pa.string()),
        **columns,
    }
    return pa.table({name: column for name, column in table.items() if column is not None})


def geo_parquet(table: pa.Table, crs: object, encoding: str = "WKB") -> pa.Table:
    """With metadata as GeoPandas writes it."""
    column = {"encoding": encoding, "geometry_types": ["LineString"], "crs": crs}
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    return table.replace_schema_metadata({"geo": json.dumps(geo)})


def swapped(points: Sequence[tuple[float, float]]) -> str:
    """A line with the latitude first."""
    return f"LINESTRING ({', '.join(f'{y} {x}' for x, y in points)})"


def epsg(code: int) -> dict[str, object]:
    """A system as PROJJSON."""
    return {"type": "ProjectedCRS", "name": "a name", "id": {"authority": "EPSG", "code": code}}


_BINARY = pa.array([wkb([(4.88, 52.37), (4.89, 52.38)]), wkb([(4.9, 52.3), (4.91, 52.3)])])
_NATIVE = pa.array(
    [[{"x": 4.88, "y": 52.37}, {"x": 4.89, "y": 52.38}]] * 2,
    pa.list_(pa.struct([("x", pa.float64()), ("y", pa.float64())])),
)

CASES: dict[str, Case] = {
    "good": Case(roads, 0),
    "geopandas_wkb": Case(
        lambda: geo_parquet(roads(geometry=_BINARY), epsg(4326)), 1, ["geometry_column"],
        "geometry is binary, not text (UTF8, ENUM or JSON): probably WKB",
    ),
    "geoparquet_native_encoding": Case(
        lambda: geo_parquet(roads(geometry=_NATIVE), epsg(4326), "linestring"), 1,
        ["geometry_column"], "a native encoding of GeoParquet; write it as WKT",
    ),
    "wkb_as_hexadecimal_text": Case(
        lambda: roads([wkb([(4, 52), (5, 53)]).hex().upper()] * 2), 1, ["geometry_linestring"],
        "2 of 2 rows; WKB as hexadecimal digits in 2",
    ),
    "geojson_text": Case(
        lambda: roads(['{"type": "LineString", "coordinates": [[4, 52], [5, 53]]}', LINES[0]]), 1,
        ["geometry_linestring"], "1 of 2 rows; GeoJSON in 1",
    ),
    "swapped_axes_in_europe": Case(
        lambda: roads([swapped([(4.88, 52.37), (4.89, 52.38)])] * 2), 1,
        ["axes_order", "roads_on_land"],
        "100% of the roads are in the sea; with the axes swapped, 100% are on land",
    ),
    "in_the_sea": Case(
        lambda: roads(["LINESTRING (0 0, 0.1 0.1)", "LINESTRING (-40 30, -40 31)"]), 0,
        ["roads_on_land"], "100% are in the sea",
    ),
    "swapped_axes_in_japan": Case(
        lambda: roads([swapped([(139.7, 35.6), (139.8, 35.7)])] * 2), 1, ["coordinates_in_range"],
        "2 of 2 rows; latitude and longitude look swapped: the first road begins at 35.6, 139.7",
    ),
    "web_mercator_metres": Case(
        lambda: geo_parquet(roads(["LINESTRING (545000 6867000, 545100 6867000)"] * 2), epsg(3857)),
        1, ["coordinates_in_range", "crs_wgs84"],
        "metres of a projection: the first one begins at 545000, 6867000, which as EPSG:3857 is "
        "longitude 4.8958, latitude 52.3683",
    ),
    "name_of_another_system_over_degrees": Case(
        lambda: geo_parquet(roads(), epsg(4258)), 0, ["crs_wgs84"],
        "the coordinate reference system is EPSG:4258",
    ),
    "multilinestring": Case(
        lambda: roads(["MULTILINESTRING ((4 52, 5 53))", "POINT (4 52)"]), 1,
        ["geometry_linestring"], "2 of 2 rows; MULTILINESTRING in 1, POINT in 1",
    ),
    "ewkt": Case(
        lambda: roads([f"SRID=4326;{line}" for line in LINES]), 1, ["geometry_linestring"],
        "EWKT (SRID=…;) in 2",
    ),
    "double_parentheses": Case(
        lambda: roads([LINES[0], "LINESTRING ((4 52, 5 53))"]), 1, ["geometry_well_formed"],
        "1 of 2 rows",
    ),
    "null_and_blank_geometry": Case(
        lambda: roads([None, " ", LINES[0]]), 1, ["geometry_present"], "2 of 3 rows",
    ),
    "empty_geometry": Case(
        lambda: roads([LINES[0], "LINESTRING EMPTY"]), 1, ["geometry_two_points"], "1 of 2 rows",
    ),
    "one_point": Case(
        lambda: roads(["LINESTRING (4 52)", "LINESTRING (145.18156)"]), 1,
        ["geometry_two_points"], "2 of 2 rows",
    ),
    "no_length": Case(
        lambda: roads(["LINESTRING (4.88 52.37, 4.88 52.37)", LINES[0]]), 0, ["geometry_length"],
        "1 of 2 rows",
    ),
    "three_dimensions": Case(
        lambda: roads(["LINESTRING Z (4.88 52.37 1, 4.89 52.38 2)", LINES[0]]), 0,
        ["coordinates_two"], "1 of 2 rows",
    ),
    "nan": Case(
        lambda: roads(["LINESTRING (nan nan, 5 53)", "LINESTRING (4 1e999, 5 53)"]), 1,
        ["coordinates_finite"], "2 of 2 rows",
    ),
    "duplicated_ids": Case(
        lambda: roads([LINES[0]] * 4, id=pa.array([7, 8, 7, 7])), 1, ["id_unique"],
        "2 of 4 rows have the id of an earlier row",
    ),
    "text_ids": Case(
        lambda: roads(id=pa.array(["a1", "a2"])), 1, ["id_column"],
        "id is string, not an integer; text is allowed by unversioned (--contract)", newer_code=0,
    ),
    "ids_that_pandas_made_decimals": Case(
        lambda: roads(id=pa.array([1.0, None])), 1, ["id_column"],
        "id is double, not an integer; tools such as pandas make decimals of integers when one is "
        "missing",
    ),
    "null_id": Case(lambda: roads(id=pa.array([1, None])), 1, ["id_present"], "1 of 2 rows"),
    "no_is_navigable": Case(
        lambda: roads(is_navigable=None), 1, ["navigable_column"],
        "there is no column is_navigable", newer_code=0,
    ),
    "is_navigable_as_numbers": Case(
        lambda: roads(is_navigable=pa.array([1, 0])), 1, ["navigable_column"],
        "is_navigable is int64, not boolean",
    ),
    "nothing_navigable": Case(
        lambda: roads(is_navigable=pa.array([False, None])), 0,
        ["navigable_present", "some_navigable"], "none of 2 roads is navigable",
    ),
    "output_as_input": Case(
        lambda: roads(gers_id=pa.array(["x", "y"]), match_status=pa.array(["matched"] * 2)), 0,
        ["name_not_of_output", "no_name_clash"], "'roads_matched.parquet' is how GEM names outputs",
        name="roads_matched.parquet",
    ),
    "other_extension": Case(
        roads, 0, ["name_extension"], "the name is 'roads.geoparquet'", name="roads.geoparquet",
    ),
    "no_rows": Case(lambda: roads([]), 1, ["has_rows"], "there are no rows"),
    "csv": Case(
        lambda: b"id,is_navigable,geometry\n1,true,LINESTRING (4 52; 5 53)\n", 1,
        ["parquet_readable"], "starting b'id,i'",
    ),
    "renamed_columns": Case(
        lambda: roads().rename_columns(["ID", "is_navigable", "wkt"]), 1,
        ["id_column", "geometry_column"], "there is no column id, but ID",
    ),
}  # fmt: skip
