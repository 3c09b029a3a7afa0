"""The report on a terminal."""

from gem_core.commands.report_text import example_text


def test_an_example_shows_row_id_and_value() -> None:
    assert example_text({"row": 1200, "id": "7", "value": "2.0"}) == 'row 1200 id 7 value "2.0"'
    assert example_text({"row": 3}) == "row 3"
    assert example_text({"id": "103"}) == "id 103"
    assert example_text({"row": 0, "value": ""}) == 'row 0 value ""'


def test_an_example_shows_both_values_of_a_comparison() -> None:
    assert (
        example_text({"row": 3, "id": "103", "column": "name", "value": "A", "inputValue": "B"})
        == 'row 3 id 103 name "A", input "B"'
    )
    assert example_text({"row": 3, "column": "name", "value": ""}) == 'row 3 name "", input null'
    assert example_text({"row": 3, "column": "name", "inputValue": ""}) == (
        'row 3 name null, input ""'
    )
