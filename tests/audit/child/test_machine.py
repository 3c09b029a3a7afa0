"""How much memory an audit may take."""

from pathlib import Path

import pytest

from gem_core.audit.child import machine
from gem_core.audit.child.machine import LEAST_BYTES, MOST_BYTES, audit_bytes


@pytest.fixture
def limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The files with the limits of a container on a machine of 8 GiB; neither is there yet."""
    files = tmp_path / "v2", tmp_path / "v1"
    monkeypatch.setattr(machine, "_CGROUP_LIMITS", files)
    monkeypatch.setattr(machine, "_installed_bytes", lambda: 8 << 30)
    return files


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("536870912\n", LEAST_BYTES),
        ("1610612736\n", 768 << 20),
        ("4294967296\n", MOST_BYTES),
        ("9223372036854771712\n", MOST_BYTES),
        ("max\n", MOST_BYTES),
    ],
)
def test_an_audit_gets_half_of_its_container(
    version: int, text: str, expected: int, limits: tuple[Path, Path]
) -> None:
    limits[version].write_text(text)
    assert audit_bytes() == expected


def test_memory_for_ids_above_the_default_comes_on_top(limits: tuple[Path, Path]) -> None:
    """Else ids that may take more would only bring the audit to its limit."""
    limits[0].write_text("536870912")
    assert audit_bytes(64 << 20) == audit_bytes(1) == LEAST_BYTES
    assert audit_bytes(256 << 20) == LEAST_BYTES + (192 << 20)
    limits[0].write_text("max")
    assert audit_bytes(256 << 20) == MOST_BYTES + (192 << 20)


def test_without_a_container_it_gets_half_of_the_machine(
    limits: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not any(file.exists() for file in limits)
    monkeypatch.setattr(machine, "_installed_bytes", lambda: 1 << 30)
    assert audit_bytes() == 512 << 20


def test_this_machine_says_how_much_it_has() -> None:
    assert machine._installed_bytes() > LEAST_BYTES
