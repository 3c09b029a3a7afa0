"""Files for what does not fit into memory: bounded together, and gone with their process."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from gem_core.audit.ids.spill import SpillFull, SpillSpace

ROOT = Path(__file__).resolve().parents[3]


def test_what_was_written_can_be_read_anywhere(tmp_path: Path) -> None:
    numbers = np.arange(1000, dtype=np.uint64)
    with SpillSpace(1 << 20, tmp_path).file() as file:
        assert file.write(numbers.data) == numbers.nbytes
        assert file.write(b"") == 0
        file.seek(0)
        assert np.fromfile(file, np.uint64, 3, offset=8 * 500).tolist() == [500, 501, 502]


def test_arrow_writes_to_it_and_reads_from_it(tmp_path: Path) -> None:
    batch = pa.record_batch([pa.array(["a", "b"])], names=["id"])
    space = SpillSpace(1 << 20, tmp_path)
    with space.file() as file:
        sink = pa.PythonFile(file, "w")
        with pa.ipc.new_file(sink, batch.schema) as writer:
            writer.write_batch(batch)
        assert space.held_bytes == file.tell() > 0
        file.seek(0)
        assert pa.ipc.open_file(pa.PythonFile(file, "r")).get_batch(0) == batch


def test_one_bound_holds_for_all_files_together(tmp_path: Path) -> None:
    space = SpillSpace(100, tmp_path)
    with space.file() as one, space.file() as other:
        one.write(bytes(60))
        with pytest.raises(SpillFull, match="more than 100 bytes"):
            other.write(bytes(41))
        other.write(bytes(40))
        assert space.held_bytes == 100
        one.close()
        one.close()
        assert space.held_bytes == 40
        other.write(bytes(60))
    assert space.held_bytes == 0


def test_a_folder_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        SpillSpace(1, tmp_path / "absent").file()


KILLED = """
import os, signal, sys
from pathlib import Path
from gem_core.audit.ids.spill import SpillSpace
folder = Path(sys.argv[1])
files = [SpillSpace(1 << 30, folder).file() for _ in range(3)]
for file in files:
    file.write(bytes(1 << 20))
assert not list(folder.iterdir())
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []
