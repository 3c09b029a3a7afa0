"""Checks about the file of an input and its columns. Pure.

Sources: TomTom, "Technical documentation" and "Data preparation" (id, geometry, is_navigable), and
"Road matching data" (text ids, other columns).
"""

from collections import Counter
from pathlib import PurePosixPath

from gem_core.audit.arrow.types import is_text
from gem_core.audit.judging.check import ERROR, WARNING, Missing, NotAsked, check
from gem_core.audit.judging.verdict import Judgement, failed, no_problem, passed
from gem_core.audit.parquet.opened_file import Fault, FaultKind, OpenedFile
from gem_core.gem.contracts.known import CONTRACTS, PAGES_NAMES
from gem_core.preflight.geo_metadata import WGS84
from gem_core.preflight.output_names import OUTPUT_ENDINGS
from gem_core.preflight.road_facts import RoadFacts
from gem_core.preflight.road_parts import column_names, footer, problem_of, profile_of


def _fault(facts: RoadFacts) -> str:
    if reason := _encrypted(facts):
        raise Missing(reason)
    return facts.file.detail if isinstance(facts.file, Fault) else ""


def _encrypted(facts: RoadFacts) -> str:
    """That the footer is encrypted, or empty."""
    if isinstance(facts.file, Fault) and facts.file.kind is FaultKind.ENCRYPTED:
        return facts.file.detail
    return ""


def _name(facts: RoadFacts) -> str:
    return PurePosixPath(facts.name).name


@check(WARNING, "The name of the file ends in .parquet.", _name)
def name_extension(name: str) -> Judgement:
    """GEM wants the name "including .parquet extension", and makes the output's name of it."""
    return passed() if name.endswith(".parquet") else failed(f"the name is {name[:200]!r}")


@check(WARNING, "The name of the file is not that of an output of GEM.", _name)
def name_not_of_output(name: str) -> Judgement:
    """A job with an output as its input matches roads twice."""
    is_output = name.endswith(OUTPUT_ENDINGS) or name in PAGES_NAMES
    return failed(f"{name[:200]!r} is how GEM names outputs") if is_output else passed()


@check(ERROR, "The file is readable Parquet.", _fault)
def parquet_readable(problem: str) -> Judgement:
    """From its first byte to its footer."""
    return no_problem(problem)


@check(ERROR, "Every column chunk lies before the footer.", footer)
def chunks_in_bounds(file: OpenedFile) -> Judgement:
    """Finds a file that was cut, or is a summary of others, without reading the data."""
    if file.elsewhere:
        return failed(f"the data lies in other files, such as {file.elsewhere}")
    count = file.chunks_past_footer
    return failed(f"{count} column chunks lie outside of the data", count) if count else passed()


@check(ERROR, "The file has at least one row.", footer)
def has_rows(file: OpenedFile) -> Judgement:
    """As the footer states."""
    return passed() if file.rows else failed("there are no rows")


def _limit(facts: RoadFacts) -> str:
    if reason := _encrypted(facts):
        return reason
    schema = footer(facts).schema
    promises = (facts.id_promise, facts.geometry_promise, facts.navigable_promise)
    closed = (promise.unreadable(schema) for promise in promises)
    return facts.unsupported or "; ".join(filter(None, closed))


@check(ERROR, "The command can read the columns of an input.", _limit)
def readable_here(problem: str) -> Judgement:
    """A limit of the command says nothing about the file."""
    return no_problem(problem)


def _read(facts: RoadFacts) -> tuple[int, int | str]:
    stated = footer(facts).rows
    if facts.data_fault:
        return stated, facts.data_fault
    return stated, profile_of(facts).rows


@check(ERROR, "Every row can be read, and there are as many as the footer states.", _read)
def rows_readable(found: tuple[int, int | str]) -> Judgement:
    """In the columns that GEM needs."""
    stated, read = found
    if isinstance(read, str):
        return failed(read)
    return passed() if read == stated else failed(f"{read} rows, the footer states {stated}")


