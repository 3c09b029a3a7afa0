"""Opening Parquet: what is broken becomes a value, what is not read stays unread."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gem_core.audit.parquet.opened_file import Fault, FaultKind, OpenedFile, open_parquet
from gem_core.audit.parquet.reader_errors import DataFault, in_short
from gem_core.audit.reading.range_file import TAIL_BYTES, RangeFile
from gem_core.errors import OutputChanged, OutputUnreachable
from tests.audit.build import matched_table
from tests.audit.reading.memory_source import MemorySource
from tests.parquet_files import parquet_bytes

NEEDED = ["id", "gers_id", "match_confidence", "match_status"]


def opened(data: bytes) -> tuple[OpenedFile, RangeFile, MemorySource]:
    source = MemorySource(data)
    file = RangeFile(source)
    found = open_parquet(file)
    assert isinstance(found, OpenedFile)
    return found, file, source


def fault(data: bytes) -> Fault:
    found = open_parquet(RangeFile(MemorySource(data)))
    assert isinstance(found, Fault)
    return found


def test_a_small_file_is_one_request() -> None:
    found, file, _ = opened(parquet_bytes(matched_table(), row_group_size=5))
    assert (found.rows, found.row_groups, found.chunks_past_footer) == (12, 3, 0)
    assert found.schema.equals(matched_table().schema)
    assert sum(batch.num_rows for batch in found.batches(NEEDED)) == 12
    assert file.requests == 1


def wide_table(rows: int = 20_000) -> pa.Table:
    """Geometry makes up most of it, so that reading it would show."""
    points = [
        f"LINESTRING ({n * 7919 % 10007} " + "5 53, 4 52, " * 20 + f"{n} 1)" for n in range(rows)
    ]
    return matched_table(rows, geometry=pa.array(points))


@pytest.mark.parametrize("groups", [1, 7])
def test_geometry_is_never_read(groups: int) -> None:
    data = parquet_bytes(wide_table(), row_group_size=-(-20_000 // groups), compression="none")
    found, file, source = opened(data)
    assert sum(batch.num_rows for batch in found.batches(NEEDED)) == 20_000
    metadata = pq.read_metadata(pa.BufferReader(data))
    needed, geometry = 0, []
    for group in range(groups):
        for column in (metadata.row_group(group).column(n) for n in range(6)):
            start = column.dictionary_page_offset or column.data_page_offset
            if column.path_in_schema in NEEDED:
                needed += column.total_compressed_size
            elif column.path_in_schema == "geometry":
                geometry.append((start, start + column.total_compressed_size))
    assert file.bytes_read <= needed * 1.02 + TAIL_BYTES
    for first, last in geometry:
        touched = sum(max(0, min(last, a.end) - max(first, a.start)) for a in source.asked[1:])
        assert touched <= 0.05 * (last - first)


def test_a_footer_longer_than_the_tail_is_fetched_whole() -> None:
    table = pa.table({f"column_{n}" * 10: [n] for n in range(800)})
    data = parquet_bytes(table)
    found, _, source = opened(data + b"")
    assert len(found.schema) == 800
    assert len(source.asked) == 3
    assert int.from_bytes(data[-8:-4], "little") > 65_536


@pytest.mark.parametrize(
    ("data", "kind", "detail"),
    [
        pytest.param(b"", FaultKind.EMPTY, "0 bytes", id="empty"),
        pytest.param(b"PAR1", FaultKind.MAGIC, "4 bytes", id="only-magic"),
        pytest.param(b"id,gers_id\n1,x\n2,y\n", FaultKind.MAGIC, "id,g", id="csv"),
        pytest.param(b"PAR1" + b"x" * 20, FaultKind.MAGIC, "xxxx", id="cut"),
        pytest.param(b"x" * 20 + b"PAR1", FaultKind.MAGIC, "xxxx", id="head-lost"),
        pytest.param(b"PARE" + bytes(20) + b"PARE", FaultKind.ENCRYPTED, "PARE", id="encrypted"),
        pytest.param(b"PAR1\xff\xff\xff\x7fPAR1", FaultKind.FOOTER, "2147483647", id="too-long"),
        pytest.param(b"PAR1\x00\x00\x00\x00PAR1", FaultKind.FOOTER, "", id="no-footer"),
        pytest.param(
            b"PAR1" + b"\xff" * 40 + b"\x28\x00\x00\x00PAR1", FaultKind.FOOTER, "", id="garbage"
        ),
    ],
)
def test_what_is_no_parquet_says_so(data: bytes, kind: FaultKind, detail: str) -> None:
    found = fault(data)
    assert found.kind is kind
    assert detail in found.detail
    assert found.detail


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_has_no_magic_at_its_end(share: float) -> None:
    data = parquet_bytes(matched_table())
    assert fault(data[: int(len(data) * share)]).kind is FaultKind.MAGIC


def test_every_damaged_footer_is_a_value() -> None:
    """Each byte of a footer flipped in turn: a fault, broken data, or read; never an exception."""
    data = parquet_bytes(matched_table(3))
    start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    for position in range(start, len(data) - 8):
        damaged = bytearray(data)
        damaged[position] ^= 0xFF
        found = open_parquet(RangeFile(MemorySource(bytes(damaged))))
        if isinstance(found, OpenedFile):
            try:
                for _ in found.batches([name for name in found.schema.names if name in NEEDED][:1]):
                    pass
            except DataFault:
                pass


def test_a_hole_in_the_data_is_seen_in_the_footer() -> None:
    data = parquet_bytes(wide_table(2000))
    found, _, _ = opened(data[:4] + data[len(data) // 2 :])
    assert found.chunks_past_footer > 0
    with pytest.raises(DataFault):
        list(found.batches(NEEDED))


def test_flipped_data_is_a_data_fault() -> None:
    data = bytearray(parquet_bytes(matched_table(), write_page_checksum=True, compression="none"))
    data[40] ^= 0xFF
    found, _, _ = opened(bytes(data))
    with pytest.raises(DataFault, match="CRC"):
        list(found.batches(["id"]))


@pytest.mark.parametrize("error", [OutputChanged("replaced"), OutputUnreachable("503")])
def test_trouble_with_the_source_is_not_taken_for_a_broken_file(
    error: OutputChanged | OutputUnreachable,
) -> None:
    data = parquet_bytes(wide_table())
    found, _, source = opened(data)
    source.error = error
    with pytest.raises(type(error)) as caught:
        list(found.batches(NEEDED))
    assert caught.value is error


def test_trouble_that_pyarrow_swallowed_comes_out_all_the_same() -> None:
    data = bytearray(parquet_bytes(matched_table(), write_page_checksum=True, compression="none"))
    data[40] ^= 0xFF
    found, file, _ = opened(bytes(data))
    file._fetcher.failure = OutputChanged("replaced")
    with pytest.raises(OutputChanged):
        list(found.batches(["id"]))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("two\n  lines", "two lines"),
        ("", "ValueError"),
        ("x" * 300, "x" * 300),
        ("x" * 301, f"{'x' * 299}…"),
    ],
    ids=["lines", "nothing", "fits", "long"],
)
def test_the_text_of_an_error_is_one_short_line(text: str, line: str) -> None:
    assert in_short(ValueError(text)) == line
