"""What the set-up downloads has the hash that the checkout names."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOOTSTRAP = (ROOT / "devkit" / "bootstrap.py").read_text("utf-8")
FILES = re.findall(r'"(requirements-[a-z]+\.txt)"', BOOTSTRAP)


def test_all_that_is_installed_is_in_a_lock_file() -> None:
    assert set(FILES) == {"requirements-uv.txt", "requirements-dev.txt", "requirements-node.txt"}
    assert BOOTSTRAP.count('"--require-hashes"') == len(FILES)
    assert "==" not in re.sub(r"[!=]= ", "", BOOTSTRAP)  # no version beside the lock files


@pytest.mark.parametrize("name", FILES)
def test_a_lock_file_has_hashes_for_each_package(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    packages = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert packages
    for package in packages:
        assert re.match(r"[a-z0-9.-]+==\S+ .*\\\n    --hash=sha256:[0-9a-f]{64}", package)
