"""A loopback GEM that answers each request after 50 ms: `python -m bench.gem_loopback`.

It runs in a separate process with one event loop, so that it costs the measured process nothing. It
prints its address and ends when its standard input is closed.
"""

import asyncio
import json
import sys

LATENCY_SECONDS = 0.05
_EMPTY_LINE = b"\r\n\r\n"


def answer(job_run_id: str) -> bytes:
    """GEM's answer about a running job, as an HTTP response."""
    body = json.dumps(
        {
            "jobRunId": job_run_id,
            "storageId": "storage-001",
            "inputFileName": "roads.parquet",
            "matchingType": "road",
            "overtureRelease": "2026-01-21.0",
            "status": "running",
            "createdAt": "2026-01-20T10:00:00Z",
            "modifiedAt": "2026-01-20T10:00:00Z",
        }
    ).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + _EMPTY_LINE + body


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one persistent connection."""
    try:
        while True:
            head = await reader.readuntil(_EMPTY_LINE)
            await asyncio.sleep(LATENCY_SECONDS)
            writer.write(answer(head.split(b" ", 2)[1].rpartition(b"/")[2].decode()))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    """Serve until standard input is closed."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
