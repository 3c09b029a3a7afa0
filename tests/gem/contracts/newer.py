"""Answers of the newer pages, as their examples have them."""

from typing import Any

NUMBER = "123456789"
"""The id of the examples, as a job is registered with it."""


def newer_answer(status: str = "SUCCESS", **members: object) -> dict[str, Any]:
    """An answer of the newer "Get job details"; without success, its result is null."""
    done = status == "SUCCESS"
    figures = {
        "confidence_threshold": 60,
        "execution_time_sec": 9751,
        "kms_processed": 80208.39,
        "num_roads_processed": 397613,
        "roads_fully_matched_ratio": 0.675,
        "roads_matched_ratio": 0.8468,
        "roads_partially_matched_ratio": 0.1718,
        "roads_unmatched_ratio": 0.1531,
    }
    return {
        "job_type": "ROAD_MATCHING",
        "overture_release": "2026-01-21.0",
        "input_filename": "test_data.parquet",
        "job_id": 123456789,
        "requested_at": "2026-02-18T10:38:59.031762Z",
        "result_filename": "test_data.results.parquet" if done else None,
        "status": status,
        "storage_id": "storage-001",
        "statistics": figures if done else None,
        **members,
    }
