"""Real Parquet files, spoilt at random, and audited as the app does it.

`python -m tests.audit.fuzz --files 20000 --seed 1`; a file that gives no result, or harms the audit
of the next one, is kept.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa

from gem_core.audit.child.engine import Engine
from tests.audit.bombs import (
    CHUNK_META,
    DATA_AT,
    DICTIONARY_AT,
    GROUP_CHUNKS,
    groups,
    put_together,
    taken_apart,
)
from tests.audit.build import input_table, matched_table
from tests.audit.child.children import LIMITS
from tests.audit.thrift import (
    BINARY,
    BYTE,
    I16,
    I32,
    I64,
    LIST,
    SET,
    STRUCT,
    Reader,
    Struct,
    written,
)
from tests.audit.watched import Case, Peak, watched
from tests.parquet_files import parquet_bytes

ODD = (0, 1, -1, 2, 7, 127, 255, 4096, 2**15, 2**16, 2**24, 2**31 - 1, -(2**31), 2**32, 2**40)
"""Numbers at which programs go wrong."""

type Spoil = Callable[[bytes, Random], bytes]


@cache
def honest() -> tuple[bytes, ...]:
    """Files of every way to write that matters to a reader."""
    small, wide = matched_table(300), matched_table(40, geometry=pa.array([b"\1\2\0" * 40] * 40))
    texts = matched_table(120, id=pa.array([f"road-{n * 7 % 120:04}" for n in range(120)]))
    single = small.set_column(
        small.schema.get_field_index("match_confidence"),
        "match_confidence",
        small["match_confidence"].cast(pa.float32()),
    )
    delta = {"gers_id": "DELTA_BYTE_ARRAY", "id": "DELTA_BINARY_PACKED"}
    ways: list[tuple[pa.Table, dict[str, Any]]] = [
        (small, {}),
        (small, {"compression": "none", "use_dictionary": False}),
        (small, {"compression": "zstd", "data_page_version": "2.0", "row_group_size": 70}),
        (small, {"compression": "gzip", "data_page_size": 200, "write_page_checksum": True}),
        (small, {"use_dictionary": False, "column_encoding": delta, "row_group_size": 128}),
        (texts, {"compression": "brotli", "write_page_index": True}),
        (single, {"compression": "lz4", "store_schema": False}),
        (wide, {"compression": "snappy", "write_statistics": False}),
        (pa.table({}), {}),
        (matched_table(0), {}),
    ]
    return tuple(parquet_bytes(table, **options) for table, options in ways)


def flip_bits(data: bytes, dice: Random) -> bytes:
    spoilt = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 8, 64))):
        spoilt[dice.randrange(len(spoilt))] ^= 1 << dice.randrange(8)
    return bytes(spoilt)


def _span(data: bytes, dice: Random) -> bytes:
    """Some bytes left out, doubled, or made anew."""
    start = dice.randrange(len(data))
    end = min(len(data), start + dice.choice((1, 4, 30, 500)))
    part = dice.choice((b"", data[start:end] * 2, dice.randbytes(end - start), bytes(end - start)))
    return data[:start] + part + data[end:]


def _ends(data: bytes, dice: Random) -> bytes:
    """The data of one file under the footer of another, or a shorter one's under its own."""
    other = dice.choice(honest())
    start = dice.randrange(4, len(data))
    length = int.from_bytes(other[-8:-4], "little") + 8
    return data[:start] + other[-length:]


def _footer(data: bytes, dice: Random) -> bytes:
    """A few values of the footer changed, its form kept."""
    body, footer = taken_apart(data)
    for _ in range(dice.choice((1, 1, 2, 5))):
        _change(footer, dice)
    return put_together(body, footer)


def _page(data: bytes, dice: Random) -> bytes:
    """The header of a page changed, its form kept, and its length when that can be."""
    # By our own reader: pyarrow might end this process.
    _, footer = taken_apart(data)
    chunks = dice.choice(groups(footer))[GROUP_CHUNKS][1][1]
    meta = dice.choice(chunks)[CHUNK_META][1]
    start = dice.choice([meta[place][1] for place in (DATA_AT, DICTIONARY_AT) if place in meta])
    reader = Reader(data, start)
    header = reader.struct()
    end = reader.position
    for _ in range(dice.choice((1, 1, 2))):
        _change(header, dice)
    text = written(header)
    if len(text) > end - start:
        return data[:start] + text + data[start + len(text) :]
    return (
        data[:start] + text + data[end:]
        if dice.random() < 0.5
        else data[:start] + text + data[start + len(text) :]
    )


