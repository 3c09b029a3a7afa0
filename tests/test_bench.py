"""The contestants of `bench` that are the app's own run, and find a good file good."""

from pathlib import Path

import pytest

from bench.comparing import COMPARERS, write_input
from bench.contestants import CONTESTANTS
from bench.networks import BIG_GROUPS, Order, write_network

OWN = [name for name in CONTESTANTS if name == "floor" or name.startswith("audit")]


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return write_network(tmp_path / "roads.parquet", 2_000, Order.SPARSE, BIG_GROUPS)


@pytest.mark.parametrize("name", OWN)
def test_a_contestant_of_our_own_runs(name: str, network: Path) -> None:
    assert CONTESTANTS[name]()(network) in {2_000, "valid", "valid_with_warnings"}


@pytest.mark.parametrize("name", COMPARERS)
def test_a_comparer_runs(name: str, network: Path) -> None:
    write_input(network)
    assert COMPARERS[name]()(network) in {4_000, "valid", "valid_with_warnings"}
