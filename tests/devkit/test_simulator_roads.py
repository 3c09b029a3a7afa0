"""The files are what the statistics say: shares are counted from the rows here."""

import io
from decimal import ROUND_DOWN, Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from devkit.simulator.faults import TABLE_FAULTS, output_bytes
from devkit.simulator.large_output import write_large_output
from devkit.simulator.life import OutputFault
from devkit.simulator.roads import (
    SCHEMA,
    Figures,
    kilometres,
    match_roads,
    road_network,
    split_roads,
    statistics,
)
from gem_core.gem.contracts.x_version_1 import X_VERSION_1


def value(reported: dict[str, str | int | float], name: str) -> Decimal:
    return X_VERSION_1.figures.read_share(reported[name]).value


def assert_honest(table: pa.Table, reported: dict[str, str | int | float]) -> None:
    statuses = table.column("match_status").to_pylist()
    for name, status in (("roads_matched", "matched"), ("roads_unmatched", "unmatched")):
        share = Decimal(100 * statuses.count(status)) / len(statuses)
        assert share.quantize(Decimal("0.01"), ROUND_DOWN) == value(reported, name)
    assert reported["num_roads_processed"] == len(statuses)


def honest(rows: int = 300) -> tuple[pa.Table, Figures]:
    return match_roads(road_network(rows, seed=1), seed=1)


@pytest.mark.parametrize("rows", [1, 2, 7, 400, 32_456])
def test_the_statistics_are_those_of_the_rows(rows: int) -> None:
    table, figures = honest(rows)
    assert_honest(table, statistics(figures, execution_seconds=1))


def test_fully_and_partially_add_up_in_printed_digits_for_any_number_of_roads() -> None:
    for roads in range(1, 2500):
        matched, fully = split_roads(roads)
        assert 0 <= fully <= matched <= roads
        reported = statistics(Figures(roads, matched, fully, 0), execution_seconds=0)
        parts = value(reported, "roads_fully_matched") + value(reported, "roads_partially_matched")
        assert parts == value(reported, "roads_matched")
        partially = Decimal(100 * (matched - fully)) / roads
        assert partially.quantize(Decimal("0.01"), ROUND_DOWN) == value(
            reported, "roads_partially_matched"
        )


def test_as_many_roads_as_on_the_page_print_its_percentages() -> None:
    reported = statistics(Figures(32_456, *split_roads(32_456), 0.5), execution_seconds=9751.75)
    assert reported == {
        "roads_matched": "84.68%",
        "roads_unmatched": "15.31%",
        "roads_fully_matched": "67.5%",
        "roads_partially_matched": "17.18%",
        "confidence_threshold": 60,
        "execution_time_sec": 9751.75,
        "kms_processed": 0.5,
        "num_roads_processed": 32_456,
    }


def test_wrong_statistics_are_off_and_still_sum_to_the_whole() -> None:
    _, figures = honest()
    true = statistics(figures, execution_seconds=1)
    wrong = statistics(figures, execution_seconds=1, points_off=5)
    assert value(wrong, "roads_matched") - value(true, "roads_matched") == 5
    assert value(wrong, "roads_matched") + value(wrong, "roads_unmatched") > 99
    with pytest.raises(ValueError, match="too few"):
        statistics(Figures(1, 1, 1, 0), execution_seconds=1, points_off=5)


def test_a_network_has_the_promised_columns_and_sparse_unique_ids() -> None:
    roads = road_network(500, seed=3)
    ids = roads.column("id").to_pylist()
    assert roads.schema.equals(SCHEMA)
    assert len(set(ids)) == 500
    assert max(ids) - min(ids) > 5_000
    assert roads.column("name").null_count > 0
    assert all(line.startswith("LINESTRING (") for line in roads.column("geometry").to_pylist())
    with pytest.raises(ValueError, match="at least one"):
        match_roads(road_network(0, seed=1), seed=1)


def test_the_output_is_the_input_and_three_columns() -> None:
    roads = road_network(200, seed=1)
    table, _ = match_roads(roads, seed=1)
    assert table.select(SCHEMA.names).equals(roads)
    assert table.schema.names[5:] == ["gers_id", "match_confidence", "match_status"]
    for row in table.to_pylist():
        if row["match_status"] == "matched":
            assert len(row["gers_id"]) == 36
            assert 0.6 <= row["match_confidence"] <= 1
        else:
            assert (row["gers_id"], row["match_confidence"]) == (None, None)


def test_a_seed_makes_the_same_file_and_another_an_equally_good_one() -> None:
    roads = road_network(200, seed=1)
    (once, figures), (again, _), (other, others) = (match_roads(roads, seed=s) for s in (1, 1, 2))
    assert once.equals(again)
    assert not once.equals(other)
    assert figures == others


def test_a_line_along_the_equator_has_its_length() -> None:
    assert kilometres("LINESTRING (0 0, 1 0, 1 1)") == pytest.approx(222.4, rel=1e-3)


@pytest.mark.parametrize("fault", TABLE_FAULTS)
def test_each_fault_changes_the_table_and_leaves_a_readable_file(fault: OutputFault) -> None:
    table, _ = honest()
    spoilt = pq.read_table(io.BytesIO(output_bytes(table, fault)))
    assert not spoilt.equals(table)
    assert spoilt.num_rows > 0


def test_faults_of_the_file_leave_no_parquet() -> None:
    table, _ = honest()
    whole = output_bytes(table, None)
    assert output_bytes(table, OutputFault.EMPTY) == b""
    assert whole.startswith(output_bytes(table, OutputFault.TRUNCATED))
    assert output_bytes(table, OutputFault.CSV).startswith(b'"id","is_navigable"')


def test_missing_gers_ids_are_of_matched_rows_only_and_not_of_all() -> None:
    table, figures = honest()
    spoilt = TABLE_FAULTS[OutputFault.GERS_ID_MISSING](table)
    missing = spoilt.column("gers_id").null_count - table.column("gers_id").null_count
    assert missing == -(-figures.matched // 10)


def test_a_large_output_is_honest_unique_and_as_large_as_wanted(tmp_path: Path) -> None:
    large = write_large_output(
        tmp_path / "big_matched.parquet",
        size=400_000,
        rows_per_group=500,
        input_path=tmp_path / "big.parquet",
    )
    file = pq.ParquetFile(large.path)
    table = file.read()
    sent = pq.read_table(tmp_path / "big.parquet")
    file.close()
    assert large.size == large.path.stat().st_size
    assert 400_000 <= large.size < 800_000
    assert file.metadata.num_row_groups == table.num_rows // 500 > 1
    assert_honest(table, statistics(large.figures, execution_seconds=1))
    assert len(set(table.column("id").to_pylist())) == table.num_rows
    assert len(set(table.column("gers_id").drop_null().to_pylist())) == large.figures.matched
    assert table.select(SCHEMA.names).equals(sent)