def _id_problem(facts: RoadFacts) -> str:
    schema, promise = footer(facts).schema, facts.id_promise
    problem = problem_of(facts, promise)
    if not problem or schema.names.count(promise.name) != 1:
        return problem
    kind = str(schema.field(promise.name).type)
    if kind in {"double", "float"}:
        return f"{problem}; tools such as pandas make decimals of integers when one is missing"
    if is_text(schema.field(promise.name).type):
        others = [each.name for each in CONTRACTS.values() if each is not facts.contract]
        return f"{problem}; text is allowed by {', '.join(others)} (--contract)"
    return problem


@check(ERROR, "There is one column id, of a type that the contract allows.", _id_problem)
def id_column(problem: str) -> Judgement:
    """Integers, or text by the newer pages."""
    return no_problem(problem)


def _geometry_problem(facts: RoadFacts) -> str:
    schema, promise = footer(facts).schema, facts.geometry_promise
    problem = problem_of(facts, promise)
    if problem and schema.names.count(promise.name) == 1:
        kind = str(schema.field(promise.name).type)
        if kind == "binary":
            return (
                f"{problem}: probably WKB, as GeoPandas and other writers of GeoParquet store it; "
                "write it as WKT, for example with GeoSeries.to_wkt()"
            )
        if kind.startswith(("list<", "struct<")):
            return f"{problem}: a native encoding of GeoParquet; write it as WKT"
    return problem


@check(ERROR, "There is one column geometry, of text (WKT).", _geometry_problem)
def geometry_column(problem: str) -> Judgement:
    """GEM reads no WKB."""
    return no_problem(problem)


def _navigable_problem(facts: RoadFacts) -> str:
    schema, promise = footer(facts).schema, facts.navigable_promise
    if promise.name not in schema.names and not facts.contract.road_input.navigable_required:
        raise NotAsked("without the column is_navigable, all roads are navigable")
    return problem_of(facts, promise)


@check(
    ERROR,
    "There is one column is_navigable, boolean; in the newer pages it may be absent.",
    _navigable_problem,
)
def navigable_column(problem: str) -> Judgement:
    """0 and 1, or texts, are no booleans."""
    return no_problem(problem)


@check(WARNING, "No column name occurs twice.", column_names)
def column_names_unique(names: list[str]) -> Judgement:
    """Parquet allows equal names; most readers reject them or lose a column."""
    twice = [name[:100] for name, times in Counter(names).items() if times > 1]
    return failed(", ".join(twice[:10]), len(twice)) if twice else passed()


def _clashing(facts: RoadFacts) -> list[str]:
    layout, names = facts.contract.layout, column_names(facts)
    own = {facts.contract.road_input.id.name}
    added = ({column.name for column in layout.columns.values()} | {*layout.others}) - own
    return [name for name in dict.fromkeys(names) if name in added]


@check(WARNING, "No column has the name of a column of the output.", _clashing)
def no_name_clash(names: list[str]) -> Judgement:
    """No page says what GEM does with such a column."""
    return failed(", ".join(names), len(names)) if names else passed()


def _crs(facts: RoadFacts) -> str:
    footer(facts)
    if facts.crs is None:
        raise NotAsked("the file has no metadata of GeoParquet about the geometry")
    return facts.crs


@check(WARNING, "GeoParquet's metadata, if there is any, names WGS 84.", _crs)
def crs_wgs84(crs: str) -> Judgement:
    """GEM reads the numbers alone."""
    return passed(crs) if crs in WGS84 else failed(f"the coordinate reference system is {crs}")


FILE_AND_COLUMN_CHECKS = (
    name_extension,
    name_not_of_output,
    parquet_readable,
    chunks_in_bounds,
    has_rows,
    readable_here,
    rows_readable,
    id_column,
    geometry_column,
    navigable_column,
    column_names_unique,
    no_name_clash,
    crs_wgs84,
)
