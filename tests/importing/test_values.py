"""Values of foreign rows: an amount is one to the last digit, 0 says nothing, and a truth is no money."""

from decimal import Decimal

import pytest

from outlay.core.errors import UsageError
from outlay.importing.values import between, count, first, inner, money, stated


@pytest.mark.parametrize("nothing", [None, "", 0, 0.0, "0", "0.000", "$0.00", Decimal(0)])
def test_a_0_is_no_amount(nothing: object) -> None:
    assert stated(nothing) is None


@pytest.mark.parametrize("amount", ["0.000000000000000000000000000001", 1e-7, 3, Decimal("0.1"), -1])
def test_an_amount_is_given_as_it_was_written(amount: object) -> None:
    assert stated(amount) == amount


@pytest.mark.parametrize("odd", [True, "much", "nan", [1]])
def test_what_is_no_amount_is_a_fault(odd: object) -> None:
    with pytest.raises(UsageError):
        stated(odd)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1,234.56", "1234.56"),
        ("$1,234,567", "1234567"),
        ("12,34,567.8", "1234567.8"),
        (" 0.0075 ", "0.0075"),
    ],
)
def test_commas_that_set_thousands_apart_are_left_out_of_an_amount(written: str, meant: str) -> None:
    assert money(written) == meant


@pytest.mark.parametrize("written", ["0,0075", "1,25", "0,125", "1,250", "1.234,56", "12,3456"])
def test_a_decimal_comma_is_a_fault_and_never_a_thousand_times_the_amount(written: str) -> None:
    with pytest.raises(UsageError, match="comma"):
        money(written)


def test_a_count_may_have_commas_between_thousands_alone() -> None:
    assert [count(text, "tokens") for text in ("1,000", "12,345,678", "7")] == [1000, 12_345_678, 7]
    with pytest.raises(UsageError, match="comma"):
        count("1,5", "tokens")


def test_a_count_is_read_to_its_last_digit() -> None:
    assert count(f"{2**53 + 1}", "tokens") == 2**53 + 1  # which no float holds
    assert [count(each, "tokens") for each in ("1e3", "2E+2")] == [1000, 200]
    with pytest.raises(UsageError, match="whole number"):
        count(1.5, "tokens")


@pytest.mark.parametrize("written", ["1.000", "20.000", "1.000.000"])
def test_a_count_with_a_point_before_three_zeros_may_be_thousands_and_is_a_fault(written: str) -> None:
    with pytest.raises(UsageError, match="thousands or decimals"):
        count(written, "tokens")
    assert [count(each, "tokens") for each in ("1.0", "1000.0", "1000.000", 1.0)] == [1, 1000, 1000, 1]


def test_an_amount_within_a_text_keeps_its_digits() -> None:
    assert inner('{"total": 0.123456789012345678}') == {"total": "0.123456789012345678"}
    assert inner('{"total": 0.5, "n": 123456789012345678901}') == {"total": 0.5, "n": 123456789012345678901}
    assert inner('{"total": ') == {}


def test_an_empty_cell_tells_nothing_and_the_next_name_is_looked_at() -> None:
    assert first({"model": "", "model_name": None, "llm": "gpt-4o"}, "model", "model_name", "llm") == "gpt-4o"
    assert first({"cost": 0, "price": 3}, "cost", "price") == 0
    assert first({"model": ""}, "model", "llm") is None


def test_what_ends_before_it_began_took_no_known_time() -> None:
    early, late = "2026-11-01T00:00:00Z", "2026-11-01T00:00:01.5Z"
    assert (between(early, late), between(early, early), between(late, early)) == (1500.0, 0.0, None)


def test_a_count_is_at_most_what_ledgers_hold() -> None:
    assert count(2**63 - 1, "n") == 2**63 - 1
    with pytest.raises(UsageError, match="up to"):
        count(2**63, "n")
