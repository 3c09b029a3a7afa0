"""Each kind of page, made once in a process."""

import pytest

from tests.page.every_page import NAMES, make_every_page


@pytest.fixture(scope="session")
def every_page(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The HTML of each page, by its name."""
    pages = make_every_page(tmp_path_factory.mktemp("pages"))
    assert tuple(pages) == NAMES
    return pages
