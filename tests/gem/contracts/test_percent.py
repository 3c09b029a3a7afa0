"""Percent strings are read strictly and compared with exact shares."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.gem.contracts.x_version_1 import X_VERSION_1


@pytest.mark.parametrize(
    ("text", "digits"),
    [("84.68%", 2), ("67.5%", 1), ("0%", 0), ("100%", 0), ("100.00%", 2), ("007.10%", 2)],
)
def test_a_percent_string_keeps_its_digits(text: str, digits: int) -> None:
    percent = X_VERSION_1.figures.read_share(text)
    assert percent.text == text
    assert percent.value == Decimal(text.removesuffix("%"))
    assert percent.digits == digits


@pytest.mark.parametrize(
    "value",
    [
        "",
        "%",
        "84.68",
        " 84.68%",
        "84.68 %",
        "84.68%\n",
        "84,68%",
        "+84%",
        "-1%",
        ".5%",
        "5.%",
        "1e1%",
        "NaN%",
        "inf%",
        "1_0%",
        "\u0665%",
        "84.68%%",
        "0.1234567890123%",
        "100.01%",
        "101%",
        "9999%",
        None,
        0.5,
        85,
        True,
        ["84%"],
    ],
)
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"percent string|above 100%"):
        X_VERSION_1.figures.read_share(value)


def test_the_pages_own_shares_need_truncation() -> None:
    # 84.68 + 15.31 = 99.99: no share rounds to both, and one that is truncated to both exists.
    share = Fraction(84685, 100000)
    assert X_VERSION_1.figures.read_share("84.68%").prints(share)
    assert X_VERSION_1.figures.read_share("15.31%").prints(1 - share)


@pytest.mark.parametrize(
    ("text", "share", "prints"),
    [
        ("66.6%", Fraction(2, 3), True),
        ("66.7%", Fraction(2, 3), True),
        ("66.5%", Fraction(2, 3), False),
        ("66.8%", Fraction(2, 3), False),
        ("67%", Fraction(2, 3), True),
        ("66%", Fraction(2, 3), True),
        ("33.34%", Fraction(1, 3), False),
        ("0.5%", Fraction(1, 200), True),
        ("0.5%", Fraction(1, 20), False),
        ("100%", Fraction(1), True),
        ("100%", Fraction(999, 1000), True),
        ("99%", Fraction(999, 1000), True),
        ("0%", Fraction(0), True),
        ("12.2%", Fraction(1225, 10000), True),
        ("12.3%", Fraction(1225, 10000), True),
    ],
)
def test_rounding_and_truncation_are_accepted(text: str, share: Fraction, *, prints: bool) -> None:
    assert X_VERSION_1.figures.read_share(text).prints(share) is prints


_COUNTS = st.integers(1, 10**9).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows)))


@given(
    counts=_COUNTS,
    digits=st.sampled_from([1, 2]),
    rounding=st.sampled_from([ROUND_DOWN, ROUND_HALF_UP, ROUND_HALF_EVEN]),
    drop_zeros=st.booleans(),
)
def test_a_share_prints_what_it_was_printed_as(
    counts: tuple[int, int], digits: int, rounding: str, *, drop_zeros: bool
) -> None:
    matched, rows = counts
    exact = Decimal(matched) * 100 / Decimal(rows)
    text = str(exact.quantize(Decimal(1).scaleb(-digits), rounding))
    if drop_zeros:
        text = text.rstrip("0").rstrip(".")
    assert X_VERSION_1.figures.read_share(f"{text}%").prints(Fraction(matched, rows))


@given(st.fractions(0, 1), st.decimals(0, 100, places=2))
def test_what_is_printed_is_within_one_unit(share: Fraction, value: Decimal) -> None:
    percent = X_VERSION_1.figures.read_share(f"{value}%")
    if percent.prints(share):
        assert percent.points_from(share) < 0.01 + 1e-12


def test_the_distance_is_in_percentage_points() -> None:
    assert X_VERSION_1.figures.read_share("84.68%").points_from(
        Fraction(8368, 10000)
    ) == pytest.approx(1.0)
    assert X_VERSION_1.figures.read_share("50%").points_from(Fraction(1, 2)) == 0
