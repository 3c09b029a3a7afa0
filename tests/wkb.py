"""Geometries as WKB."""

import struct
from collections.abc import Sequence


def wkb(
    points: Sequence[tuple[float, ...]], kind: int = 2, order: str = "<", srid: bytes = b""
) -> bytes:
    head = struct.pack(f"{order}BI", order == "<", kind) + srid
    numbers = [number for point in points for number in point]
    return head + struct.pack(f"{order}I{len(numbers)}d", len(points), *numbers)


def multi(*lines: bytes) -> bytes:
    return struct.pack("<BII", 1, 5, len(lines)) + b"".join(lines)
