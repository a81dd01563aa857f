"""What a changed line of pricing would get wrong: each test here stands for mutants that others let live."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from outlay.core.cost import Cost, CostLine, Price
from outlay.core.errors import PriceBookError, UsageError
from outlay.core.usage import Usage
from outlay.pricing import Book, RateCard, Unpriced, cost_of
from outlay.pricing.calculate import lines_of, split_lines
from outlay.pricing.charge import combined, usage_from_counts
from outlay.pricing.rows import USER
from outlay.pricing.tables import sheet_of
from outlay.pricing.windows import read_window

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def book(text: str) -> Book:
    """Lay prices of one's own over the packaged ones."""
    return Book.of(sheet_of(text, "mine.toml", USER))


def card_of(prices: Book, at: datetime = NOW, **terms: str) -> RateCard:
    """Give the card of acme's one model."""
    card = prices.resolve("acme", "one", at, terms)
    assert isinstance(card, RateCard)
    return card


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (
            {"input_tokens": 5, "cached_tokens": 3, "cache_write_tokens": 3},
            "cached_tokens and cache_write_tokens are a part of input_tokens and cannot be more",
        ),
        (
            {"output_tokens": 5, "reasoning_tokens": 6},
            "reasoning_tokens are a part of output_tokens and cannot be more",
        ),
    ],
)
def test_a_part_that_is_more_than_its_whole_is_named_with_the_whole(
    counts: dict[str, int], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        usage_from_counts(counts)
    assert str(caught.value) == said


def test_a_part_may_be_the_whole() -> None:
    usage = usage_from_counts(
        {"input_tokens": 5, "cached_tokens": 5, "output_tokens": 6, "reasoning_tokens": 6}
    )
    assert usage.units == {"cache_read": 5, "reasoning": 6}


MONTHLY = """
[[model]]
provider = "acme"
model = "one"
[[model.price]]
rates = { input = "10", output = "30" }
kind = "month"
above = [{ tokens = 1000, rates = { input = "20", output = "60" } }]
"""


def test_each_side_of_a_month_has_its_own_count() -> None:
    def cost(**so_far: str) -> Decimal | None:
        counts = {"input": 100, "output": 100}
        return cost_of(counts, provider="acme", model="one", at=NOW, book=book(MONTHLY), **so_far).amount

    # 100 x 10 + 100 x 30; 100 x 20 + 100 x 30; 100 x 10 + 100 x 60, each a million
    assert cost() == Decimal("0.004")
    assert cost(month_input_tokens="1000") == Decimal("0.005")
    assert cost(month_output_tokens="1000") == Decimal("0.007")
    assert cost(month_input_tokens="1000", month_output_tokens="1000") == Decimal("0.008")


@pytest.mark.parametrize(("unit", "amount"), [("input", "0.010"), ("output", "0.030")])
def test_a_month_of_which_nothing_is_told_begins_with_this_call(unit: str, amount: str) -> None:
    """The first 1000 tokens of a month are all below its tier: 1000 x 10, or 1000 x 30, a million."""
    cost = cost_of({unit: 1000}, provider="acme", model="one", at=NOW, book=book(MONTHLY))
    assert cost.amount == Decimal(amount)
    one_more = cost_of({unit: 1001}, provider="acme", model="one", at=NOW, book=book(MONTHLY))
    assert one_more.amount == Decimal(amount) + (
        Decimal("0.00002") if unit == "input" else Decimal("0.00006")
    )


def test_a_stated_cost_keeps_what_is_odd_about_ours_where_there_is_one() -> None:
    prices = book("""
    [[model]]
    provider = "acme"
    model = "one"
    price = [{ from = 2026-12-01, rates = { input = "10" } }]
    """)
    usage = Usage.of({"input": 1000}, reported_cost=Decimal("0.004"))
    cost = cost_of(usage, provider="acme", model="one", at=NOW, book=prices)
    assert (cost.amount, cost.computed, cost.flags) == (Decimal("0.004"), Decimal("0.01"), ("extrapolated",))
    unknown = cost_of(usage, provider="acme", model="two", at=NOW, book=prices)
    assert (unknown.amount, unknown.computed, unknown.flags) == (Decimal("0.004"), None, ())


def test_units_of_one_kind_are_laid_out_by_name_and_counts_of_the_same_side_follow_each_other() -> None:
    card = card_of(book(MONTHLY))
    items = [("input_image", 600), ("input_audio", 600)]
    lines, missing, _ = split_lines(items, card, (0, 0))
    # by name audio comes first and has the cheaper thousand: 600, then 400 of the image's, then 200 above
    assert [(line.unit, line.quantity, line.rate) for line in lines] == [
        ("input_audio", 600, Decimal(10)),
        ("input_image", 400, Decimal(10)),
        ("input_image", 200, Decimal(20)),
    ]
    assert missing == []


def known(status: Any, amount: str = "1", currency: str = "USD", source: str = "one") -> Cost:
    """Make the cost of a part."""
    value = Decimal(amount)
    line = CostLine("input", 1, value, 1, value)
    return Cost(value, status, currency, (line,), Price(source, None, "v"))


@pytest.mark.parametrize(
    ("statuses", "whole"),
    [
        (("free", "free"), "free"),
        (("priced", "free"), "priced"),
        (("priced", "priced"), "priced"),
        (("priced", "partial"), "partial"),
        (("free", "partial"), "partial"),
    ],
)
def test_the_state_of_a_whole_follows_from_those_of_its_parts(statuses: tuple[str, ...], whole: str) -> None:
    found = combined([known(status) for status in statuses])
    assert (found.status, found.amount, len(found.lines)) == (whole, Decimal(2), 2)


def test_a_whole_has_the_price_and_currency_of_its_first_known_part() -> None:
    unknown = Cost(None, "unpriced", reason="nobody knows")
    found = combined([unknown, known("priced", "2", "EUR", "first"), known("priced", "3", "EUR", "second")])
    assert (found.amount, found.currency, found.status) == (Decimal(5), "EUR", "partial")
    assert found.price is not None
    assert (found.price.source, found.reason) == ("first", "nobody knows")


def test_a_factor_for_other_terms_does_not_apply_and_does_not_hide_one_behind_it() -> None:
    prices = book("""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    rates = { input = "10" }
    [[model.price]]
    when = { geo = "eu" }
    factor = "1.1"
    [[model.price]]
    when = { speed = "fast" }
    factor = "6"
    """)
    assert card_of(prices).rates["input"].amount == 10
    assert card_of(prices, geo="eu").rates["input"].amount == 11
    assert card_of(prices, speed="fast").rates["input"].amount == 60
    assert card_of(prices, geo="eu", speed="fast").rates["input"].amount == 66


def test_a_row_of_rates_for_other_terms_does_not_lie_over_the_plain_one() -> None:
    prices = book("""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    rates = { input = "10", output = "20" }
    [[model.price]]
    when = { region = "eu" }
    rates = { input = "7" }
    [[common]]
    provider = "acme"
    when = { region = "us" }
    rates = { web_search = "5" }
    """)
    assert {
        unit: rate.amount for unit, rate in card_of(prices).rates.items() if unit in ("input", "web_search")
    } == {"input": 10}
    assert card_of(prices, region="eu").rates["input"].amount == 7
    assert card_of(prices, region="us").rates["web_search"].amount == 5


def test_a_price_that_was_hidden_by_another_begins_where_that_one_ended() -> None:
    prices = book("""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    rates = { input = "10" }
    [[model.price]]
    from = 2026-03-01T00:00:00Z
    to = 2026-06-01T00:00:00Z
    rates = { input = "5" }
    [[model.price]]
    to = 2026-09-01T00:00:00Z
    factor = "2"
    """)
    june, september = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC)
    april = card_of(prices, datetime(2026, 4, 1, tzinfo=UTC))
    assert (april.rates["input"].amount, april.price.effective_from) == (
        Decimal(10),
        datetime(2026, 3, 1, tzinfo=UTC),
    )
    july = card_of(prices, datetime(2026, 7, 1, tzinfo=UTC))
    assert (july.rates["input"].amount, july.price.effective_from) == (Decimal(20), june)
    now = card_of(prices)
    assert (now.rates["input"].amount, now.price.effective_from) == (Decimal(10), june)
    assert september < NOW  # a factor that ended does not begin a price


