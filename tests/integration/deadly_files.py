"""Outputs whose reader ends the audit process."""

from collections.abc import Callable

from tests.audit.bombs import claimed_page, huge_page

DEADLY: dict[str, Callable[[], bytes]] = {
    "job-page": claimed_page,
    "job-large": huge_page,
}
