"""How many files are compared with DuckDB."""

import os

from hypothesis import HealthCheck, settings

files = settings(
    max_examples=int(os.environ.get("AUDIT_DIFFERENTIAL_FILES", "100")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