def test_a_unit_without_a_rate_does_not_hide_those_behind_it() -> None:
    rates = card_of(book(MONTHLY)).rates
    lines, missing, _ = lines_of([("pages", 2), ("input", 5), ("images", 1), ("output", 1)], rates)
    assert ([line.unit for line in lines], missing) == (["input", "output"], ["pages", "images"])


def test_a_run_that_ends_at_an_edge_has_no_line_of_nothing_behind_it() -> None:
    card = card_of(book(MONTHLY))
    for before, count, expected in ((0, 1000, [10]), (1000, 5, [20]), (999, 2, [10, 20])):
        lines, _, _ = split_lines([("input", count)], card, (before, 0))
        assert [int(line.rate) for line in lines] == expected
        assert sum(line.quantity for line in lines) == count


def test_a_stated_cost_is_one_line_of_itself() -> None:
    usage = Usage.of({"input": 5}, reported_cost=Decimal("0.25"), reported_currency="EUR")
    cost = cost_of(usage, provider="acme", model="one", at=NOW, book=book(MONTHLY))
    (line,) = cost.lines
    assert (line.unit, line.quantity, line.rate, line.per, line.amount) == (
        "reported",
        1,
        Decimal("0.25"),
        1,
        Decimal("0.25"),
    )
    assert (cost.currency, cost.computed) == ("EUR", None)


