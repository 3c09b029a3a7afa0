"""The two examples of TomTom's documentation page "Get job details", with exactly their bytes."""

from pathlib import Path

JOB_RUN_ID = "job-abc123-def456"
INPUT_FILE_NAME = "your_data.parquet"
ROADS = 32_456

_EXAMPLES = Path(__file__).parents[2] / "tests" / "data" / "gem"


def example(status: str) -> bytes | None:
    """The example for `finished` or `running`; None for other statuses, which have no example."""
    if status not in {"finished", "running"}:
        return None
    return (_EXAMPLES / f"{status}.json").read_bytes()
