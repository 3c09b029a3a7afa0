"""How a job's id and the name of its input become a path and the name of its output. Pure."""

from collections.abc import Callable
from pathlib import PurePosixPath
from urllib.parse import quote

LIST_PATH = "/jobs?job_type=ROAD_MATCHING"
"""The path of the question about all jobs. Both generations of "List jobs" require the parameter;
lane-level jobs have no GERS ids, so nobody asks for them."""


def job_path(job_run_id: str) -> str:
    """The path of the question about a job; the id stays within one segment."""
    return f"/jobs/{quote(job_run_id, safe='')}"


def beside(ending: str) -> Callable[[str], str]:
    """Name a file in the input's folder: the input's name, with this ending for its extension."""

    def name_of(input_name: str) -> str:
        folder, slash, name = input_name.rpartition("/")
        return f"{folder}{slash}{PurePosixPath(name).stem}{ending}"

    return name_of
