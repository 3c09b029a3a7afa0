"""Manifests and their reports, made by deliveries of the app from many files and answers."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import cycle
from typing import Any

import pyarrow as pa

from gem_core.errors import OutputRefused
from gem_core.flows.deliver_results import deliver_results
from gem_core.watch.record import Settlement
from tests.audit import bombs
from tests.audit.build import changed, input_table, matched_table
from tests.builders import JOB, OUTPUT, World, answer, finished
from tests.fakes import START
from tests.flows.build import INPUT
from tests.parquet_files import parquet_bytes

_STATISTICS = {
    "roads_matched": "75%",
    "roads_unmatched": "25%",
    "roads_fully_matched": "75%",
    "roads_partially_matched": "0%",
    "confidence_threshold": 60,
    "num_roads_processed": 12,
}
_ANSWERS = (
    finished(statistics=_STATISTICS),
    finished(statistics=_STATISTICS | {"roads_matched": "75.5%", "more": {"deep": [None, 1.5]}}),
    finished(statistics=None, progress=100, region="EU", nested={"\U0001f6e3": [[{}]]}),
    finished(statistics={"roads_matched": "150%", "num_roads_processed": "12"}, storageId=7),
    finished(statistics="none", createdAt="yesterday", modifiedAt=None, overtureRelease=[]),
    finished(statistics=_STATISTICS | {"kms_processed": float("nan")}, inputFileName="é" * 40),
)
_CAPITALS = {f"r{row}": f"{row:08X}-AAAA-4AAA-8AAA-AAAAAAAAAAAA" for row in range(9)}
_OUTPUTS: tuple[pa.Table | bytes, ...] = (
    matched_table(),
    matched_table(matched=0),
    matched_table().schema.empty_table(),
    matched_table(id=None),
    matched_table(match_status=None),
    matched_table(match_confidence=None, name=pa.array([{"a": [1]}] * 12)),
    changed(matched_table(), "id", r1=100, r3=None),
    changed(matched_table(), "match_confidence", r0=float("nan"), r1=2.0, r2=None),
    changed(matched_table(), "gers_id", **_CAPITALS),
    matched_table(**{'\U0001f6e3 "name"\n': pa.array(range(12))}),
    b"",
    b"id,gers_id\n1,2\n",
    b"PAR1" + b"\0" * 40 + b"PAR1",
)
_INPUTS = (input_table(), None, input_table(rows=20), b"no parquet")


def _bytes(content: pa.Table | bytes) -> bytes:
    return content if isinstance(content, bytes) else parquet_bytes(content)


def _finished(gem_answer: dict[str, Any], output: pa.Table | bytes) -> World:
    made = World(output_grace=timedelta(0))  # an output without a whole footer is final at once
    made.files.write(OUTPUT, _bytes(output))
    made.settle(gem_answer)
    return made


def _audited() -> Iterator[World]:
    """Each output with each answer; the inputs are used in turn."""
    inputs = cycle(_INPUTS)
    for output in _OUTPUTS:
        for gem_answer in _ANSWERS:
            world = _finished(gem_answer, output)
            if (content := next(inputs)) is not None:
                world.files.write(INPUT, _bytes(content))
            yield world


def _without_a_verdict() -> Iterator[World]:
    yield _finished(_ANSWERS[0], bombs.newer_encoding())
    refused = _finished(_ANSWERS[0], _OUTPUTS[0])
    refused.files.errors[OUTPUT] = OutputRefused("no plain name")
    yield refused
    missing = World(output_grace=timedelta(0))
    missing.settle(_ANSWERS[0])
    yield missing
    for status in ("failed", "cancelled"):
        ended = World()
        ended.settle(answer(status))
        yield ended
    for reason in (Settlement.LOST, Settlement.EXPIRED):
        world = World()
        world.add(JOB)
        stored = world.registry.get(JOB)
        assert stored
        seen = stored.record.answered_not_found(START).settled(reason, START)
        world.registry.replace(stored, replace(seen, labels={"team": "Straßen"}))
        yield world


def real_manifests() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each manifest as a listener reads it, and its report."""
    found = []
    for world in (*_audited(), *_without_a_verdict()):
        assert deliver_results(world.deliverer, JOB)
        (event,) = world.queue.events()
        report = world.reports.get(f"{JOB}/{event['id']}/report.json")
        assert report
        found.append((event, json.loads(report.body)))
    return found