def test_a_usage_that_nobody_could_read_says_so_before_the_model_is_blamed() -> None:
    unread = cost_of(Usage(reason="the stream broke"), provider="acme", model="nobody", at=NOW)
    assert unread.reason == "the stream broke"
    silent = cost_of(Usage(), provider="acme", model="nobody", at=NOW)
    assert silent.reason == "no prices of provider acme are known"


def test_a_part_is_priced_under_its_own_terms_over_those_of_the_whole() -> None:
    prices = book("""
    [[model]]
    provider = "acme"
    model = "one"
    price = [{ rates = { input = "10" } }, { when = { geo = "eu" }, rates = { input = "20" } }]
    """)
    parts = (
        Usage.of({"input": 1_000_000}, model="one", terms=(("geo", "eu"),)),
        Usage.of({"input": 1_000_000}, model="one"),
    )
    whole = Usage.of({"input": 2_000_000}, parts=parts)
    assert cost_of(whole, provider="acme", model="one", at=NOW, book=prices).amount == 30
    abroad = cost_of(whole, provider="acme", model="one", at=NOW, book=prices, geo="eu")
    assert abroad.amount == 40


def test_what_a_part_has_beyond_the_whole_is_not_made_up_for_elsewhere() -> None:
    part = Usage.of({"input": 1_000_000, "output": 1_000_000}, model="one")
    whole = Usage.of({"input": 1_000_000}, parts=(part,))
    cost = cost_of(whole, provider="acme", model="one", at=NOW, book=book(MONTHLY_FLAT))
    assert [(line.unit, line.quantity) for line in cost.lines] == [
        ("input", 1_000_000),
        ("output", 1_000_000),
    ]


MONTHLY_FLAT = """
[[model]]
provider = "acme"
model = "one"
price = [{ rates = { input = "10", output = "30" } }]
"""


def test_provisioned_and_batch_at_once_say_what_was_assumed_of_the_batch() -> None:
    prices = book(MONTHLY_FLAT)
    for card in (card_of(prices, batch="true", service_tier="provisioned"), card_of(prices, batch="true")):
        assert card.rates["input"].amount == 5
        assert card.reason == "no batch rate is known; half the standard rate was taken"


def test_the_first_strange_key_of_a_window_is_named() -> None:
    with pytest.raises(PriceBookError, match="a window has no key 'begin'; it has days, except, from, to"):
        read_window({"from": "10:00", "to": "11:00", "begin": 1, "zone": "UTC"}, "row 1")


def test_a_factor_for_all_models_that_does_not_apply_does_not_hide_one_behind_it() -> None:
    prices = book("""
    [[model]]
    provider = "acme"
    model = "one"
    price = [{ rates = { input = "10" } }]
    [[common]]
    provider = "acme"
    when = { geo = "eu" }
    factor = "1.1"
    [[common]]
    provider = "acme"
    when = { speed = "fast" }
    factor = "6"
    """)
    assert card_of(prices).rates["input"].amount == 10
    assert card_of(prices, geo="eu").rates["input"].amount == 11
    assert card_of(prices, speed="fast").rates["input"].amount == 60


@pytest.mark.parametrize(("cached", "in_batch"), [("10", "5"), ("1", "1")])
def test_a_unit_that_a_tariff_leaves_out_follows_its_stand_in_only_where_both_cost_the_same(
    cached: str, in_batch: str
) -> None:
    prices = book(f"""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    rates = {{ input = "10", cache_read = "{cached}" }}
    [[model.price]]
    when = {{ batch = "true" }}
    rates = {{ input = "5" }}
    """)
    assert card_of(prices).rates["cache_read"].amount == Decimal(cached)
    assert card_of(prices, batch="true").rates["cache_read"].amount == Decimal(in_batch)


STEPS = """
[[model]]
provider = "acme"
model = "one"
[[model.price]]
kind = "KIND"
rates = { input = "1", output = "10" }
above = [
  { tokens = 1000, rates = { input = "2", output = "20" } },
  { tokens = 5000, rates = { input = "3", output = "30" } },
]
"""


