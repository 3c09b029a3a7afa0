"""Measures one way to read an output: `python -m bench.remote_once WAY FILE`.

A separate process serves the file with the speed of a network. Prints JSON: seconds, peak memory in
MiB without the imports, and the requests to the server.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from queue import SimpleQueue
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from azure.storage.blob import ContainerClient

from bench.contestants import COLUMNS, GOOD
from bench.measure import peak_mib
from devkit.blob_server import NAME
from gem_core.audit.audit import audit
from gem_core.audit.parquet.column_chunks import chunks
from gem_core.audit.reading.blob_source import open_blob
from gem_core.audit.reading.byte_range import ByteRange
from gem_core.audit.reading.pieces import PIECE_BYTES, pieces
from gem_core.audit.reading.range_file import TAIL_BYTES
from gem_core.audit.reading.read_ahead import CONNECTIONS
from gem_core.audit.reading.source import Source, open_file
from gem_core.gem.contracts import known
from gem_core.secret import Secret
from gem_core.storage.clients import blob_service_at

_JOB: dict[str, object] = {
    "jobRunId": "bench",
    "status": "finished",
    "inputFileName": "roads.parquet",
    "statistics": {"confidence_threshold": 60},
}


def _audit(output: Source) -> None:
    report = audit(
        output,
        known.read(_JOB | {"outputFileName": output.name}, job_run_id="bench"),
        input_source=None,
    )
    if report.outcome not in GOOD:
        raise ValueError(f"a good file fails {report.failed()}")


def _local(path: Path, _: str) -> None:
    """Audit the local file."""
    _audit(open_file(path))


def _remote(_: Path, address: str) -> None:
    """Audit the blob with the client of the app."""
    url = urlsplit(address)
    service = blob_service_at(f"{url.scheme}://{url.netloc}", Secret(url.query))
    container: ContainerClient = service.get_container_client(url.path.strip("/"))
    _audit(open_blob(container, NAME))


def _bare(path: Path, address: str) -> None:
    """Download the same pieces over as many connections, for the minimum time of a transfer."""
    url = urlsplit(address)
    end = path.stat().st_size - TAIL_BYTES
    wanted = SimpleQueue[ByteRange | None]()
    for piece in pieces(list(chunks(pq.read_metadata(path), set(COLUMNS))), start=0, end=end):
        wanted.put(piece.span)
    for _ in range(CONNECTIONS):
        wanted.put(None)

    def fetch() -> None:
        connection = HTTPConnection(url.netloc)
        body = memoryview(bytearray(2 * PIECE_BYTES))
        while span := wanted.get():
            headers = {"x-ms-range": f"bytes={span.start}-{span.end - 1}"}
            connection.request("GET", f"{url.path}/{NAME}", headers=headers)
            answer = connection.getresponse()
            done = 0
            while got := answer.readinto(body[done : span.length]):
                done += got
            if done != span.length:
                raise ValueError(f"{done} of {span.length} bytes came")

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        for each in [threads.submit(fetch) for _ in range(CONNECTIONS)]:
            each.result()


WAYS: dict[str, Callable[[Path, str], None]] = {
    "local": _local,
    "bare": _bare,
    "remote": _remote,
}


@contextmanager
def _served(path: Path, asked: list[list[str | None]]) -> Iterator[str]:
    """The address of the container. Adds the requests to the list at the end."""
    command = [sys.executable, "-m", "devkit.blob_server", str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        if not server.stdin or not server.stdout:
            raise ValueError("no pipes")
        yield server.stdout.readline().strip()
        server.stdin.close()
        asked += json.loads(server.stdout.read())


def main() -> None:
    """Measure and print."""
    way, path = WAYS[sys.argv[1]], Path(sys.argv[2])
    pa.array(np.zeros(1))  # the first array causes imports
    asked: list[list[str | None]] = []
    with _served(path, asked) as address:
        before = peak_mib()
        begun = time.perf_counter()
        way(path, address)
        wall = time.perf_counter() - begun
        peak = peak_mib() - before
    print(json.dumps({"wall": wall, "peak": peak, "asked": [each[1] for each in asked]}))


if __name__ == "__main__":
    main()
