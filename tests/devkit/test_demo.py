"""What the demo keeps for people: manifests, a report and the board."""

import json
from pathlib import Path
from unittest.mock import Mock

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from devkit import demo
from devkit.azurite import Azurite
from devkit.demo import ACTS, as_text, keep_pages
from devkit.stage import Stage
from tests.commands.command_runner import empty_stores
from tests.loopback import Handler, Loopback

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=60,
)


@given(JSON)
def test_it_stays_the_same_json(value: object) -> None:
    assert json.loads(as_text(value)) == value


def test_short_values_are_one_line_and_long_ones_a_line_a_member() -> None:
    rows = [{"at": f"2026-01-0{day}T10:00:00+00:00", "status": "running"} for day in range(1, 4)]
    text = as_text({"history": rows, "counts": {"passed": 48}})
    assert text.splitlines() == [
        "{",
        '  "history": [',
        *(f"    {json.dumps(row)}," for row in rows[:-1]),
        f"    {json.dumps(rows[-1])}",
        "  ],",
        '  "counts": {"passed": 48}',
        "}",
    ]


class App(Handler):
    """Serves one report, to those who have the key."""

    def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
        path = f"/api/jobs/{ACTS[-1].job_run_id}/report.html"
        is_right = (self.path, self.headers["x-functions-key"]) == (path, "key")
        self.send_response(200 if is_right else 404)
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b"report")


@pytest.mark.azurite
def test_a_report_and_the_board_are_kept_as_pages(
    azurite: Azurite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty_stores(azurite)
    monkeypatch.setattr(demo, "MANIFESTS", tmp_path / "demo")
    with Loopback(App) as app:
        keep_pages(Stage(azurite, Mock(), Mock(url=app.url, function_key="key")))
        assert (tmp_path / "demo" / "report.html").read_bytes() == b"report"
        board = (tmp_path / "demo" / "board.html").read_text("utf-8")
        assert "<title>GEM Courier board</title>" in board
        with pytest.raises(requests.HTTPError):
            keep_pages(Stage(azurite, Mock(), Mock(url=app.url, function_key="wrong")))
