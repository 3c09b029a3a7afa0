"""The words of GEM's pages stand in the contracts only; exceptions have a reason."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gem_core.gem.contracts.figures import OLDEST
from gem_core.gem.contracts.known import CONTRACTS, OTHER_LAYOUTS
from tests.builders import page_answer

CORE = Path(__file__).resolve().parents[3] / "gem_core"
CONTRACTS_FOLDER = "gem/contracts"
OUR_WORDS_TOO = {"jobRunId", "status", "progress", "statistics", "message", "confidence", "gers"}
"""The pages' words that are names of our own as well: of routes, record, manifest, modules."""
LAYOUTS = (*(contract.layout for contract in CONTRACTS.values()), *OTHER_LAYOUTS)
WORDS = (
    {*page_answer("finished"), *page_answer("running"), *page_answer("finished")["statistics"]}
    | {name for contract in CONTRACTS.values() for name in contract.members.names}
    | {name for contract in CONTRACTS.values() for name in contract.figures.names.values()}
    | {*OLDEST.names.values()}
    | {name for layout in LAYOUTS for name in (*layout.marks, *layout.others)}
    | {column.name for layout in LAYOUTS for column in layout.optional.values()}
    | {"X-Version", "_matched.parquet", ".results.parquet", "REQUESTED", "IN_PROGRESS", "SUCCESS"}
) - OUR_WORDS_TOO
"""Neither words in lower case for a status nor matched, unmatched and id: plain English."""
_WORD = re.compile(rf"(?<![A-Za-z_])(?:{'|'.join(map(re.escape, sorted(WORDS)))})(?![A-Za-z_])")

EXCEPTIONS = {
    "audit/judging/report_json.py": "names of checks",
    "audit/reading/output_files.py": "reasons name what the job lacks",
    "audit/rows/gers.py": "reasons name what the job lacks",
    "audit/rows/row_rules.py": "names of checks",
    "deliver/manifest.py": "neutral members of the manifest's job, some named as on the page",
    "deliver/search.py": "neutral members of the manifest's search, one named as on the page",
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
def test_only_the_contracts_know_the_words_of_the_pages(path: Path) -> None:
    name = path.relative_to(CORE).as_posix()
    if name not in EXCEPTIONS and not name.startswith(CONTRACTS_FOLDER):
        assert set(words(path)) == set()


def test_every_word_would_be_found_and_is_in_a_contract() -> None:
    found = {word for path in (CORE / CONTRACTS_FOLDER).glob("*.py") for word in words(path)}
    assert found == WORDS - {"execution_time_sec", "kms_processed"}


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_every_exception_is_needed(name: str) -> None:
    """Delete the line of a file that no longer holds such a word."""
    assert set(words(CORE / name)) != set()
