"""The infrastructure passes every check, and each check fails on a seeded mistake."""

import subprocess
import sys
from pathlib import Path

import pytest

from devkit.stage import sample_settings
from tests.infra import compiler, contract
from tests.infra.checks import CHECKS, NEED_COMPILER
from tests.infra.contract import ROOT, indexed
from tests.infra.mistakes import MISTAKES
from tests.infra.seeding import caught

without_compiler = pytest.mark.skipif(
    compiler.found() is None, reason="bicep is not on the PATH; GitHub's CI installs it"
)


def case(name: str, check: str) -> pytest.ParameterSet:
    """A parameter. The check of KQL starts Node.js with all of Microsoft's parser."""
    marks = [pytest.mark.slow] if check in {"kql", *NEED_COMPILER} else []
    if check in NEED_COMPILER:
        marks.append(without_compiler)
    return pytest.param(name, marks=marks)


@pytest.mark.parametrize("check", [case(name, name) for name in CHECKS])
def test_the_infrastructure_passes_each_check(check: str) -> None:
    assert CHECKS[check](ROOT) == []


def test_the_bindings_are_really_read() -> None:
    assert {"check_jobs", "deliver_results"} <= set(indexed())


@pytest.mark.parametrize(
    "name", [case(name, mistake.caught_by) for name, mistake in MISTAKES.items()]
)
def test_seeded_mistakes_are_caught(name: str, tmp_path: Path) -> None:
    assert caught(name, tmp_path) != []


def test_a_new_setting_must_be_set_or_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = sample_settings() | {"GEM_NEW": "1", "GEM_NEW_QUEUE": "gem-new"}
    monkeypatch.setattr(contract, "sample_settings", lambda: sample)
    assert any("GEM_NEW " in fault for fault in contract.settings(ROOT))
    assert contract.stores(ROOT) == ["the queue of GEM_NEW_QUEUE is not created"]


def test_a_new_trigger_must_get_events(monkeypatch: pytest.MonkeyPatch) -> None:
    trigger = {"type": "queueTrigger", "queueName": "gem-new", "connection": "GEM_NEW"}
    monkeypatch.setattr(contract, "indexed", lambda: {"new": [trigger]})
    faults = contract.bindings(ROOT)
    assert "new: its queue gem-new is not created" in faults
    assert "new: its poison queue is not counted" in faults
    assert "new: GEM_NEW__queueServiceUri is not set" in faults


def test_every_check_has_a_mistake() -> None:
    assert {mistake.caught_by for mistake in MISTAKES.values()} == set(CHECKS)


def test_workflows_pass_the_audit_of_zizmor() -> None:
    """Unpinned actions, credentials left behind, injected templates, wide permissions, …"""
    zizmor = Path(sys.executable).with_name("zizmor")
    folder = ROOT / ".github" / "workflows"
    subprocess.run([zizmor, "--offline", "--quiet", "--min-severity=medium", folder], check=True)
