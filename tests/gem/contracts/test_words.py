"""The words of the page "Get job details" stand in its contract only; exceptions have a reason."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gem_core.gem.contracts.contract import Role
from gem_core.gem.contracts.x_version_1 import X_VERSION_1
from tests.builders import page_answer

CORE = Path(__file__).resolve().parents[3] / "gem_core"
CONTRACT = "gem/contracts/x_version_1.py"
OUR_WORDS_TOO = {"jobRunId", "status", "progress", "statistics"}
"""The page's words that are names of our own as well: of routes, record and manifest."""
WORDS = (
    {*page_answer("finished"), *page_answer("running"), *page_answer("finished")["statistics"]}
    | {column.name for role, column in X_VERSION_1.output.columns.items() if role is not Role.ID}
    | {"X-Version", "_matched.parquet"}
) - OUR_WORDS_TOO
"""Neither the five status words nor matched, unmatched and id: those are plain English."""
_WORD = re.compile(rf"(?<![A-Za-z_])(?:{'|'.join(map(re.escape, sorted(WORDS)))})(?![A-Za-z_])")

EXCEPTIONS = {
    "audit/judging/file_checks.py": "reasons name what the job lacks",
    "audit/judging/report_json.py": "names of checks",
    "audit/reading/output_files.py": "reasons name what the job lacks",
    "audit/rows/gers.py": "reasons name what the job lacks",
    "audit/rows/row_rules.py": "names of checks",
    "deliver/manifest.py": "neutral members of the manifest's job, some named as on the page",
    "page/templates/report.html": "a title names the column for the reader",
    "settings/rules.py": "{storageId} is the name of our own placeholder",
}
"""Files of gem_core that may hold words of the page, and why."""


def words(path: Path) -> Iterator[str]:
    """The page's words in a file: in the texts of the program, not in comments and docstrings."""
    text = path.read_text(encoding="utf-8")
    for found in _texts(ast.parse(text)) if path.suffix == ".py" else [text]:
        yield from _WORD.findall(found)


def _texts(tree: ast.Module) -> Iterator[str]:
    alone = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


FILES = sorted(
    path for path in CORE.rglob("*") if path.suffix in {".py", ".html"} and path.is_file()
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CORE)))
def test_only_the_contract_knows_the_words_of_the_page(path: Path) -> None:
    name = path.relative_to(CORE).as_posix()
    if name not in EXCEPTIONS and name != CONTRACT:
        assert set(words(path)) == set()


def test_every_word_would_be_found_and_is_in_the_contract() -> None:
    assert set(words(CORE / CONTRACT)) >= WORDS - {"execution_time_sec", "kms_processed"}


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_every_exception_is_needed(name: str) -> None:
    """Delete the line of a file that no longer holds such a word."""
    assert set(words(CORE / name)) != set()