@pytest.mark.parametrize(("size", "rate"), [(1000, 1), (1001, 2), (5000, 2), (5001, 3)])
def test_of_several_steps_the_last_that_is_reached_counts(size: int, rate: int) -> None:
    card = card_of(book(STEPS.replace("KIND", "request")))
    assert card.rates_for(size)["input"].amount == rate


def test_a_sum_over_calls_is_unknown_from_the_first_step_on() -> None:
    prices = book(STEPS.replace("KIND", "request"))
    usage = Usage.of({"input": 2000}, flags=("summed_calls",))
    cost = cost_of(usage, provider="acme", model="one", at=NOW, book=prices)
    assert (cost.amount, cost.flags) == (Decimal("0.002"), ("tier_unknown",))  # 2000 x 1 a million


def test_a_sum_over_calls_that_comes_to_the_edge_of_a_step_which_begins_there_is_unknown_too() -> None:
    prices = book(STEPS.replace("KIND", "request").replace("tokens = 1000", "tokens = 1000, at_least = true"))
    usage = Usage.of({"input": 1000}, flags=("summed_calls",))
    cost = cost_of(usage, provider="acme", model="one", at=NOW, book=prices)
    assert (cost.amount, cost.flags) == (Decimal("0.001"), ("tier_unknown",))


def test_only_what_lies_above_a_marginal_step_costs_more_and_each_side_begins_at_nothing() -> None:
    prices = book(STEPS.replace("KIND", "marginal"))
    cost = cost_of({"input": 1000, "output": 1000}, provider="acme", model="one", at=NOW, book=prices)
    assert cost.amount == Decimal("0.011")  # 1000 x 1 + 1000 x 10
    cost = cost_of({"input": 1001, "output": 1001}, provider="acme", model="one", at=NOW, book=prices)
    assert cost.amount == Decimal("0.011022")  # and 2 + 20


@pytest.mark.parametrize("said", ["many", "-5", "1.5", ""])
def test_a_month_s_count_that_is_none_counts_as_nothing(said: str) -> None:
    cost = cost_of(
        {"output": 1000}, provider="acme", model="one", at=NOW, book=book(MONTHLY), month_output_tokens=said
    )
    assert cost.amount == Decimal("0.03")  # 1000 x 30 a million, none of them above the thousandth


def test_what_parts_leave_over_is_priced_to_the_last_token() -> None:
    prices = book("""
    [[model]]
    provider = "acme"
    model = "one"
    price = [{ rates = { input = "10" } }]
    [[model]]
    provider = "acme"
    model = "two"
    price = [{ rates = { input = "20" } }]
    """)
    usage = Usage.of({"input": 11}, parts=(Usage.of({"input": 10}, model="two"),))
    cost = cost_of(usage, provider="acme", model="one", at=NOW, book=prices)
    assert cost.amount == Decimal("0.00021")  # 10 x 20 + 1 x 10 a million
    assert [(line.unit, line.quantity, line.rate) for line in cost.lines] == [
        ("input", 10, Decimal(20)),
        ("input", 1, Decimal(10)),
    ]


def test_an_inclusive_count_below_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="input_tokens must be a whole number from 0 on, not -1"):
        usage_from_counts({"input_tokens": -1})


def test_of_strange_names_beside_inclusive_ones_the_first_is_named() -> None:
    with pytest.raises(UsageError, match="cache_read and inclusive names"):
        usage_from_counts({"input_tokens": 5, "output": 1, "cache_read": 1})


def test_terms_are_given_by_name() -> None:
    price: Any = cost_of
    with pytest.raises(TypeError, match="positional"):
        price({"input": 1}, "openai", "gpt-4o")


def test_what_is_charged_once_is_charged_once_from_the_second_on_and_a_least_quantity_has_its_own_unit() -> (
    None
):
    prices = book("""
    [[model]]
    provider = "acme"
    model = "one"
    once = ["web_search"]
    least = { audio_seconds = 10 }
    [[model.price]]
    per = 1
    rates = { web_search = "3", audio_seconds = "2", pages = "8" }
    """)

    def amount(**units: Any) -> Decimal | None:
        return cost_of(units, provider="acme", model="one", at=NOW, book=prices).amount

    assert [amount(web_search=count) for count in (1, 2, 3)] == [3, 3, 3]
    assert [amount(audio_seconds=count) for count in (1, 10, 11)] == [20, 20, 22]
    assert amount(pages=Decimal("0.5")) == 4


