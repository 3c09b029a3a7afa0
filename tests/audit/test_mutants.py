"""A short form of `python -m tests.audit.mutants`."""

from pathlib import Path

import pytest

from tests.audit.mutants import TABLE, OtherReaders, originals, run

FILES = 30


@pytest.mark.slow
def test_a_mutant_that_stays_valid_holds_the_same(tmp_path: Path) -> None:
    found = run(20_261_128, FILES, tmp_path)
    assert found.trouble == []
    assert found.outcomes.total() == FILES
    # The job has no statistics, so the best is a warning.
    assert {"valid_with_warnings", "invalid"} <= set(found.outcomes)


def test_another_table_is_seen(tmp_path: Path) -> None:
    same, other = tmp_path / "same.parquet", tmp_path / "other.parquet"
    same.write_bytes(originals()[0])
    data = bytearray(originals()[1])  # neither packed nor coded
    place = data.index(str(TABLE["gers_id"][0]).encode())
    data[place] ^= 1
    other.write_bytes(data)
    with OtherReaders() as others:
        assert others.same_content(same) == ""
        assert others.same_content(other) == "pyarrow: another table"
