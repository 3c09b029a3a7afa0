"""How the demo writes a manifest for people."""

import json

from hypothesis import given
from hypothesis import strategies as st

from devkit.demo import as_text

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
