"""Broken data, a limit of pyarrow and a lack of memory are told apart by what is really raised."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from gem_core.audit.parquet.opened_file import Fault, FaultKind, OpenedFile, open_parquet
from gem_core.audit.parquet.reader_errors import DataFault, Unsupported, is_shortage, told_apart
from gem_core.audit.reading.range_file import RangeFile
from gem_core.errors import OutputUnreachable
from tests.audit import bombs
from tests.audit.build import audited, write_bytes
from tests.audit.reading.memory_source import MemorySource
from tests.audit.thrift import varint

EMPTY = RangeFile(MemorySource(b""))


def told(error: BaseException) -> type[BaseException]:
    with pytest.raises(BaseException) as caught, told_apart(EMPTY):  # noqa: PT011 - any of them
        raise error
    return caught.type


@pytest.mark.parametrize(
    "said",
    [
        "malloc of size 4294967296 failed",
        "realloc of size 268435456 failed",
        "Couldn't deserialize thrift: std::bad_alloc",
        "[Errno 12] Cannot allocate memory",
    ],
)
def test_an_error_that_speaks_of_memory_is_a_lack_of_memory(said: str) -> None:
    assert told(OSError(said)) is MemoryError
    assert told(pa.ArrowInvalid(said)) is MemoryError


def test_what_pyarrow_and_numpy_raise_when_memory_is_short() -> None:
    with pytest.raises(MemoryError) as of_pyarrow:
        pa.allocate_buffer(1 << 60)
    with pytest.raises(MemoryError) as of_numpy:
        np.zeros(1 << 57)
    assert told(of_pyarrow.value) is told(of_numpy.value) is MemoryError
    assert is_shortage(RuntimeError("can't start new thread"))


@pytest.mark.parametrize("said", ["", "Unexpected end of stream", "the page is 5 bytes of 9"])
def test_other_words_are_of_broken_data(said: str) -> None:
    assert told(OSError(said)) is told(ValueError(said)) is DataFault


def test_an_error_of_the_source_comes_out_whatever_pyarrow_made_of_it() -> None:
    file = RangeFile(MemorySource(b"x"))
    file._fetcher.failure = OutputUnreachable("503")
    with pytest.raises(OutputUnreachable), told_apart(file):
        raise OSError("malloc of size 8 failed")


@pytest.mark.parametrize("error", [KeyError("a mistake of ours"), DataFault("known")])
def test_any_other_error_stays_what_it_is(error: Exception) -> None:
    assert told(error) is type(error)


@pytest.mark.parametrize(
    "error", [pa.ArrowNotImplementedError("x"), OSError("Not yet implemented: y")]
)
def test_what_pyarrow_cannot_do_is_a_limit_of_pyarrow(error: Exception) -> None:
    assert told(error) is Unsupported


def test_a_limit_of_pyarrow_is_not_a_fault_of_the_file(tmp_path: Path) -> None:
    report = audited(tmp_path, write_bytes(tmp_path, bombs.newer_encoding()))
    assert (str(report.outcome), {*report.failed()}) == ("not_audited", {"auditable"})


@pytest.mark.slow
def test_a_text_in_a_footer_may_have_any_length() -> None:
    """Of its own accord pyarrow reads 100 MB. A text that the footer lacks is a broken footer."""
    data = bombs.key_values({b"key": b"v" * 101_000_000})
    assert isinstance(open_parquet(RangeFile(MemorySource(data))), OpenedFile)
    footer = b"\x15\x02\x58" + varint(1 << 30) + b"abc"  # a version, and a text
    data = b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"
    fault = open_parquet(RangeFile(MemorySource(data)))
    assert isinstance(fault, Fault)
    assert fault.kind is FaultKind.FOOTER
