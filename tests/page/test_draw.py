"""The page shows the report, and only the template creates its markup."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from gem_core.audit.audit import audit, not_opened_report
from gem_core.audit.judging.not_opened import NotOpened, Obstacle
from gem_core.audit.judging.ruleset import RULESET
from gem_core.gem.contracts.x_version_1 import X_VERSION_1
from gem_core.gem.job import GemJob
from gem_core.outcome import Outcome
from gem_core.page.breakdown import Breakdown, ClassShare
from gem_core.page.draw import draw
from gem_core.page.make import make_page
from gem_core.page.plots import histogram, share_table
from gem_core.page.survey import Survey
from gem_core.page.words import number_of, percent, size
from tests.audit.build import job, matched_table, write, write_bytes
from tests.page.build import AT, SCRIPT, bad, good, page_of, roads
from tests.page.parsed import Page


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {
        name: page_of(tmp_path_factory.mktemp(name), *made)
        for name, made in {"good": good(), "bad": bad()}.items()
    }


CHANGED = NotOpened(Obstacle.CHANGED, "each time")
REFUSED = NotOpened(Obstacle.NAMES, "a name")


def test_the_page_of_a_valid_output_shows_everything(pages: dict[str, str]) -> None:
    text = Page(pages["good"]).text
    for word in (
        "roads_matched.parquet Job job-1 Valid No errors and no warnings.",
        "Rows 400",
        "Matched 84.75% 339 rows",
        "GEM says 84.75% of roads matched",
        "✓ equal",
        "Ids of the input that are missing 0",
        "339 matched 61 unmatched",
        "Audited 2026-01-20 12:30:00 UTC",
        f"Ruleset {RULESET}",
        "ETag",
        "residential",
    ):
        assert word in text
    assert "Failed checks" not in text
    # The only check that did not run was not requested.
    assert "not run." not in text


def test_checks_that_did_not_run_are_counted_alike(tmp_path: Path) -> None:
    """Checks that were not requested are counted separately, as in the terminal."""
    output = write(tmp_path, matched_table())
    report = audit(output, GemJob("", X_VERSION_1.name, "", {}), input_source=None)
    text = Page(make_page(report, output, AT, with_map=False).html).text
    assert "8 checks were not run." in text
    assert "GEM says nothing about the matched share" in text
    assert "Not run: 8" in text
    assert "Not requested: 21" in text
    assert "Passed: 33" in text
    requested, others = text.split("Not requested: 21")
    for name in ("input_values_kept", "input_as_registered"):
        assert name in others
        assert name not in requested


def test_the_number_of_compared_values_is_shown(tmp_path: Path, pages: dict[str, str]) -> None:
    text = Page(page_of(tmp_path, *good(), with_values=True)).text
    assert "Rows compared value by value 400" in text
    assert "Rows compared value by value" not in Page(pages["good"]).text


def test_the_page_of_an_invalid_output_shows_the_errors(pages: dict[str, str]) -> None:
    text = Page(pages["bad"]).text
    for word in (
        "errors. Do not use this file.",
        "Failed checks",
        "Every GERS id is a UUID",
        "34 of 400 rows",
        "row 0, id ",
        "✕",
        "unmatched rows with a confidence",
    ):
        assert word in text


def test_an_output_that_could_not_be_judged_is_neither_valid_nor_invalid(
    tmp_path: Path,
) -> None:
    report = audit(write(tmp_path, matched_table()), job(), input_source=None)
    report = replace(report, outcome=Outcome.NOT_AUDITED)
    text = Page(draw(report, Survey(), output=None, at=AT)).text
    assert "Not audited This file could not be judged. It may be valid or invalid." in text
    assert "No errors" not in text
    assert "Do not use this file." not in text


def test_text_of_files_stays_text(pages: dict[str, str]) -> None:
    page = Page(pages["bad"])
    assert "script" not in {name for name, _ in page.tags}
    assert SCRIPT in page.text
    assert 'a"b&c' in page.text
    assert "\ufffd[31mred" in page.text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]", pages["bad"])


def test_nothing_is_fetched_or_run(pages: dict[str, str]) -> None:
    for html in pages.values():
        page = Page(html)
        assert page.open == []
        for name, attributes in page.tags:
            assert name not in {"script", "iframe", "object", "img", "form", "base"}
            for attribute, value in attributes.items():
                assert not attribute.startswith("on")
                assert attribute not in {"src", "action"}
                if attribute == "href":
                    assert value == "data:," or str(value).startswith("#")
        assert "url(http" not in html
        assert "@import" not in html
        (policy,) = (
            meta["content"] or ""
            for meta in page.named("meta")
            if meta.get("http-equiv") == "Content-Security-Policy"
        )
        assert policy.startswith("default-src 'none'; img-src data:;")


def test_every_plot_has_a_name_and_every_id_is_unique(pages: dict[str, str]) -> None:
    for html in pages.values():
        page = Page(html)
        ids = [str(attributes["id"]) for _, attributes in page.tags if "id" in attributes]
        assert len(set(ids)) == len(ids)
        plots = [svg for svg in page.named("svg") if svg.get("role") == "img"]
        assert len(plots) == 2
        for plot in plots:
            assert set(str(plot["aria-labelledby"]).split()) <= set(ids)
        inner = {"y", "viewbox"}
        for svg in page.named("svg"):
            assert svg.get("role") == "img" or svg.get("aria-hidden") == "true" or inner & set(svg)


def test_job_and_labels_come_first_and_links_lead_to_each_section(tmp_path: Path) -> None:
    table, of = bad()
    output = write(tmp_path, table)
    report = audit(output, of, input_source=None)
    labels = {"team": "maps", "<b>": "a<b>"}
    page = Page(make_page(report, output, AT, with_map=True, labels=labels).html)
    assert "roads_matched.parquet Job job-1 team maps <b> a<b> Invalid" in page.text
    links = [str(link["href"]).removeprefix("#") for link in page.named("a")]
    headings = [str(heading["id"]) for heading in page.named("h2")]
    assert links == headings
    assert links[0] == "failed"
    assert links[-1] == "provenance"


def test_the_lowest_share_comes_first() -> None:
    parts = (ClassShare("a", 100, 90), ClassShare("b", 50, 10), ClassShare("c", 9, 1))
    rows = share_table(Breakdown("kind", (*parts, ClassShare("d", 90, 10)))).rows
    assert [row.value for row in rows] == ["d", "c", "b", "a"]


def test_what_the_figures_leave_out_is_said(tmp_path: Path, pages: dict[str, str]) -> None:
    table = matched_table(300, matched=280)
    index = table.schema.get_field_index("match_confidence")
    values = [None, 2.0, *table["match_confidence"].to_pylist()[2:]]
    output = write(tmp_path, table.set_column(index, "match_confidence", pa.array(values)))
    text = Page(make_page(audit(output, job(), input_source=None), output, AT, with_map=True).html)
    assert "Left out: 2 matched rows have no confidence from 0 to 1." in text.text
    good_page = Page(pages["good"]).text
    assert "Left out" not in good_page
    assert "or are too large: geometry ." in good_page
    assert "at most 1,000 of each are drawn; in the file, 339 of 400 rows (84.75%) are matched" in (
        good_page
    )


def test_without_a_map_there_is_no_section(tmp_path: Path) -> None:
    assert 'id="map"' not in page_of(tmp_path, *good(), with_map=False)


def _odd_reports(folder: Path) -> Iterator[str]:
    """Pages of damaged, empty or absent outputs."""
    for table in (
        matched_table(12).slice(0, 0),
        matched_table(12, match_confidence=None),
        matched_table(12, match_status=None),
        matched_table(12, matched=0),
        pa.table({"x": [1]}),
    ):
        output = write(folder, table)
        for of in (job(), job(dict.fromkeys(("roads_matched", "confidence_threshold")))):
            yield make_page(audit(output, of, input_source=None), output, AT, with_map=True).html
    output = write_bytes(folder, b"no parquet at all")
    yield make_page(audit(output, job(), input_source=None), output, AT, with_map=True).html
    yield make_page(not_opened_report(job(), CHANGED, output), None, AT, with_map=True).html
    yield make_page(not_opened_report(job(), REFUSED, None), None, AT, with_map=True).html
    yield draw(
        not_opened_report(job(outputFileName="\ud800" + "x" * 5000), REFUSED, None),
        Survey(),
        output=None,
        at=AT,
    )


def test_every_report_has_a_page(tmp_path: Path) -> None:
    for html in _odd_reports(tmp_path):
        page = Page(html)
        assert page.open == []
        html.encode()


def test_the_histogram_is_in_proportion() -> None:
    plot = histogram([0] * 18 + [10, 1000], [5] + [0] * 19, 60)
    assert plot
    assert [(bar.height, bar.unmatched) for bar in plot.bars] == [
        (2.0, False),
        (200.0, False),
        (1.5, True),
    ]
    assert all(bar.x >= 0 and bar.x + bar.width <= 100 for bar in plot.bars)
    assert [line.label for line in plot.grid] == ["200", "400", "600", "800", "1,000"]
    assert plot.threshold == 60
    assert "1,010 matched rows, the largest bin (1,000) from 0.95 to 1.00" in plot.description


def test_no_confidence_no_plot() -> None:
    assert histogram([0] * 20, [], None) is None


def test_shares_are_never_rounded_to_all_or_nothing() -> None:
    shares = [0, 1e-9, 0.00014, 0.5, 0.99994, 1, None]
    assert [percent(share) for share in shares] == [
        "0.00%",
        "under 0.01%",
        "0.01%",
        "50.00%",
        "over 99.99%",
        "100.00%",
        "not known",
    ]


def test_sizes_and_numbers_are_written_for_people() -> None:
    assert [size(number) for number in (None, 0, 1023, 1536, 3 << 40)] == [
        "not known",
        "0 bytes",
        "1,023 bytes",
        "1.5 KiB (1,536 bytes)",
        "3.0 TiB (3,298,534,883,328 bytes)",
    ]
    assert [number_of(1, "row"), number_of(2000, "row")] == ["1 row", "2,000 rows"]


def test_an_example_without_an_id_claims_nothing_about_it(tmp_path: Path) -> None:
    """The file has no ids that can be read."""
    table, of = good()
    table = table.set_column(table.schema.get_field_index("id"), "id", pa.array([0.5] * len(table)))
    index = table.schema.get_field_index("gers_id")
    table = table.set_column(index, "gers_id", pa.array(["odd"] * len(table)))
    text = Page(page_of(tmp_path, table, of)).text
    assert "row 1, value odd" in text
    assert "without id" not in text


def test_ids_in_overture_are_shown_with_the_ids_of_their_rows(every_page: dict[str, str]) -> None:
    text = Page(every_page["report-overture"]).text
    assert re.search(r"row \d+, id \S+ ?, value [0-9a-f-]{36} row", text)


def test_every_map_has_a_scale(every_page: dict[str, str]) -> None:
    with_map = {name: page for name, page in every_page.items() if 'class="map"' in page}
    assert with_map.keys() >= {"report-valid", "report-overture", "preflight", "succession"}
    for name, page in with_map.items():
        assert re.search(r"[125]0* k?m north is up", Page(page).text), name
        assert page.count('class="scale"') == 2, name  # in the legend and on the map


def test_a_finding_shows_what_a_value_was_and_what_it_is_now(tmp_path: Path) -> None:
    table, of = good()
    ids, values = table["id"].to_pylist(), roads()["geometry"].to_pylist()
    index = table.schema.get_field_index("geometry")
    table = table.set_column(index, "geometry", pa.array([None, "<b>", *values[2:]]))
    text = Page(page_of(tmp_path, table, of, with_values=True)).text
    assert f"row 0, id {ids[0]} , geometry null , in the input {values[0][:79]}…" in text
    assert f"row 1, id {ids[1]} , geometry <b> , in the input {values[1][:79]}…" in text
