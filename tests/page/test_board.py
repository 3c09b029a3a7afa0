"""The board as HTML: texts stay texts, and it looks right in a browser (artifacts/board-*.png)."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from gem_core.outcome import Outcome
from gem_core.page.board import (
    Board,
    DeliveredLine,
    Filter,
    OpenLine,
    TimerLine,
    draw_board,
)
from tests.fakes import START
from tests.page.build import SCRIPT
from tests.page.test_browser import ARTIFACTS, CHROMIUM, DARK, LIGHT, browse

ROOT = Path(__file__).resolve().parents[2]


def board(open_jobs: int = 0, delivered: int = 0, *, trouble: bool = False) -> Board:
    at = START + timedelta(hours=3)
    outcomes = tuple(Outcome)
    return Board(
        at=at,
        storage="state.blob.example",
        timer=TimerLine(
            "12 open jobs, 3 due, 3 checked, 1 settled. The last tick ended",
            at - timedelta(seconds=40),
            is_trouble=trouble,
        ),
        open_jobs=[
            OpenLine(
                f"job-{number:03}-9c1b2d",
                "watching",
                "running",
                "x-version-1",
                START + timedelta(minutes=number),
                at + timedelta(seconds=90),
                "not_answered" if trouble and number < 4 else "",
                "7 times in a row" if trouble and number < 4 else "",
            )
            for number in range(open_jobs)
        ],
        open_left_out="",
        delivered=[
            DeliveredLine(
                f"job-{number:03}-5f6a7b",
                f"{number:032x}",
                at - timedelta(minutes=7 * number),
                outcomes[number % len(outcomes)],
                "unversioned" if number % 2 else "",
                {"team": "maps", "region": "nl"},
                0.9123 if number % len(outcomes) < 3 else None,
                ["confidence_threshold", "ids_unique"] if number % 3 == 1 else [],
            )
            for number in range(delivered)
        ],
        delivered_left_out="",
        counts={"valid": delivered} if delivered else {},
        chosen=Filter(month="2026-01"),
        outcomes=("trouble", *Outcome),
        earlier="2025-12",
        later="",
    )


def hostile() -> Board:
    odd = f"{SCRIPT}\u202e\x1b[2J\"'"
    return Board(
        at=START,
        storage=odd,
        timer=TimerLine(odd, START, is_trouble=True),
        open_jobs=[OpenLine(odd, odd, odd, odd, None, START, odd, odd)],
        open_left_out=odd,
        delivered=[DeliveredLine(odd, odd, START, odd, odd, {odd: odd}, None, [odd])],
        delivered_left_out=odd,
        counts={odd: 1},
        chosen=Filter(text=odd, month=odd),
        outcomes=(odd,),
        earlier=odd,
        later=odd,
    )


def test_no_text_becomes_markup() -> None:
    html = draw_board(hostile())
    assert html.count("&lt;script&gt;") > 10
    assert "<script" not in html
    assert "\x1b" not in html
    assert html.count("<form") == 1


def test_nothing_is_loaded_from_elsewhere() -> None:
    html = draw_board(board(3, 3, trouble=True))
    assert "http:" not in html
    assert "https:" not in html
    assert "url(" not in html


def test_a_report_is_linked_by_its_manifest() -> None:
    html = draw_board(board(0, 1))
    assert f'href="./reports/job-000-5f6a7b/{0:032x}"' in html


def test_trouble_is_a_word_and_not_only_a_colour() -> None:
    html = draw_board(board(6, trouble=True))
    assert html.count('<tr class="trouble">') == 4
    assert html.count(">not answered</strong> <small>7 times in a row</small>") == 4


def test_the_contract_is_named_where_it_is_known() -> None:
    html = draw_board(board(1, 2))
    found = re.findall(r'data-name="Contract"><bdi>([^<]*)<', html)
    assert found == ["x-version-1", "\u2013", "unversioned"]


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize(
    ("name", "shown", "size", "scheme"),
    [
        ("empty", board(), "1200,800", LIGHT),
        ("200", board(80, 120), "1200,4000", LIGHT),
        ("trouble", board(12, 20, trouble=True), "1200,1600", LIGHT),
        ("dark", board(12, 20, trouble=True), "1200,1600", DARK),
        ("phone", board(12, 20, trouble=True), "500,4000", LIGHT),
    ],
)
def test_screenshots(tmp_path: Path, name: str, shown: Board, size: str, scheme: str) -> None:
    """A picture to look at, a console without a word, and nothing wider than the screen."""
    page = tmp_path / "board.html"
    html = draw_board(shown)
    page.write_text(html, "utf-8")
    ARTIFACTS.mkdir(exist_ok=True)
    picture = ARTIFACTS / f"board-{name}.png"
    picture.unlink(missing_ok=True)
    browse(tmp_path / "a", page, f"--window-size={size}", scheme, f"--screenshot={picture}")
    assert picture.read_bytes().startswith(b"\x89PNG")
    probe = "<script>document.title = document.documentElement.scrollWidth - innerWidth</script>"
    page.write_text(html.replace("</body>", f"{probe}</body>"), "utf-8")
    done = browse(tmp_path / "b", page, f"--window-size={size}", "--dump-dom")
    assert "<title>0</title>" in done.stdout
