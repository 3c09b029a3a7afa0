"""A short form of `python -m tests.audit.fuzz`: a spoilt file is a result, and harms no other."""

from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.audit.fuzz import fuzz, honest, spoilt

FILES = 100


@pytest.mark.slow
def test_a_spoilt_file_is_a_report(tmp_path: Path) -> None:
    found = fuzz(20_260_125, FILES, tmp_path)
    assert found.trouble == []
    assert found.files == FILES == found.outcomes.total()
    # Not all of them fall at the first door.
    assert {"footer_readable", "rows_readable", "chunks_in_bounds"} <= set(found.first_failed)


@pytest.mark.parametrize("data", honest())
def test_the_files_to_be_spoilt_are_honest(data: bytes) -> None:
    assert pq.read_metadata(pa.BufferReader(data))


def test_the_same_seed_spoils_the_same_files() -> None:
    assert list(islice(spoilt(3), 50)) == list(islice(spoilt(3), 50))
