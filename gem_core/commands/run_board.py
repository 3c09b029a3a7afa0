"""Runs `board` and `report`. Edge: terminal, network."""

import re
from collections.abc import Mapping
from http import HTTPStatus

from gem_core.commands.exit_codes import DONE, NOT_SO
from gem_core.commands.loopback import serve
from gem_core.commands.terminal import print_error
from gem_core.errors import DocumentMissing, RequestError
from gem_core.flows.job_documents import JobDocument, show_document
from gem_core.flows.manage_jobs import JobManager
from gem_core.flows.show_board import read_filter, show_board
from gem_core.page.board import draw_board
from gem_core.web import DOCUMENT_HEADERS, HttpResponse
from gem_core.wiring.managers import desk_manager

_REPORT = re.compile(r"reports/([A-Za-z0-9._~-]{1,128})/([0-9a-f]{32})", re.ASCII)
BOARD_HEADERS = {
    **DOCUMENT_HEADERS,
    "Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
}
"""As a report, except that the board has a form for its filter."""


def run_board(*, port: int, with_browser: bool, as_json: bool) -> int:
    """Serve the board until Ctrl-C. Returns the exit code."""
    manager = desk_manager()

    def respond(path: str, query: Mapping[str, str]) -> HttpResponse:
        return answer(manager, path, query)

    serve(respond, port=port, with_browser=with_browser, as_json=as_json)
    return DONE


def answer(manager: JobManager, path: str, query: Mapping[str, str]) -> HttpResponse:
    """The board, or a report that it links.

    Raises:
        DocumentMissing: there is no such page.
        StoreError: storage could not be read.

    """
    if not path:
        board = show_board(manager, read_filter(query, manager.clock()))
        return HttpResponse(HTTPStatus.OK, draw_board(board), "text/html", BOARD_HEADERS)
    found = _REPORT.fullmatch(path)
    page = manager.outbox.page(found[1], found[2]) if found else None
    if page is None:
        raise DocumentMissing(
            "There is no such page. Jobs that did not finish have none, and the setting "
            "GEM_REPORT_PAGE turns pages off."
        )
    return HttpResponse(HTTPStatus.OK, page, "text/html", DOCUMENT_HEADERS)


def run_report(job_run_id: str, *, port: int, with_browser: bool, as_json: bool) -> int:
    """Serve the last report of a job until Ctrl-C. Returns the exit code."""
    try:
        page = show_document(desk_manager(), job_run_id, JobDocument.PAGE)
    except RequestError as error:
        print_error(str(error))
        return NOT_SO

    def respond(path: str, query: Mapping[str, str]) -> HttpResponse:  # noqa: ARG001 - no query
        if path:
            raise DocumentMissing("There is no such page.")
        return HttpResponse(HTTPStatus.OK, page, "text/html", DOCUMENT_HEADERS)

    serve(respond, port=port, with_browser=with_browser, as_json=as_json)
    return DONE
