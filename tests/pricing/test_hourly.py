"""Hourly: what an hour of hardware costs, as rates for the tokens that it gets through."""

from decimal import Decimal

import pytest
from tests.support.books import book_of, charged

from outlay.core.errors import PriceBookError, PriceFileError
from outlay.pricing.hourly import hourly_rates

HOUR = """
[[model]]
provider = "acme"
model = "one"
[[model.price]]
gpu_hour = "2.40"
"""
THROUGH = "tokens_per_hour = { input = 40_000_000, output = 7_000_000 }\n"


def test_an_hour_is_shared_out_by_what_it_gets_through() -> None:
    cost = charged(book_of(HOUR + THROUGH), {"input": 1_000_000, "cache_read": 1_000_000, "reasoning": 7})
    # 2.40 / 40; the cached part takes the rate of input; 2.40 / 7 has no end, and is rounded to 12 places
    rates = {line.unit: (line.rate, line.note) for line in cost.lines}
    assert rates == {
        "input": (Decimal("0.06"), "2.4 an hour"),
        "cache_read": (Decimal("0.06"), "rate of input; 2.4 an hour"),
        "reasoning": (Decimal("0.342857142857"), "rate of output; 2.4 an hour"),
    }
    assert cost.amount == Decimal("0.12") + Decimal("0.000002399999999999")
    assert cost.flags == ("assumed_rate",)


def test_several_cards_and_rates_beside_them() -> None:
    text = f'{HOUR}gpus = 8\n{THROUGH}rates = {{ cache_read = "0", output = "1" }}\n'
    cost = charged(book_of(text), {"input": 1_000_000, "cache_read": 1_000_000, "output": 1_000_000})
    assert [line.rate for line in cost.lines] == [Decimal("0.48"), 0, 1]  # 8 x 2.40 / 40; what is said stays
    assert (cost.lines[0].note, cost.flags) == ("2.4 an hour x8", ())


def test_an_hour_may_cost_nothing() -> None:
    cost = charged(book_of(HOUR.replace("2.40", "0") + THROUGH), {"input": 5})
    assert (cost.amount, cost.status) == (Decimal(0), "free")
    one = charged(book_of(HOUR.replace("2.40", "0") + "tokens_per_hour = { input = 1 }"), {"input": 5})
    assert (one.amount, one.status) == (Decimal(0), "free")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "an hourly price needs gpu_hour and tokens_per_hour"),
        # 40 tokens an hour are 40 million, cut short: there is no rate to write per = 1 at
        (
            "tokens_per_hour = { input = 40 }",
            r"60000 cannot be; .*, gpu_hour is money for an hour of one card",
        ),
        ("tokens_per_hour = {}", "an hourly price needs gpu_hour and tokens_per_hour"),
        ("tokens_per_hour = { pages = 5 }", "'pages' is no unit of tokens"),
        ("tokens_per_hour = { input = 0 }", "tokens_per_hour.input: must be a whole number above 0, not 0"),
        ("tokens_per_hour = { input = true }", "must be a whole number above 0, not True"),
        ("tokens_per_hour = { input = 1000 }", "rates are meant per 1000000 tokens"),  # 2,400 a million
        (f"gpus = 0\n{THROUGH}", "gpus: must be a whole number above 0, not 0"),
    ],
)
def test_a_fault_is_named(text: str, said: str) -> None:
    with pytest.raises(PriceFileError, match=said):
        charged(book_of(HOUR + text), {"input": 1})


@pytest.mark.parametrize(
    ("hour", "said"),
    [("-1", "gpu_hour: cannot be negative"), ("dear", "gpu_hour: the rate must be a finite")],
)
def test_an_hour_has_a_price(hour: str, said: str) -> None:
    with pytest.raises(PriceFileError, match=said):
        charged(book_of(HOUR.replace("2.40", hour) + THROUGH), {"input": 1})
    with pytest.raises(PriceFileError, match="needs gpu_hour"):
        charged(book_of(HOUR.replace('gpu_hour = "2.40"', THROUGH)), {"input": 1})


def test_an_hours_price_that_has_been_a_float_may_have_lost_digits() -> None:
    with pytest.raises(PriceBookError, match=r"gpu_hour: write 2\.4 as text or in TOML"):
        hourly_rates({"gpu_hour": 2.4, "tokens_per_hour": {"input": 4_000_000}}, "one")


def test_who_says_nothing_of_hours_has_no_rates_by_them() -> None:
    assert hourly_rates({"rates": {"input": "1"}}, "one") == {}
