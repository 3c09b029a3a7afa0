"""The board as HTML: texts stay texts, and trouble is told in words."""

import re
from dataclasses import replace

from gem_core.outcome import Outcome
from gem_core.page.board import (
    Board,
    DeliveredLine,
    Filter,
    OpenLine,
    TickLine,
    TimerLine,
    draw_board,
)
from tests.fakes import START
from tests.page.boards import board
from tests.page.build import SCRIPT


def hostile() -> Board:
    odd = f"{SCRIPT}\u202e\x1b[2J\"'"
    return Board(
        at=START,
        storage=odd,
        timer=TimerLine(odd, START, is_trouble=True, before=[TickLine(odd, START)]),
        open_jobs=[OpenLine(odd, odd, odd, odd, None, START, odd, odd)],
        open_left_out=odd,
        delivered=[
            DeliveredLine(odd, odd, START, odd, odd, {odd: odd}, None, [odd], has_report=True),
            DeliveredLine(odd, odd, START, odd, odd, {}, None, [], has_report=False),
        ],
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


def test_a_job_without_a_report_has_no_link() -> None:
    """A link would lead to a page that says that there is none."""
    html = draw_board(board(0, len(Outcome)))
    linked = [int(id_, 16) for id_ in re.findall(r'href="./reports/[^/]+/(\w{32})"', html)]
    assert [tuple(Outcome)[number] for number in linked] == [
        Outcome.VALID, Outcome.VALID_WITH_WARNINGS, Outcome.INVALID, Outcome.NOT_AUDITED,
    ]  # fmt: skip
    assert all(f"job-{number:03}-5f6a7b</bdi>" in html for number in range(len(Outcome)))


def test_the_ticks_before_the_last_one_are_listed() -> None:
    html = draw_board(board(2))
    assert "<summary>Earlier ticks: 4</summary>" in html
    assert html.count("<bdi>2 open jobs, 2 due, 2 checked</bdi></li>") == 4


def test_a_month_that_has_just_begun_leads_to_the_one_before() -> None:
    html = draw_board(replace(board(), chosen=Filter("a&b", "invalid", "2026-01")))
    assert "Only manifests that were sent in 2026-01 are listed." in html
    assert 'href="./?text=a%26b&amp;outcome=invalid&amp;month=2025-12"' in html


def test_a_search_says_that_open_jobs_show_no_labels() -> None:
    """A label that only open jobs have would seem to have no job."""
    said = "Open jobs are found by their id only."
    assert said in draw_board(replace(board(), chosen=Filter("maps", "", "2026-01")))
    assert said not in draw_board(replace(board(), chosen=Filter("", "invalid", "2026-01")))


def test_trouble_is_a_word_and_not_only_a_colour() -> None:
    html = draw_board(board(6, trouble=True))
    assert html.count('<tr class="trouble">') == 4
    assert html.count(">not answered</strong> <small>7 times in a row</small>") == 4


def test_the_contract_is_named_where_it_is_known() -> None:
    html = draw_board(board(1, 2))
    found = re.findall(r'data-name="Contract" class="\w+"><bdi>([^<]*)<', html)
    assert found == ["x-version-1", "\u2013", "unversioned"]
