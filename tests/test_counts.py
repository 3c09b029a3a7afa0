"""A whole number within its bounds, or a sentence that says what is expected."""

import pytest

from gem_core.counts import read_count


@pytest.mark.parametrize(("text", "count"), [("1", 1), ("256", 256), ("007", 7)])
def test_a_whole_number_within_its_bounds_is_read(text: str, count: int) -> None:
    assert read_count(text, most=256) == count


def test_the_least_may_be_zero() -> None:
    assert read_count("0", least=0, most=200) == 0


@pytest.mark.parametrize(
    "text", ["", "0", "257", "-1", "+1", "1.5", "1e2", "1_0", " 1", "many", "\u0661", "1" * 5000]
)
def test_whatever_is_none_is_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"^is not a whole number of 1 to 256$"):
        read_count(text, most=256)
