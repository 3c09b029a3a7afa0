"""Frozen dataclasses as JSON and back; what is of another type is refused."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from gem_core.audit.child.messages import FileFacts, Question
from gem_core.audit.child.plain import from_plain, to_plain
from gem_core.audit.child.result import PageOptions
from gem_core.audit.judging.not_opened import NotOpened, Obstacle
from gem_core.audit.options import AuditOptions, IdLimits
from tests.audit.build import job


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Inner:
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Outer:
    text: str
    count: int
    share: float | None
    is_so: bool
    at: datetime
    colour: Colour
    words: tuple[str, ...]
    inner: Inner
    any: Mapping[str, Any]


OUTER = Outer(
    "é\ud800", 3, 0.5, bool(1), datetime(2026, 1, 2, tzinfo=UTC), Colour.RED, ("a", "b"),
    Inner(Path("/x")), {"deep": [1, {"x": None}]},
)  # fmt: skip


def there_and_back[T](value: T) -> T:
    return from_plain(type(value), json.loads(json.dumps(to_plain(value))))


def test_every_kind_of_member_comes_back() -> None:
    assert there_and_back(OUTER) == OUTER


def test_a_question_comes_back() -> None:
    facts = FileFacts("https://x/c/n", "c", "n", "e", 7, OUTER.at, None, 4)
    question = Question(
        token="token",
        output=facts,
        job=job(createdAt="2026-01-20T10:00:00Z", progress=100),
        input_file=None,
        input_note="turned off",
        expected_input="roads.parquet",
        options=AuditOptions(IdLimits(5, Path("/ids")), two_threads=True, with_values=True),
        page=PageOptions(OUTER.at, with_map=True, labels={"team": "maps"}),
        with_progress=False,
        cpu_seconds=9,
        look_up_cpu_seconds=5,
        page_cpu_seconds=3,
        not_opened=NotOpened(Obstacle.CHANGED, "each time"),
    )
    assert there_and_back(question) == question


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("text", 1),
        ("text", None),
        ("count", True),
        ("count", 1.0),
        ("count", "1"),
        ("share", "0.5"),
        ("share", False),
        ("is_so", 1),
        ("at", 5),
        ("at", "yesterday"),
        ("at", "2026-01-20T10:00:00"),
        ("colour", "blue"),
        ("words", "ab"),
        ("words", ["a", 1]),
        ("inner", []),
        ("inner", {"path": 1}),
        ("inner", {"path": None, "more": 1}),
        ("any", []),
        ("more", 1),
    ],
)
def test_another_type_is_refused(member: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"expected|no member|Colour|isoformat|no zone"):
        from_plain(Outer, to_plain(OUTER) | {member: value})


def test_a_member_that_is_missing_is_refused_unless_it_has_a_default() -> None:
    plain = to_plain(OUTER)
    assert from_plain(Outer, plain | {"inner": {}}).inner == Inner()
    del plain["text"]
    with pytest.raises(ValueError, match="Outer lacks a member"):
        from_plain(Outer, plain)
