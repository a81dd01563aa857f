"""A cost in words that can be reckoned on paper."""

from decimal import Decimal

import pytest
from tests.support.books import book_of, charged

from outlay.core.cost import Cost, Price
from outlay.core.usage import Usage
from outlay.pricing import Book, explain


def test_an_explanation_says_what_was_assumed_and_what_was_odd() -> None:
    price = Price("a list", None, "7", extrapolated=True)
    cost = Cost(Decimal(2), "reported", flags=("extrapolated",), price=price, computed=Decimal(3))
    assert explain(cost, Usage(flags=("clamped",))) == [
        "total 2 USD (reported)",
        "by our prices 3 USD",
        "price from a list, holds since as far back as is known, book 7",
        "the call is older than the first known price, which was taken",
        "flags: clamped, extrapolated",
    ]


def test_an_explanation_can_be_reckoned_on_paper() -> None:
    said = explain(charged(Book.default(), {"input": 250_000, "output": 1000}, "google/gemini-2.5-pro"))
    assert said[0] == "input: 250000 x 2.50 per million = 0.625 USD (above 200000)"
    assert said[1] == "output: 1000 x 15.00 per million = 0.015 USD (above 200000)"
    assert said[2] == "total 0.64 USD (priced)"
    assert said[3].startswith("price from ")  # a price of ours is not told twice


def test_an_explanation_of_the_unknown_says_why() -> None:
    said = explain(charged(Book.default(), {"input": 1}, "openai/gpt-99"))
    assert said[0] == "cost unknown (unpriced)"
    assert "gpt-99" in said[1]


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("input", "input: 3 x 2.00 per million = 0.000006 USD"),
        ("pages", "pages: 3 x 2.00 per thousand = 0.006 USD"),
        ("images", "images: 3 x 2.00 each = 6 USD"),
    ],
)
def test_a_line_says_for_how_many_units_its_rate_is_meant(unit: str, said: str) -> None:
    text = f'[[model]]\nprovider = "acme"\nmodel = "one"\nprice = [{{ rates = {{ {unit} = "2" }} }}]'
    assert explain(charged(book_of(text), {unit: 3}))[0] == said