def _change(fields: Struct, dice: Random) -> None:
    """One value somewhere in a struct."""
    if not fields:
        return
    number = dice.choice(list(fields))
    kind, value = fields[number]
    if kind == STRUCT and dice.random() < 0.95:
        _change(value, dice)
    elif kind in {LIST, SET} and value[1] and dice.random() < 0.9:
        _change_list(value, dice)
    elif kind in {BYTE, I16, I32, I64}:
        odd = dice.choice((*ODD, value + 1, value - 1, value * 2))
        fields[number] = (kind, odd & 0xFF if kind == BYTE else odd)
    elif kind == BINARY and value:
        fields[number] = (kind, _span(value, dice))
    elif dice.random() < 0.5:
        del fields[number]


def _change_list(value: tuple[int, list[Any]], dice: Random) -> None:
    kind, items = value
    place = dice.randrange(len(items))
    if kind == STRUCT and dice.random() < 0.9:
        _change(items[place], dice)
    elif dice.random() < 0.5:
        items.append(items[place])
    elif kind in {I32, I64}:
        items[place] = dice.choice(ODD)
    else:
        del items[place]


WAYS: tuple[Spoil, ...] = (flip_bits, _span, _ends, _footer, _footer, _page, _page)


def spoilt(seed: int) -> Iterator[bytes]:
    """Spoilt files without end, the same for the same seed."""
    dice = Random(seed)
    while True:
        data = dice.choice(honest())
        for _ in range(dice.choice((1, 1, 1, 2))):
            way = dice.choice(WAYS)
            try:
                data = way(data, dice) or data
            except (IndexError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
                data = flip_bits(data, dice)  # it was spoilt too much already to be taken apart
        yield data


@dataclass
class Found:
    """What came of a run."""

    files: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    first_failed: Counter[str] = field(default_factory=Counter)
    """The first check that failed, of each file."""
    parent: Peak = field(default_factory=Peak)
    child: Peak = field(default_factory=Peak)
    trouble: list[str] = field(default_factory=list)
    """Files that gave no result, or after which a good file was not valid."""


def fuzz(seed: int, files: int, keep: Path) -> Found:
    """Audit spoilt files, every fourth as the input of a good output, and a good file after each.

    Those with trouble are kept.
    """
    found = Found()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name, Engine(LIMITS, os.environ) as engine:
        path, output, given = (Path(name) / f"{one}.parquet" for one in ("spoilt", "good", "input"))
        output.write_bytes(parquet_bytes(matched_table(300)))
        given.write_bytes(parquet_bytes(input_table(300)))
        good = Case("good", output, given)
        for number, data in zip(range(files), spoilt(seed), strict=False):
            path.write_bytes(data)
            pair = (output, path) if number % 4 == 3 else (path, given)
            result = watched(engine, Case(f"file {number}", *pair, with_values=number % 3 == 0))
            found.files += 1
            found.outcomes[result.outcome] += 1
            found.first_failed[result.first_failed] += 1
            found.parent.add(result.parent)
            found.child.add(result.child)
            harmed = watched(engine, good).reason
            if result.outcome == "postponed" or harmed:
                found.trouble.append(f"file {number} of seed {seed}: {result.reason or harmed}")
                (keep / f"spoilt-{seed}-{number}.parquet").write_bytes(data)
    return found


def main() -> int:
    """Exit code 0 when no file made trouble."""
    parser = argparse.ArgumentParser(prog="python -m tests.audit.fuzz")
    parser.add_argument("--files", type=int, default=20_000, help="how many (20000)")
    parser.add_argument("--seed", type=int, default=1, help="decides all of them (1)")
    parser.add_argument("--keep", type=Path, default=Path(), help="folder for those with trouble")
    arguments = parser.parse_args()
    started = time.monotonic()
    found = fuzz(arguments.seed, arguments.files, arguments.keep)
    lines = [
        f"{found.files} files in {time.monotonic() - started:.0f} s, seed {arguments.seed}",
        f"outcomes {dict(found.outcomes)}",
        f"first check that failed {dict(found.first_failed.most_common())}",
        f"parent {found.parent}, child {found.child} MiB; trouble {len(found.trouble)}",
        *found.trouble,
    ]
    print("\n".join(lines))  # noqa: T201 - a command
    return 1 if found.trouble else 0


if __name__ == "__main__":
    sys.exit(main())
