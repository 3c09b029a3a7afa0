"""A short form of `python -m tests.audit.fuzz`: a spoilt file is a report, within bounds."""

from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.audit.audited_alone import Alone, Died
from tests.audit.fuzz import fuzz, honest, spoilt

FILES = 200


@pytest.mark.slow
def test_a_spoilt_file_is_a_report(tmp_path: Path) -> None:
    found = fuzz(20_260_125, FILES, tmp_path)
    assert found.trouble == []
    assert found.files == FILES == found.outcomes.total() + found.known
    # Not all of them fall at the first door.
    assert {"footer_readable", "rows_readable", "chunks_in_bounds"} <= set(found.first_failed)


@pytest.mark.parametrize("data", honest())
def test_the_files_to_be_spoilt_are_honest(data: bytes) -> None:
    assert pq.read_metadata(pa.BufferReader(data))


def test_the_same_seed_spoils_the_same_files() -> None:
    assert list(islice(spoilt(3), 50)) == list(islice(spoilt(3), 50))


@pytest.mark.slow
def test_an_audit_that_ends_its_process_is_seen(tmp_path: Path) -> None:
    """So that the fuzz can fail at all; the next file is audited by another process."""
    (tmp_path / "whole_matched.parquet").write_bytes(honest()[0])
    with Alone() as alone:
        with pytest.raises(Died, match="exit code"):
            alone.audit(tmp_path / "is-not-there_matched.parquet")
        assert alone.audit(tmp_path / "whole_matched.parquet").outcome
