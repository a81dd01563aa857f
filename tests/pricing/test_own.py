"""Prices stated as a dictionary: rows of a book like any other; and which hours count as happy."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from tests.support.books import NOW, book_of, charged

from outlay.core.cost import Cost, CostLine, Price
from outlay.core.errors import PriceBookError
from outlay.core.usage import Usage
from outlay.pricing import Book, cost_of
from outlay.pricing.own import HAPPY_HOUR, is_happy_hour, own_book, own_cost, per_thousand_book

USAGE = Usage.of({"input": 1000, "output": 500})


def test_the_same_price_is_the_same_book() -> None:
    price = {"input": 1, "output": 2.5}
    assert own_book(price) is own_book(dict(price))
    assert own_book(price) is not own_book({"input": 1, "output": 2.6})


def test_rates_are_read_by_their_shortest_text() -> None:
    # 1000 x 0.1 + 500 x 0.3 a million, to the digit
    assert own_cost(USAGE, own_book({"input": 0.1, "output": "0.3"})).amount == Decimal("0.00025")
    assert own_cost(USAGE, per_thousand_book(0.0001, Decimal("0.0003"))).amount == Decimal("0.00025")


def test_output_without_a_rate_is_partial_and_not_free() -> None:
    cost = own_cost(USAGE, own_book({"input": 1}))
    assert (cost.amount, cost.status) == (Decimal("0.001"), "partial")


def test_a_tier_of_the_day_holds_in_the_happy_hour_too() -> None:
    price = {
        "input": 2,
        "dynamic": {"threshold": 500, "pricing": {"input": 3}},
        "happy_hour": {"start": "10:00", "finish": "11:00", "pricing": {"input": 1}},
    }
    small, large = Usage.of({"input": 500}), Usage.of({"input": 1000})
    at = datetime(2026, 1, 1, 10, 30, tzinfo=UTC)
    assert own_cost(small, own_book(price), at=at).amount == Decimal("0.0005")
    assert own_cost(large, own_book(price), at=at).amount == Decimal("0.003")


@pytest.mark.parametrize(
    "price",
    [
        {},
        {"input": True},
        {"input": "much"},
        {"input": -1},
        {"input": {1, 2}},
        {"input": 1, "output": None, "cahced": 1},
        {"input": 1, "happy_hour": "16:30"},
        {"input": 1, "dynamic": {"threshold": 0, "pricing": {"input": 1}}},
        {"input": 1, "dynamic": {"threshold": 5, "strategy": "golden", "pricing": {"input": 1}}},
        {
            "input": 1,
            "dynamic": [
                {"threshold": 5, "pricing": {"input": 1}},
                {"threshold": 9, "strategy": "month", "pricing": {"input": 1}},
            ],
        },
    ],
)
def test_a_price_that_cannot_be_names_its_model(price: dict[str, Any]) -> None:
    with pytest.raises(PriceBookError, match="pricing of my-model"):
        own_book(price, model="my-model")


@pytest.mark.parametrize(
    ("model", "when", "happy"),
    [
        ("deepseek-chat", datetime(2025, 6, 10, 17, tzinfo=UTC), True),
        ("deepseek-chat", datetime(2025, 6, 10, 12, tzinfo=UTC), False),
        # Since then peak hours cost more; the usual rate of all other hours is no happy hour.
        ("deepseek-v4-pro", datetime(2026, 11, 3, 12, tzinfo=UTC), False),
        ("deepseek-v4-pro", datetime(2026, 11, 3, 2, tzinfo=UTC), False),
    ],
)
def test_the_usual_rate_beside_peak_hours_is_no_happy_hour(
    model: str, when: datetime, *, happy: bool
) -> None:
    cost = cost_of(USAGE, provider="deepseek", model=model, at=when)
    assert is_happy_hour(cost, "deepseek", model, when) is happy


def test_a_stated_happy_hour_says_so_itself() -> None:
    line = CostLine("input", 1, Decimal(1), 1_000_000, Decimal("0.000001"), note=HAPPY_HOUR)
    assert is_happy_hour(Cost(Decimal(1), "priced", lines=(line,)), "openai", "gpt-4o", NOW)


REAL = Price("list", None, "1")
LINES = (CostLine("input", 1, Decimal(1), 1_000_000, Decimal("0.000001")),)


@pytest.mark.parametrize(
    "cost",
    [
        Cost(Decimal(0), "free"),
        Cost(None, "unpriced"),
        Cost(Decimal(1), "reported", lines=LINES),
        Cost(Decimal(1), "reported", lines=LINES, price=REAL),
        Cost(Decimal(1), "priced", lines=LINES),
        Cost(Decimal(0), "priced", lines=(replace(LINES[0], quantity=0),), price=REAL),
    ],
    ids=lambda cost: cost.status,
)
def test_what_the_book_did_not_reckon_is_no_happy_hour(cost: Cost) -> None:
    inside = datetime(2025, 6, 10, 17, tzinfo=UTC)  # where a price of the book is one
    assert not is_happy_hour(cost, "deepseek", "deepseek-chat", inside)
    assert is_happy_hour(
        Cost(Decimal(1), "priced", lines=LINES, price=REAL), "deepseek", "deepseek-chat", inside
    )


@pytest.mark.parametrize(
    ("start", "end", "happy"),  # less than half of the day: 23 half hours, or 24
    [
        ("00:00", "11:30", True),
        ("00:00", "12:00", False),
        ("12:30", "00:00", True),
        ("12:00", "00:00", False),
    ],
)
def test_a_lower_rate_for_half_of_the_day_is_no_happy_hour(
    start: str, end: str, monkeypatch: pytest.MonkeyPatch, *, happy: bool
) -> None:
    window = f'[[model.price]]\nrates = {{ input = "1" }}\nwindows = [{{ from = "{start}", to = "{end}" }}]\n'
    book = book_of(
        f'[[model]]\nprovider = "acme"\nmodel = "one"\n{window}[[model.price]]\nrates = {{ input = "2" }}'
    )
    monkeypatch.setattr(Book, "default", lambda: book)
    inside = datetime(2026, 11, 22, int(start[:2]) + 1, tzinfo=UTC)
    cost = cost_of(USAGE, provider="acme", model="one", at=inside, book=book)
    assert is_happy_hour(cost, "acme", "one", inside) is happy


def test_the_first_key_that_is_not_there_is_named() -> None:
    with pytest.raises(PriceBookError, match="there is no key 'ant'"):
        own_book({"input": 1, "zebra": 1, "ant": 1})


def test_a_model_without_hours_has_no_happy_one() -> None:
    cost = charged(Book.default(), {"input": 10}, "openai/gpt-4o")
    assert not is_happy_hour(cost, "openai", "gpt-4o", NOW)