def test_a_fee_that_the_answer_does_not_tell_makes_a_priced_cost_partial_and_leaves_a_free_one() -> None:
    prices = book("""
    [[model]]
    provider = "openrouter"
    model = "acme/paid"
    price = [{ rates = { input = "1" } }]
    [[model]]
    provider = "openrouter"
    model = "acme/free"
    price = [{ rates = { input = 0 } }]
    """)

    def found(model: str, **units: int) -> tuple[str, str | None]:
        cost = cost_of(units, provider="openrouter", model=model, at=NOW, book=prices)
        return cost.status, cost.reason

    web = "the fee of the route's web search is not in the response"
    assert found("acme/paid", input=5) == ("priced", None)
    assert found("acme/paid:online", input=5) == ("partial", web)
    assert found("acme/free:online", input=5)[0] == "free"
    lacking = found("acme/paid:online", input=5, pages=1)
    assert (lacking[0], lacking[1] == web) == ("partial", False)


def test_a_tariff_alone_is_no_price() -> None:
    prices = book("""
    [[model]]
    provider = "acme"
    model = "one"
    price = [{ when = { batch = "true" }, rates = { input = "5" } }]
    """)
    for terms in ({}, {"batch": "true"}):
        found = prices.resolve("acme", "one", NOW, terms)
        assert found == Unpriced("its price depends on terms unknown; the call says nothing")


def test_every_token_unit_that_a_tariff_leaves_out_is_said_and_by_its_first_term() -> None:
    counts = ", ".join(f'unit_{n} = "1"' for n in range(30))
    prices = book(f"""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    rates = {{ input = "10", output = "3", reasoning = "4", cache_read = "1", cache_write = "2", {counts} }}
    [[model.price]]
    when = {{ batch = "true", service_tier = "flex" }}
    rates = {{ input = "5" }}
    """)
    rates = card_of(prices, batch="true", service_tier="flex").rates
    assert rates["input"].flag is None
    for unit in ("output", "reasoning", "cache_read", "cache_write"):
        assert (rates[unit].flag, rates[unit].note) == ("assumed_rate", "no batch rate, standard rate")


def test_a_listed_factor_does_not_touch_a_price_of_ones_own() -> None:
    text = """
    [[model]]
    provider = "bedrock"
    model = "mine"
    price = [{ rates = { input = "10" } }]
    """
    gov = {"region": "us-gov-west-1"}
    card = book(text).resolve("bedrock", "mine", NOW, gov)
    assert isinstance(card, RateCard)
    assert card.rates["input"].amount == 10
    ours = text + '[[common]]\nprovider = "bedrock"\nfactor = "2"\n'
    card = book(ours).resolve("bedrock", "mine", NOW, gov)
    assert isinstance(card, RateCard)
    assert card.rates["input"].amount == 20


@pytest.mark.parametrize(
    ("row", "note"),
    [
        ("factor = 2", "factor x2"),
        ('factor = 2\nnote = "a surcharge"', "a surcharge x2"),
        ('factor = 2\nwhen = { geo = "eu" }\nnote = "a surcharge"', "geo eu x2"),
    ],
)
def test_a_factor_is_named_by_its_terms_its_note_or_as_one(row: str, note: str) -> None:
    prices = book(f"""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    rates = {{ input = "10" }}
    [[model.price]]
    {row}
    """)
    rate = card_of(prices, geo="eu").rates["input"]
    assert (rate.amount, rate.note) == (Decimal(20), note)


def test_at_the_instant_of_a_change_the_new_price_holds_from_then_and_until_the_next() -> None:
    prices = book("""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    rates = { input = "10" }
    [[model.price]]
    from = 2026-01-01
    to = 2026-06-01
    rates = { input = "5" }
    """)
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    second = timedelta(seconds=1)
    found = [(card_of(prices, at).price.effective_from, card_of(prices, at).until) for at in (start, end)]
    assert found == [(start, end), (end, None)]
    before, last = card_of(prices, start - second), card_of(prices, end - second)
    assert (before.price.effective_from, before.until) == (None, start)
    assert (last.price.effective_from, last.until, last.rates["input"].amount) == (start, end, Decimal(5))


def test_a_unit_that_costs_nothing_anyway_is_no_assumption_where_a_tariff_leaves_it_out() -> None:
    prices = book("""
    [[model]]
    provider = "acme"
    model = "one"
    [[model.price]]
    rates = { input = "10", output = 0 }
    [[model.price]]
    when = { batch = "true" }
    rates = { input = "5" }
    """)
    rate = card_of(prices, batch="true").rates["output"]
    assert (rate.amount, rate.flag, rate.note) == (Decimal(0), None, None)
