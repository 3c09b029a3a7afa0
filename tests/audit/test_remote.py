"""An audit of a blob: how much it reads in how many requests, and what happens when it goes wrong.

The SDK and the HTTP are real; the pieces are small, so that a small file has many.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import azure.storage.blob._download
import pyarrow.parquet as pq
import pytest

from bench.networks import Layout, Order, write_network
from devkit.blob_server import Asked, Blob, Fault, serving
from gem_core.audit.audit import audit
from gem_core.audit.judging.report import Report
from gem_core.audit.options import AuditOptions
from gem_core.audit.parquet import column_chunks
from gem_core.audit.reading import pieces, read_ahead
from gem_core.audit.reading.blob_source import HEAD_BYTES, open_blob
from gem_core.audit.reading.range_file import TAIL_BYTES
from gem_core.errors import OutputChanged, OutputUnreachable
from gem_core.gem.contracts import known
from gem_core.outcome import Outcome
from gem_core.page.survey import survey
from tests.audit.build import PROMISES

ROWS = 200_000
PIECE = 1 << 20
NEEDED = {"id", "gers_id", "match_confidence", "match_status"}


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(pieces, "PIECE_BYTES", PIECE)
    monkeypatch.setattr(read_ahead, "PIECE_BYTES", PIECE)
    monkeypatch.setattr(column_chunks, "BATCH_ROWS", 1 << 14)
    # The SDK asks again for a body that broke off, after a second.
    monkeypatch.setattr(azure.storage.blob._download, "time", SimpleNamespace(sleep=lambda _: None))
    yield
    assert [thread for thread in threading.enumerate() if "read-ahead" in thread.name] == []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("networks")


def network(folder: Path, layout: Layout) -> Path:
    return write_network(folder / f"{layout}.parquet", ROWS, Order.SPARSE, layout)


JOB = known.read(
    {
        "jobRunId": "job-1",
        "inputFileName": "roads.parquet",
        "outputFileName": "roads_matched.parquet",
        "status": "finished",
        "statistics": {"confidence_threshold": 60},
    },
    job_run_id="job-1",
)

ONE_GROUP = Layout("snappy", ROWS, heavy_geometry=True)
MANY_GROUPS = Layout("zstd", ROWS // 12, heavy_geometry=True)


@dataclass(frozen=True)
class Bounds:
    """What may be read of a file."""

    bytes: float
    requests: float

    @classmethod
    def of(cls, path: Path) -> "Bounds":
        found = pq.read_metadata(path)
        groups = [found.row_group(number) for number in range(found.num_row_groups)]
        needed = sum(
            chunk.total_compressed_size
            for group in groups
            for chunk in map(group.column, range(group.num_columns))
            if chunk.path_in_schema in NEEDED
        )
        footer = found.serialized_size
        fixed = TAIL_BYTES + HEAD_BYTES
        return cls(1.02 * (footer + needed) + fixed, needed / PIECE + len(groups) + 2)


def audited(blob: Blob, *, retry_total: int = 0, two_threads: bool = False) -> Report:
    with serving(blob, retry_total=retry_total) as container:
        output = open_blob(container, "roads_matched.parquet")
        options = AuditOptions(two_threads=two_threads)
        return audit(output, JOB, input_source=None, options=options)


def is_data(asked: Asked) -> bool:
    """Neither of the two requests that come before the data."""
    return asked.if_match is not None and "-" in (asked.range or "")


def length(asked: Asked) -> int:
    first, last = (asked.range or "").removeprefix("bytes=").split("-")
    return int(last) + 1 - int(first)


@pytest.mark.parametrize("two_threads", [False, True], ids=["one-thread", "two-threads"])
@pytest.mark.parametrize("layout", [ONE_GROUP, MANY_GROUPS], ids=str)
def test_little_more_is_read_than_is_needed_in_few_requests(
    folder: Path, layout: Layout, *, two_threads: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gem_core.audit.parquet.threads.LARGE_ROWS", 0)
    path = network(folder, layout)
    blob = Blob(path.read_bytes())
    report = audited(blob, two_threads=two_threads)
    bounds = Bounds.of(path)
    assert report.failed() == {"statistics_readable"}  # the job has a threshold alone
    assert report.threads == 1 + two_threads
    assert sum(map(length, blob.requests)) <= bounds.bytes
    assert len(blob.requests) <= bounds.requests
    assert len(blob.requests) == report.requests
    assert len(set(blob.requests)) == len(blob.requests)
    opening, *later = blob.requests
    assert opening.if_match is None
    assert {asked.if_match for asked in later} == {'"0x8D1"'}


@pytest.mark.parametrize("layout", [ONE_GROUP, MANY_GROUPS], ids=str)
def test_the_page_reads_each_piece_once(folder: Path, layout: Layout) -> None:
    blob = Blob(network(folder, layout).read_bytes())
    with serving(blob) as container:
        found = survey(open_blob(container, "roads_matched.parquet"), PROMISES, with_map=True)
    assert found.road_map
    assert found.road_map.matched
    assert len(set(blob.requests)) == len(blob.requests)


@pytest.mark.parametrize("fault", [Fault(refusal=(503, "ServerBusy")), Fault(lost_bytes=1000)])
@pytest.mark.parametrize("layout", [ONE_GROUP, MANY_GROUPS], ids=str)
def test_each_range_that_fails_once_is_asked_for_again_and_no_other(
    folder: Path, layout: Layout, fault: Fault
) -> None:
    """Every third range breaks off at its first try, or is turned away."""
    seen: Counter[str | None] = Counter()

    def sometimes(asked: Asked) -> Fault | None:
        seen[asked.range] += 1
        fails = is_data(asked) and len(seen) % 3 == 0 and seen[asked.range] == 1
        return fault if fails else None

    blob = Blob(network(folder, layout).read_bytes(), fault=sometimes)
    report = audited(blob, retry_total=2)
    assert report.failed() == {"statistics_readable"}  # the job has a threshold alone
    tries = sorted(seen.values())
    assert tries[-1] == 2
    assert tries.count(2) >= len(tries) // 3 - 1
    assert all(asked.if_match for asked in blob.requests[1:])


def test_an_output_that_is_replaced_while_pieces_come_has_changed(folder: Path) -> None:
    """Whichever thread finds out, the audit ends with that error."""
    for moment in (1, 2, 5, 9):
        blob = Blob(network(folder, MANY_GROUPS).read_bytes())

        def replace(_: Asked, blob: Blob = blob, moment: int = moment) -> None:
            if len(blob.requests) > moment:
                blob.etag = "0x8D2"

        blob.fault = replace
        with pytest.raises(OutputChanged, match="replaced"):
            audited(blob, two_threads=True)


def test_a_storage_that_dies_in_the_middle_is_unreachable(folder: Path) -> None:
    blob = Blob(network(folder, MANY_GROUPS).read_bytes())
    blob.fault = lambda asked: Fault(lost_bytes=length(asked)) if len(blob.requests) > 6 else None
    with pytest.raises(OutputUnreachable, match="no answer"):
        audited(blob, two_threads=True)


def test_what_goes_wrong_in_the_rows_ends_the_fetching(folder: Path) -> None:
    """A broken page in the first row group: the rest is not fetched."""
    path = network(folder, MANY_GROUPS)
    data = bytearray(path.read_bytes())
    start = pq.read_metadata(path).row_group(0).column(2).data_page_offset
    data[start : start + 64] = bytes(64)
    blob = Blob(bytes(data))
    report = audited(blob)
    assert report.outcome is Outcome.INVALID
    assert report.requests < Bounds.of(path).requests - 5
