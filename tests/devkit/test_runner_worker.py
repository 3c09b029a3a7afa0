"""The worker library still is what the runner drives. Loud on an upgrade: it is no public API."""

import inspect
from importlib.metadata import version
from pathlib import Path

import azure_functions_runtime as library
import pytest

from devkit.runner.worker import HANDLERS, AppLoadError, Worker


def test_the_library_is_the_version_that_was_tried() -> None:
    assert version("azure-functions-runtime") == "1.3.0"


@pytest.mark.parametrize("name", HANDLERS)
def test_the_library_has_what_is_used(name: str) -> None:
    assert hasattr(library, name)


@pytest.mark.parametrize("name", [name for name in HANDLERS if name.endswith("_request")])
def test_handlers_are_coroutines_of_one_request(name: str) -> None:
    handler = getattr(library, name)
    assert inspect.iscoroutinefunction(handler)
    assert list(inspect.signature(handler).parameters) == ["request"]


def test_a_folder_without_an_app_is_named(tmp_path: Path) -> None:
    with pytest.raises(AppLoadError, match=f"no function_app.py in {tmp_path}"):
        Worker().load(tmp_path)
