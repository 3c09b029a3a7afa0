"""A lack of memory differs from broken data by the errors that pyarrow and numpy really raise."""

from dataclasses import replace

import pyarrow as pa
import pytest

from gem_core.audit.against_input.input_facts import InputFacts
from gem_core.audit.child.shortage import memory_shortage
from gem_core.audit.judging.facts import Facts
from gem_core.audit.parquet.opened_file import Fault, FaultKind
from tests.audit.build import job

FACTS = Facts(
    job=job(),
    file=Fault(FaultKind.MAGIC, "8 bytes"),
    name="n",
    size_bytes=8,
    input=InputFacts(),
)
SHORT = "malloc of size 4294967296 failed"


def test_pyarrow_says_so_in_these_words() -> None:
    with pytest.raises(MemoryError) as raised:
        pa.allocate_buffer(1 << 60)
    assert memory_shortage(replace(FACTS, data_fault=str(raised.value)))


@pytest.mark.parametrize(
    "said",
    [
        SHORT,
        "realloc of size 268435456 failed",
        "Couldn't deserialize thrift: std::bad_alloc",
        "Unable to allocate 8.00 GiB for an array with shape (1073741824,)",
        "[Errno 12] Cannot allocate memory",
        "MemoryError",
        "can't start new thread",
    ],
)
def test_words_of_shortage(said: str) -> None:
    assert memory_shortage(replace(FACTS, data_fault=said)) == said


@pytest.mark.parametrize(
    "facts",
    [
        replace(FACTS, file=Fault(FaultKind.FOOTER, SHORT)),
        replace(FACTS, ids_fault=SHORT),
        replace(FACTS, input=InputFacts(note=f"the input's data is broken: {SHORT}")),
    ],
)
def test_wherever_it_is_said(facts: Facts) -> None:
    assert SHORT in memory_shortage(facts)


@pytest.mark.parametrize("said", ["", "Unexpected end of stream", "the page is 5 bytes of 9"])
def test_broken_data_is_no_shortage(said: str) -> None:
    assert not memory_shortage(replace(FACTS, data_fault=said))
