"""Tiers of the three kinds, in prices of one's own, and the lines that a card makes of counts."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations

import pytest
from tests.support.books import MONTHLY, NOW, STEPS, book_of, card_of, charged

from outlay.core.cost import Cost
from outlay.pricing import Book, cost_of
from outlay.pricing.calculate import lines_of, split_lines

ABOVE = 'above = [{ tokens = 1000, rates = { input = "20", cache_read = "4", output = "50" } }]'


def tiered(kind: str, above: str = ABOVE) -> Book:
    text = f"""
    [[model]]
    provider = "acme"
    model = "tiered"
    [[model.price]]
    rates = {{ input = "10", cache_read = "2", output = "30" }}
    kind = "{kind}"
    {above}
    """
    return book_of(text)


def charge(kind: str, counts: dict[str, int], *, above: str = ABOVE, month: str = "0") -> Cost:
    book = tiered(kind, above)
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


def test_each_side_of_a_month_has_its_own_count() -> None:
    def cost(**so_far: str) -> Decimal | None:
        counts = {"input": 100, "output": 100}
        return cost_of(counts, provider="acme", model="one", at=NOW, book=book_of(MONTHLY), **so_far).amount

    # 100 x 10 + 100 x 30; 100 x 20 + 100 x 30; 100 x 10 + 100 x 60, each a million
    assert cost() == Decimal("0.004")
    assert cost(month_input_tokens="1000") == Decimal("0.005")
    assert cost(month_output_tokens="1000") == Decimal("0.007")
    assert cost(month_input_tokens="1000", month_output_tokens="1000") == Decimal("0.008")


@pytest.mark.parametrize("said", ["1000.0", "1e3", "1,000", "-1", "many"])
@pytest.mark.parametrize("side", ["input", "output"])
def test_a_month_that_cannot_be_read_is_unknown_and_not_empty(side: str, said: str) -> None:
    terms = {"month_input_tokens": "1000", f"month_{side}_tokens": said}
    cost = cost_of({"input": 100}, provider="acme", model="one", at=NOW, book=book_of(MONTHLY), **terms)
    assert (cost.amount, cost.flags) == (Decimal("0.001"), ("tier_unknown",))


@pytest.mark.parametrize(("unit", "amount"), [("input", "0.010"), ("output", "0.030")])
def test_a_month_of_which_nothing_is_told_begins_with_this_call(unit: str, amount: str) -> None:
    """The first 1000 tokens of a month are all below its tier: 1000 x 10, or 1000 x 30, a million."""
    cost = cost_of({unit: 1000}, provider="acme", model="one", at=NOW, book=book_of(MONTHLY))
    assert cost.amount == Decimal(amount)
    one_more = cost_of({unit: 1001}, provider="acme", model="one", at=NOW, book=book_of(MONTHLY))
    assert one_more.amount == Decimal(amount) + (
        Decimal("0.00002") if unit == "input" else Decimal("0.00006")
    )


def test_units_of_one_kind_are_laid_out_by_name_and_counts_of_the_same_side_follow_each_other() -> None:
    card = card_of(book_of(MONTHLY))
    items = [("input_image", 600), ("input_audio", 600)]
    lines, missing, _ = split_lines(items, card, (0, 0))
    # by name audio comes first and has the cheaper thousand: 600, then 400 of the image's, then 200 above
    assert [(line.unit, line.quantity, line.rate) for line in lines] == [
        ("input_audio", 600, Decimal(10)),
        ("input_image", 400, Decimal(10)),
        ("input_image", 200, Decimal(20)),
    ]
    assert missing == []


@pytest.mark.parametrize(
    "items", list(permutations([("input", 300), ("cache_read", 600), ("cache_write", 600)]))
)
def test_a_prompt_is_laid_out_in_one_order_in_whatever_order_its_units_come(
    items: tuple[tuple[str, int], ...],
) -> None:
    """What is read from a cache comes first, then what is written to it, then the rest."""
    lines, _, _ = split_lines(items, card_of(book_of(MONTHLY)), (0, 0))
    assert [(line.unit, line.quantity, line.rate) for line in lines] == [
        ("cache_read", 600, Decimal(10)),
        ("cache_write", 400, Decimal(10)),
        ("cache_write", 200, Decimal(20)),
        ("input", 300, Decimal(20)),
    ]


def test_a_unit_without_a_rate_does_not_hide_those_behind_it() -> None:
    rates = card_of(book_of(MONTHLY)).rates
    lines, missing, _ = lines_of([("pages", 2), ("input", 5), ("images", 1), ("output", 1)], rates)
    assert ([line.unit for line in lines], missing) == (["input", "output"], ["pages", "images"])


def test_a_run_that_ends_at_an_edge_has_no_line_of_nothing_behind_it() -> None:
    card = card_of(book_of(MONTHLY))
    for before, count, expected in ((0, 1000, [10]), (1000, 5, [20]), (999, 2, [10, 20])):
        lines, _, _ = split_lines([("input", count)], card, (before, 0))
        assert [int(line.rate) for line in lines] == expected
        assert sum(line.quantity for line in lines) == count


@pytest.mark.parametrize(("size", "rate"), [(1000, 1), (1001, 2), (5000, 2), (5001, 3)])
def test_of_several_steps_the_last_that_is_reached_counts(size: int, rate: int) -> None:
    card = card_of(book_of(STEPS.replace("KIND", "request")))
    assert card.rates_for(size)["input"].amount == rate


def test_only_what_lies_above_a_marginal_step_costs_more_and_each_side_begins_at_nothing() -> None:
    prices = book_of(STEPS.replace("KIND", "marginal"))
    cost = cost_of({"input": 1000, "output": 1000}, provider="acme", model="one", at=NOW, book=prices)
    assert cost.amount == Decimal("0.011")  # 1000 x 1 + 1000 x 10
    cost = cost_of({"input": 1001, "output": 1001}, provider="acme", model="one", at=NOW, book=prices)
    assert cost.amount == Decimal("0.011022")  # and 2 + 20


def test_what_is_no_token_is_not_laid_on_marginal_tiers() -> None:
    prices = book_of("""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    rates = { input = "10", web_search = "5" }
    kind = "marginal"
    above = [{ tokens = 1000, rates = { input = "20" } }]
    """)
    # 1000 x 10 + 500 x 20 a million, and 2 x 5 a thousand
    cost = charged(prices, {"input": 1500, "web_search": 2})
    assert cost.amount == Decimal("0.01") + Decimal("0.01") + Decimal("0.01")


def test_a_unit_without_a_rate_is_told_where_tiers_are_laid_out_as_elsewhere() -> None:
    prices = book_of(STEPS.replace("KIND", "marginal"))
    cost = charged(prices, {"input": 1001, "web_search": 2})
    assert (cost.amount, cost.status, cost.flags) == (Decimal("0.001002"), "partial", ("no_rate",))
    assert cost.reason is not None
    assert cost.reason.endswith("web_search")
    # sound has no rate of its own: that of text is taken, and said
    cost = charged(prices, {"input": 10, "input_audio": 5})
    assert (cost.amount, cost.flags) == (Decimal("0.000015"), ("assumed_rate",))
