"""Ids are looked up in the child, after the verdict: whatever happens then, the verdict stands."""

import os
from dataclasses import dataclass, field, replace
from threading import Event
from typing import override

import pytest

from gem_core.audit.child.engine import Engine
from gem_core.audit.child.result import AuditResult, PageOptions
from gem_core.audit.child.self_test import BuiltInFile
from gem_core.audit.options import AuditOptions, OvertureLimits
from gem_core.audit.overture.release import NoRelease, Part, Release
from gem_core.audit.reading.source import Source
from gem_core.errors import OutputMissing, OutputUnreachable
from gem_core.outcome import Outcome
from tests.audit.build import job
from tests.audit.child.children import (
    GOOD,
    INPUT,
    LIMITS,
    Dripping,
    Killing,
    as_kind,
    audited,
    pid,
)
from tests.fakes import START

pytestmark = pytest.mark.slow  # each test starts a child


@dataclass(frozen=True, slots=True)
class Unreachable(BuiltInFile):
    """Storage that refuses."""

    @override
    def read(self, offset: int, length: int) -> bytes:
        raise OutputUnreachable("storage answered 403")


@dataclass(frozen=True, slots=True)
class Vanishing(BuiltInFile):
    """A file that is deleted when `gone` is set."""

    gone: Event = field(default_factory=Event)

    @override
    def read(self, offset: int, length: int) -> bytes:
        if self.gone.is_set():
            raise OutputMissing("it was deleted")
        return BuiltInFile.read(self, offset, length)


@dataclass(frozen=True, slots=True)
class Broken(Vanishing):
    """An output of which storage serves only zeros when `gone` is set."""

    @override
    def read(self, offset: int, length: int) -> bytes:
        return bytes(length) if self.gone.is_set() else BuiltInFile.read(self, offset, length)


NOT_ENDED = "the look-up in Overture did not come to its end"


def looked_up(
    engine: Engine,
    release: Release | NoRelease,
    output: Source = GOOD,
    given: Source | None = None,
) -> AuditResult:
    options = AuditOptions(overture=OvertureLimits())
    page = PageOptions(START, with_map=False)
    return engine.audit(
        output, job(), input_source=given, options=options, page=page, release=release
    )


def changelog(file: Source) -> Release:
    return Release("2026-01-21.0", (Part.UNCHANGED,), (file,), BuiltInFile(b"1"))


def gone_at_its_end(engine: Engine, file: Vanishing) -> Release:
    """A release at whose first read the file is deleted and the child dies."""

    def kill() -> int:
        file.gone.set()
        return pid(engine)

    return changelog(Killing(bytes(1000), pid=kill))


def reason(result: AuditResult) -> str:
    (line,) = (each for each in result.report["checks"]["all"] if each["name"] == "gers_alive")
    assert line["verdict"] == "not_run"
    assert result.outcome is Outcome.VALID
    assert result.not_looked_up == line["detail"].partition(" rows: ")[2] or line["detail"]
    return str(line["detail"])


def test_a_child_that_dies_meanwhile_costs_the_look_up_alone(engine: Engine) -> None:
    found = looked_up(engine, changelog(Killing(bytes(1000), pid=lambda: pid(engine))))
    assert reason(found) == f"{NOT_ENDED}: somebody killed the audit process"
    assert reason(found) in (found.page or "")
    assert not found.page_problem
    assert audited(engine, GOOD).outcome is Outcome.VALID


@pytest.mark.usefixtures("dripping_time")
def test_a_storage_that_never_answers_costs_no_more() -> None:
    dripping = Dripping(bytes(1000))
    with Engine(replace(LIMITS, look_up_wall_seconds=1), os.environ) as engine:
        found = looked_up(engine, changelog(dripping))
    dripping.ends.set()
    assert reason(found).startswith(f"{NOT_ENDED}: ")
    assert reason(found) in (found.page or "")


@pytest.mark.parametrize("kind", [Vanishing, Broken])
def test_a_second_audit_with_another_end_changes_nothing(
    engine: Engine, kind: type[Vanishing]
) -> None:
    """It is only for the page. So the verdict stands, without a page."""
    output = as_kind(kind, GOOD)
    found = looked_up(engine, gone_at_its_end(engine, output), output)
    assert reason(found) == NOT_ENDED
    assert found.page is None
    assert found.page_problem == "somebody killed the audit process"


def test_a_second_audit_that_compares_less_changes_nothing(engine: Engine) -> None:
    """Its outcome is the same, but the report would say that the input cannot be read."""
    given = as_kind(Vanishing, INPUT)
    found = looked_up(engine, gone_at_its_end(engine, given), given=given)
    assert reason(found) == NOT_ENDED
    assert found.not_compared == ()
    assert found.page is None
    assert audited(engine, GOOD, given).not_compared == (
        "the input could not be read: it was deleted",
    )


def test_a_storage_that_refuses_is_the_reason_and_the_page_says_so(engine: Engine) -> None:
    found = looked_up(engine, changelog(Unreachable(bytes(1000))))
    assert reason(found).endswith("in 0 of 0 row groups: storage answered 403")
    assert "storage answered 403" in (found.page or "")


def test_without_a_release_nothing_is_read(engine: Engine) -> None:
    found = looked_up(engine, NoRelease("there is none", may_pass=False))
    assert reason(found) == "there is none"
    assert found.not_looked_up == ""
