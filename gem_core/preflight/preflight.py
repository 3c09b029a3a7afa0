"""The story of a preflight: open, read once, fold into facts, judge. Edge (reads)."""

from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from gem_core.audit.arrow.arrays import Mask
from gem_core.audit.contract import ID_PROMISE
from gem_core.audit.ids.facts import IdFacts, OutputIds
from gem_core.audit.ids.id_audit import IdAudit
from gem_core.audit.judging.report import CheckResult, is_complete, outcome_of, run_checks
from gem_core.audit.options import IdLimits
from gem_core.audit.parquet.opened_file import OpenedFile, open_parquet
from gem_core.audit.parquet.reader_errors import DataFault, Unsupported, is_shortage
from gem_core.audit.reading.range_file import RangeFile
from gem_core.audit.reading.source import Source
from gem_core.audit.rows.progress import OnRows, Pass
from gem_core.gem.contracts.contract import Contract
from gem_core.outcome import Outcome
from gem_core.preflight.geo_metadata import stated_crs
from gem_core.preflight.road_checks import ROAD_CHECKS
from gem_core.preflight.road_facts import RoadFacts
from gem_core.preflight.road_file_checks import readable_here
from gem_core.preflight.road_profile import RoadProfiler


@dataclass(frozen=True, slots=True)
class RoadReport:
    """What a preflight found."""

    outcome: Outcome
    """VALID, VALID_WITH_WARNINGS, INVALID or NOT_AUDITED."""
    checks: tuple[CheckResult, ...]
    facts: RoadFacts

    @property
    def complete(self) -> bool:
        """Whether every check of severity error ran, except for those about other files."""
        return is_complete(self.checks)


def preflight(
    source: Source, contract: Contract, *, limits: IdLimits, on_rows: OnRows | None = None
) -> RoadReport:
    """Judge an input by the pages of a contract.

    Args:
        source: the input.
        contract: by whose pages.
        limits: memory and disk for ids.
        on_rows: is called with the progress after every batch.

    Raises:
        OutputError: the file cannot be read, or has changed.
        MemoryError: there was too little; says nothing about the file.

    """
    with RangeFile(source) as file:
        facts = RoadFacts(source.name, source.size_bytes, contract, open_parquet(file))
        if opened := facts.opened:
            facts = replace(facts, crs=stated_crs(opened.footer, facts.geometry_promise.name))
            facts = _read(facts, opened, limits, on_rows)
    checks = run_checks(ROAD_CHECKS, facts)
    return RoadReport(outcome_of(checks, {readable_here.name}), checks, facts)


def _read(
    facts: RoadFacts, opened: OpenedFile, limits: IdLimits, on_rows: OnRows | None
) -> RoadFacts:
    """Read the columns that can be used, to the end."""
    promises = (ID_PROMISE, facts.geometry_promise, facts.navigable_promise)
    id_, geometry, navigable = (
        None if each.problem(opened.schema) else each.name for each in promises
    )
    profiler = RoadProfiler(id_, geometry, navigable, opened.rows)
    if not profiler.columns:
        return facts
    ids = _Ids(opened, id_, limits) if id_ else None
    try:
        with closing(ids) if ids else nullcontext():
            for batch in opened.batches(profiler.columns, apart=opened.costliest(profiler.columns)):
                profiler.add(batch)
                if ids:
                    ids.add(batch)
                if on_rows:
                    on_rows(Pass.CHECKED, profiler.rows, opened.rows)
            found = ids.finish() if ids else None
    except Unsupported as error:
        return replace(facts, unsupported=f"pyarrow cannot read the rows: {error}")
    except DataFault as error:
        return replace(facts, data_fault=str(error))
    return replace(facts, profile=profiler.profile(), ids=found, ids_fault=ids.fault if ids else "")


class _Ids:
    """Counts the ids, as far as the disk allows."""

    def __init__(self, opened: OpenedFile, name: str, limits: IdLimits) -> None:
        def again() -> Iterator[tuple[pa.Array, Mask]]:
            for batch in opened.batches([name]):
                yield batch.column(name), np.zeros(batch.num_rows, np.bool_)

        kind = opened.schema.field(name).type
        self._name = name
        self._ids = IdAudit(
            OutputIds(kind, again, opened.id_range(), opened.rows), None,
            not_compared="there is nothing to compare with", limits=limits,
        )  # fmt: skip
        self.fault = ""
        """Why the ids could not be counted, or empty."""

    def close(self) -> None:
        self._ids.close()

    def add(self, batch: pa.RecordBatch) -> None:
        if not self.fault:
            try:
                self._ids.add(batch.column(self._name), np.zeros(batch.num_rows, np.bool_))
            except OSError as error:
                self._fail(error)

    def finish(self) -> IdFacts | None:
        if not self.fault:
            try:
                return self._ids.finish()
            except OSError as error:
                self._fail(error)
        return None

    def _fail(self, error: OSError) -> None:
        if is_shortage(error):
            raise error
        self.fault = f"the temporary directory cannot be used: {error.strerror or error}"
        self.close()
