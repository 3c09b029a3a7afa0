"""An app that cannot be loaded says so on its health route, through the worker's own library."""

from pathlib import Path

import pytest
import requests

from devkit.runner import Runner
from tests.broken_app import broken_app

SECRET = "AccountKey=c2VjcmV0"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("functions", "error"),
    [
        (f"raise RuntimeError({SECRET!r})", "RuntimeError"),
        ("import gem_core.is_not_deployed", "ModuleNotFoundError"),
        ("app = func.FunctionApp(", "SyntaxError"),
        ("from gem_core.errors import gone", "ImportError"),
    ],
    ids=["raises", "package-missing", "syntax", "name-missing"],
)
def test_health_names_the_type_of_the_error(tmp_path: Path, functions: str, error: str) -> None:
    with Runner(broken_app(tmp_path, functions), {}) as runner:
        health = requests.get(f"{runner.url}/api/health", timeout=60)
        head = requests.head(f"{runner.url}/api/health", timeout=60)
        status = requests.get(
            f"{runner.url}/api/status",
            headers={"x-functions-key": runner.function_key},
            timeout=60,
        )
        log = runner.log
    assert (health.status_code, head.status_code, status.status_code) == (503, 503, 404)
    assert health.json() == {"status": "not loaded", "error": error}
    assert '"app_not_loaded"' in log
    assert "Traceback" in log
