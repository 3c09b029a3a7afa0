"""The house of the tests: a newcomer finds the tests of a rule by the name of its module."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parent
CORE = TESTS.parent / "gem_core"
MODULES = {str(path.relative_to(TESTS)): path.read_text("utf-8") for path in TESTS.rglob("*.py")}
MOST_LINES = 340
LONGER = {"builders.py", "fakes.py"}
"""Worlds of fakes, and the fakes: a hundred modules import from them."""


def test_each_package_of_the_app_has_its_folder_of_tests() -> None:
    packages = {path.parent.relative_to(CORE) for path in CORE.rglob("*.py")}
    assert {str(each) for each in packages if not (TESTS / each / "__init__.py").exists()} == set()


def test_a_module_of_tests_is_of_one_concern() -> None:
    long = {name for name, text in MODULES.items() if text.count("\n") > MOST_LINES}
    assert long <= LONGER


def test_a_module_says_what_it_promises_or_has() -> None:
    silent = [
        name
        for name, text in MODULES.items()
        if not name.endswith("__init__.py") and not text.startswith(('"""', 'r"""'))
    ]
    assert silent == []


def test_no_module_of_tests_is_a_library_of_another_one() -> None:
    """What two of them need is in a module of its own."""
    imported = re.compile(
        r"^from tests(\.\w+)*\.test_\w+ import|^from tests.* import test_", re.MULTILINE
    )
    importers = [
        name
        for name, text in MODULES.items()
        if imported.search(text)
        for node in ast.parse(text).body
        if isinstance(node, ast.ImportFrom) and imported.match(ast.unparse(node))
    ]
    assert importers == []
