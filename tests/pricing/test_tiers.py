"""Tiers of the three kinds, in prices of one's own."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from outlay.core.cost import Cost
from outlay.pricing import Book, cost_of
from outlay.pricing.rows import USER
from outlay.pricing.tables import sheet_of

ABOVE = 'above = [{ tokens = 1000, rates = { input = "20", cache_read = "4", output = "50" } }]'


def book_of(kind: str, above: str = ABOVE) -> Book:
    text = f"""
    [[model]]
    provider = "acme"
    model = "tiered"
    [[model.price]]
    rates = {{ input = "10", cache_read = "2", output = "30" }}
    kind = "{kind}"
    {above}
    """
    return Book.of(sheet_of(text, "mine.toml", USER))


def charge(kind: str, counts: dict[str, int], *, above: str = ABOVE, month: str = "0") -> Cost:
    book = book_of(kind, above)
    at = datetime(2026, 11, 22, tzinfo=UTC)
    return cost_of(counts, provider="acme", model="tiered", at=at, book=book, month_input_tokens=month)


@pytest.mark.parametrize(("tokens", "amount"), [(1000, "0.010"), (1001, "0.02002")])
def test_a_whole_request_jumps_above_the_threshold(tokens: int, amount: str) -> None:
    assert charge("request", {"input": tokens}).amount == Decimal(amount)


@pytest.mark.parametrize(
    ("tokens", "amount"),  # 1000 x 10, then 20 for each token above, in millionths
    [(999, "0.00999"), (1000, "0.01"), (1001, "0.01002"), (1500, "0.02")],
)
def test_a_marginal_tier_charges_more_only_for_what_lies_above(tokens: int, amount: str) -> None:
    assert charge("marginal", {"input": tokens}).amount == Decimal(amount)


def test_what_lies_above_is_the_fresh_part_of_the_prompt() -> None:
    # 600 cached x 2 + 400 fresh x 10 + 200 fresh x 20.
    cost = charge("marginal", {"input": 600, "cache_read": 600})
    assert cost.amount == Decimal("0.0092")
    assert [(line.unit, line.quantity) for line in cost.lines] == [
        ("cache_read", 600),
        ("input", 400),
        ("input", 200),
    ]


def test_output_is_laid_on_its_own_count() -> None:
    assert charge("marginal", {"input": 1500, "output": 100}).amount == Decimal("0.02") + Decimal("0.003")


@pytest.mark.parametrize(
    ("used", "amount"),
    [
        ("0", "0.005"),  # 500 x 10
        ("700", "0.007"),  # 300 x 10 + 200 x 20
        ("1000", "0.01"),  # 500 x 20
        ("5000", "0.01"),
        ("nonsense", "0.005"),  # a new month, as far as anybody can tell
    ],
)
def test_a_call_over_the_months_edge_is_split(used: str, amount: str) -> None:
    assert charge("month", {"input": 500}, month=used).amount == Decimal(amount)


def test_a_month_of_calls_costs_what_one_large_call_costs() -> None:
    calls = [400, 400, 400, 800]
    used, spent = 0, Decimal(0)
    for tokens in calls:
        amount = charge("month", {"input": tokens}, month=str(used)).amount
        assert amount is not None
        spent, used = spent + amount, used + tokens
    assert spent == charge("marginal", {"input": 2000}).amount == Decimal("0.03")


def test_a_threshold_may_belong_to_the_upper_tier() -> None:
    above = ABOVE.replace("tokens = 1000", "tokens = 1000, at_least = true")
    assert charge("request", {"input": 1000}, above=above).amount == Decimal("0.02")
    assert charge("request", {"input": 999}, above=above).amount == Decimal("0.00999")
    assert charge("marginal", {"input": 1001}, above=above).amount == Decimal("0.01003")  # 999 x 10, 2 x 20


def test_a_unit_that_the_tier_leaves_out_keeps_its_rate_and_says_so() -> None:
    above = 'above = [{ tokens = 1000, rates = { input = "20" } }]'
    cost = charge("request", {"input": 1500, "output": 100}, above=above)
    assert (cost.amount, cost.flags) == (Decimal("0.033"), ("assumed_rate",))
