"""The built-in file: every audit must find it valid."""

import io

import pyarrow.parquet as pq

from gem_core.audit.child.in_process import audit_in_process
from gem_core.audit.child.self_test import JOB, built_in_file
from gem_core.outcome import Outcome
from tests.audit.build import matched_table


def test_it_is_valid() -> None:
    file = built_in_file()
    assert audit_in_process(file, JOB, input_source=None).outcome is Outcome.VALID
    assert pq.read_table(io.BytesIO(file.data)).equals(matched_table(4, 2))
    assert file.size_bytes < 4096
