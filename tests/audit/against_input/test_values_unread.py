"""Values that cannot be read or compared: broken data, what pyarrow lacks, a file that changes."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gem_core.audit.against_input import values
from gem_core.audit.audit import audit
from gem_core.audit.judging.verdict import Judgement, Verdict
from gem_core.audit.options import AuditOptions
from gem_core.audit.parquet.column_chunks import chunks
from gem_core.audit.reading.source import open_file
from gem_core.errors import OutputChanged
from tests.audit import bombs
from tests.audit.against_input.compared import compared, judged
from tests.audit.build import audited, input_table, job, large, matched_table, write, write_bytes
from tests.audit.reading.memory_source import MemorySource
from tests.parquet_files import footer_of, parquet_bytes

ALL = AuditOptions(with_values=True)


def spoilt(path: Path, column: str) -> bytes:
    """The file with zeros in place of the column's first page."""
    data = bytearray(path.read_bytes())
    metadata = pq.read_metadata(path)
    index = metadata.schema.to_arrow_schema().get_field_index(column)
    start = metadata.row_group(0).column(index).data_page_offset
    data[start : start + 30] = bytes(30)
    return bytes(data)


def test_geometry_that_is_broken_shows_when_all_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, matched_table(), use_dictionary=False).path
    output = write_bytes(tmp_path, spoilt(path, "geometry"))
    assert audited(tmp_path, output).outcome == "valid"
    report = audited(tmp_path, open_file(path), with_values=True)
    assert report.failed() == {"rows_readable"}
    assert judged(report) == Judgement(Verdict.NOT_RUN, "the rows could not be read to the end")


def test_a_column_that_names_values_which_are_not_there_is_broken(tmp_path: Path) -> None:
    output = write_bytes(tmp_path, bombs.index_beyond_dictionary("geometry"))
    report = audited(tmp_path, output, with_values=True)
    assert "rows_readable" in report.failed()


@pytest.mark.parametrize("large_rows", [1, 1 << 18])
def test_an_input_that_is_broken_says_nothing_about_the_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large_rows: int
) -> None:
    """Whichever thread finds out."""
    monkeypatch.setattr(values, "LARGE_ROWS", large_rows)
    path = write(tmp_path, input_table(), "roads.parquet", use_dictionary=False).path
    input_ = write_bytes(tmp_path, spoilt(path, "geometry"), "roads.parquet")
    output = write(tmp_path, matched_table())
    options = AuditOptions(two_threads=True, with_values=True)
    report = audit(output, job(), input_source=input_, options=options)
    assert report.outcome == "valid"
    assert judged(report).verdict is Verdict.NOT_RUN
    assert judged(report).detail.startswith("the input's data is broken")


def test_an_output_that_changes_while_it_is_compared_is_no_verdict(tmp_path: Path) -> None:
    table = large(matched_table(30_000))
    data = write(tmp_path, table, compression="none", row_group_size=9_000).path.read_bytes()
    input_ = write(tmp_path, large(input_table(30_000)), "roads.parquet")
    answers = 0
    while True:
        try:
            source = MemorySource(data, OutputChanged("replaced"), answers)
            report = audit(source, job(), input_source=None)
            break
        except OutputChanged:
            answers += 1
    assert report.rows == 30_000
    source = MemorySource(data, OutputChanged("replaced"), answers)
    with pytest.raises(OutputChanged):
        audit(source, job(), input_source=input_, options=ALL)


@pytest.mark.parametrize("side", ["output", "input"])
def test_what_pyarrow_cannot_decode_is_not_called_broken(tmp_path: Path, side: str) -> None:
    """An encoding of the years to come: other readers take it."""
    output, input_ = (parquet_bytes(table) for table in (matched_table(), input_table()))
    if side == "output":
        output = bombs.newer_encoding("is_navigable", output)
    else:
        input_ = bombs.newer_encoding("is_navigable", input_)
    report = audited(
        tmp_path,
        write_bytes(tmp_path, output),
        input_=write_bytes(tmp_path, input_, "roads.parquet"),
        with_values=True,
    )
    assert report.outcome == "valid"
    found = judged(report)
    assert found.verdict is Verdict.NOT_RUN
    assert f"pyarrow cannot read the {side} to its end" in found.detail


def test_a_column_with_fewer_rows_than_the_footer_states_is_broken(tmp_path: Path) -> None:
    """Pyarrow passes over a page of a type that it does not know, and then gives no row at all."""
    data = parquet_bytes(matched_table(), use_dictionary=False)
    ((place,),) = chunks(footer_of(data), ["is_navigable"])
    # The header begins with its type, member 1, which is 0 for a data page; in zigzag.
    assert data[place.start : place.start + 2] == b"\x15\x00"
    data = data[: place.start + 1] + b"\x14" + data[place.start + 2 :]
    report = audited(tmp_path, write_bytes(tmp_path, data), with_values=True)
    assert "rows_readable" in report.failed()


def test_what_arrow_cannot_compare_is_no_fault_of_the_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(*_: object) -> None:
        raise pa.ArrowNotImplementedError("no kernel")

    monkeypatch.setattr(values, "differing", unable)
    found = compared(tmp_path, matched_table())
    assert found.verdict is Verdict.NOT_RUN
    assert "from row 0 on, pyarrow cannot compare the values: no kernel" in found.detail
