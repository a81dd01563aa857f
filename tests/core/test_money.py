"""Money never loses a digit, and never shows an exponent."""

from decimal import Decimal, Inexact

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlay.core.errors import UsageError
from outlay.core.money import decimal_of, multiply, rate_text, text_of, to_ledger_places, total

AMOUNT = st.decimals(-(10**15), 10**15, places=18)


@given(st.lists(AMOUNT), st.randoms())
def test_sums_do_not_depend_on_the_order(amounts: list[Decimal], random: object) -> None:
    shuffled = sorted(amounts, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert total(amounts) == total(shuffled)


def test_a_thousand_dimes_are_a_hundred() -> None:
    assert total([Decimal("0.1")] * 1000) == 100


@given(st.integers(0, 10**12), st.decimals(0, 10**6, places=12), st.sampled_from([1, 1000, 10**6]))
def test_a_line_times_its_per_is_quantity_times_rate(quantity: int, rate: Decimal, per: int) -> None:
    scaled = multiply(quantity, rate, per)
    assert multiply(per, scaled) == multiply(quantity, rate)


def test_the_smallest_listed_rate_with_two_factors_is_exact() -> None:
    # 1.3e-10 dollars a token is 0.00013 a million; x 1.1 for a region, x 0.5 for a batch
    rate = multiply(1, multiply(1, Decimal("0.00013")) * Decimal("1.1") * Decimal("0.5"))
    assert multiply(1, rate, 10**6) == Decimal("7.15E-11")


def test_what_would_be_rounded_raises() -> None:
    with pytest.raises(Inexact):
        multiply(Decimal("1." + "3" * 300), Decimal("1." + "7" * 300))


@given(AMOUNT)
def test_text_reads_back_and_has_no_exponent(amount: Decimal) -> None:
    text = text_of(amount)
    assert Decimal(text) == amount
    assert "E" not in text
    assert not ("." in text and text.endswith("0"))


@pytest.mark.parametrize(
    ("rate", "text"),
    [("2.5", "2.50"), ("10", "10.00"), ("0.075", "0.075"), ("1E+2", "100.00"), ("0", "0.00")],
)
def test_rates_show_two_places_at_least(rate: str, text: str) -> None:
    assert rate_text(Decimal(rate)) == text


def test_ledger_places_round_half_even_and_only_when_needed() -> None:
    assert to_ledger_places(Decimal("1.5")) == Decimal("1.5")
    assert to_ledger_places(Decimal("0.0000000000000000025")) == Decimal("2E-18")
    assert to_ledger_places(Decimal("0.0000000000000000035")) == Decimal("4E-18")


@pytest.mark.parametrize("value", [True, None, "x", "nan", "-inf", "1" * 61, "1e61", [], object()])
def test_what_is_no_number_is_refused_by_name(value: object) -> None:
    with pytest.raises(UsageError, match="price must be"):
        decimal_of(value, "price")


def test_floats_are_read_by_their_shortest_text() -> None:
    assert decimal_of(0.1) == Decimal("0.1")
    assert decimal_of(" 2.50 ") == Decimal("2.50")
