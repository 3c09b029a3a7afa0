"""Memory and children of a running process, from /proc (Linux)."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from gem_core.audit.child.usage import usage

_EVERY_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that a process holds, and bytes of data that it has reserved (VmData)."""

    resident: int = 0
    data: int = 0

    @classmethod
    def of(cls, pid: int) -> "Memory":
        """Of a process now; nothing when it has ended."""
        found = usage(pid)
        return cls(found.resident_bytes, found.data_bytes) if found else cls()

    def __or__(self, other: "Memory") -> "Memory":
        return Memory(max(self.resident, other.resident), max(self.data, other.data))

    def __str__(self) -> str:
        return f"{self.resident >> 20} MiB resident, {self.data >> 20} MiB data"


def children(pid: int) -> list[int]:
    """The processes that any thread of this process has started."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        found += map(int, path.read_text("ascii").split())
    return found


@contextmanager
def peaks(processes: Callable[[], Mapping[str, int]]) -> Iterator[dict[str, Memory]]:
    """The most that each named process held during the block; complete at its end."""
    found: dict[str, Memory] = {}
    ended = Event()

    def watch() -> None:
        while not ended.wait(_EVERY_SECONDS):
            for name, pid in processes().items():
                found[name] = found.get(name, Memory()) | Memory.of(pid)

    thread = Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()
