"""Charging: parts, stated costs, missing usage, free models, fees and inclusive counts."""

from decimal import Context, Decimal, Inexact, localcontext
from typing import Any

import pytest
from tests.support.books import FLAT, MONTHLY, NOW, STEPS, book_of, charged

from outlay.core.cost import Cost, CostLine, Price, in_part
from outlay.core.errors import UsageError
from outlay.core.usage import Usage
from outlay.extract import read
from outlay.pricing import Book, cost_of, usage_from_counts
from outlay.pricing.charge import _rest, combined


def charge(usage: Usage, model: str, **terms: Any) -> Cost:
    provider, _, name = model.partition("/")
    return cost_of(usage, provider=provider, model=name, at=NOW, **terms)


def test_parts_are_priced_each_on_its_own_model() -> None:
    # gpt-4o: 1000 x 2.5; gpt-4o-mini: 2000 x 0.15 a million.
    parts = (Usage.of({"input": 1000}, model="gpt-4o"), Usage.of({"input": 2000}, model="gpt-4o-mini"))
    cost = charge(Usage.of({"input": 3000}, parts=parts), "openai/gpt-4o")
    assert cost.amount == Decimal("0.0028")
    assert [(line.model, line.amount) for line in cost.lines] == [
        ("gpt-4o", Decimal("0.0025")),
        ("gpt-4o-mini", Decimal("0.0003")),
    ]


def test_a_part_that_nobody_can_price_makes_the_whole_partial() -> None:
    parts = (Usage.of({"input": 1000}, model="gpt-4o"), Usage.of({"input": 2000}, model="gpt-99"))
    cost = charge(Usage.of({"input": 3000}, parts=parts), "openai/gpt-4o")
    assert (cost.amount, cost.status) == (Decimal("0.0025"), "partial")
    assert cost.reason is not None
    assert "gpt-99" in cost.reason


def test_what_no_part_accounts_for_is_priced_on_the_main_model() -> None:
    parts = (Usage.of({"input": 2000}, model="gpt-4o-mini"),)
    cost = charge(Usage.of({"input": 3000}, parts=parts), "openai/gpt-4o")
    assert cost.amount == Decimal("0.0028")


def test_a_stated_cost_wins_and_ours_stands_beside_it() -> None:
    usage = Usage.of({"input": 1000}, reported_cost=Decimal("0.004"))
    cost = charge(usage, "openai/gpt-4o")
    assert (cost.amount, cost.status, cost.computed) == (Decimal("0.004"), "reported", Decimal("0.0025"))
    assert [(line.unit, line.quantity, line.amount) for line in cost.lines] == [
        ("reported", 1, Decimal("0.004"))
    ]


def test_a_stated_cost_of_an_unknown_model_stands_alone() -> None:
    cost = charge(Usage.of({"input": 1000}, reported_cost=Decimal("0.004")), "openai/gpt-99")
    assert (cost.amount, cost.status, cost.computed) == (Decimal("0.004"), "reported", None)


def test_no_usage_is_no_zero() -> None:
    cost = charge(Usage(reason="the stream was cut off"), "openai/gpt-4o")
    assert (cost.amount, cost.status, cost.reason) == (None, "unpriced", "the stream was cut off")


_EVENTS: tuple[dict[str, Any], ...] = (
    {"type": "message_start", "message": {"usage": {"input_tokens": 1000, "output_tokens": 1}}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "so"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 200}},
    {"type": "message_stop"},
)


@pytest.mark.parametrize(
    ("told", "amount", "status"),
    [(1, "0.003015", "partial"), (2, "0.003015", "partial"), (3, "0.006", "priced"), (4, "0.006", "priced")],
)
def test_a_stream_that_was_cut_off_is_priced_in_part(told: int, amount: str, status: str) -> None:
    usage = read(_EVENTS[:told], provider="anthropic", api="messages")
    cost = charge(usage, "anthropic/claude-sonnet-4-5")
    assert (cost.amount, cost.status) == (Decimal(amount), status)
    assert cost.reason == (None if status == "priced" else "the stream ended before its final usage")
    assert sum(line.amount for line in cost.lines) == cost.amount


def test_a_cost_in_part_names_each_reason_once() -> None:
    usage = Usage.of({"input": 1000, "pages": 2}, flags=("partial",), reason="it was cut off")
    cost = charge(usage, "openai/gpt-4o")
    assert (cost.amount, cost.status) == (Decimal("0.0025"), "partial")
    assert cost.reason == "gpt-4o has no rate for pages; it was cut off"
    assert in_part(cost, "it was cut off") == cost
    assert charge(Usage(flags=("partial",), reason="cut"), "openai/gpt-4o").status == "unpriced"
    free = charge(
        Usage.of({"input": 1}, flags=("partial",)), "openrouter/meta-llama/llama-3.3-70b-instruct:free"
    )
    assert free.status == "free"  # the rest would cost nothing, too


def test_parts_of_a_usage_that_is_told_in_part_are_a_part_of_the_cost() -> None:
    part = Usage.of({"input": 1000}, model="gpt-4o")
    usage = Usage.of({"input": 1000}, parts=(part,), flags=("partial",))
    cost = charge(usage, "openai/gpt-4o")
    assert (cost.amount, cost.status, cost.reason) == (
        Decimal("0.0025"),
        "partial",
        "the usage is told in part",
    )


def test_all_zero_usage_costs_nothing_and_is_free_where_the_model_is() -> None:
    assert charge(Usage(), "openai/gpt-4o").amount == 0
    assert charge(Usage(), "openai/gpt-4o").status == "priced"
    assert charge(Usage(), "openrouter/meta-llama/llama-3.3-70b-instruct:free").status == "free"


def test_a_unit_without_a_rate_makes_the_cost_partial() -> None:
    cost = charge(Usage.of({"input": 1000, "pages": 3}), "openai/gpt-4o")
    assert (cost.amount, cost.status, cost.flags) == (Decimal("0.0025"), "partial", ("no_rate",))
    assert cost.reason == "gpt-4o has no rate for pages"


def test_a_unit_without_a_rate_alone_is_unpriced() -> None:
    assert charge(Usage.of({"pages": 3}), "openai/gpt-4o").amount is None


@pytest.mark.parametrize(
    ("size", "amount"),  # Perplexity: 5, 8 or 12 dollars per 1000 requests of sonar, small when not said
    [(None, "0.005001"), ("low", "0.005001"), ("medium", "0.008001"), ("high", "0.012001")],
)
def test_a_flat_fee_is_charged_though_no_response_counts_it(size: str | None, amount: str) -> None:
    terms = {} if size is None else {"search_context_size": size}
    assert charge(Usage.of({"input": 1}), "perplexity/sonar", **terms).amount == Decimal(amount)


def test_an_error_has_no_fee() -> None:
    failed = Usage(reason="the provider answered with an error", flags=("error",))
    assert charge(failed, "perplexity/sonar").amount is None


def test_a_grounded_prompt_of_gemini_2_is_charged_once() -> None:
    # 35 dollars per 1000 prompts, however many queries each made; Gemini 3 by the query, at 14.
    assert charge(Usage.of({"web_search": 3}), "google/gemini-2.5-pro").amount == Decimal("0.035")
    assert charge(Usage.of({"web_search": 3}), "google/gemini-3.5-flash").amount == Decimal("0.042")
    assert charge(Usage.of({"web_search": 3}), "google/gemini-2.5-pro").flags == ("free_allowance",)


@pytest.mark.parametrize("provider", ["google", "vertex"])
def test_every_gemini_before_3_charges_its_grounded_prompts_once(provider: str) -> None:
    table, by_prompt = (
        Book.default().table(provider),
        Decimal(35),
    )  # later ones are listed with 14, by the query
    found = {
        model.id: model.facts.get("once")
        for model in table.models.values()
        for row in table.rows(model)
        if model.id.startswith("gemini") and "web_search" in row.rates
        if row.rates["web_search"].amount == by_prompt
    }
    assert len(found) > 4
    assert set(map(str, found.values())) == {"['web_search']"}


def test_groq_charges_ten_seconds_at_least() -> None:
    # 0.111 dollars an hour, which is no finite decimal a second: the rate has 18 places.
    short, long = (charge(Usage.of({"audio_seconds": n}), "groq/whisper-large-v3").amount for n in (2, 10))
    assert short == long
    assert short is not None
    assert abs(short - Decimal("0.000308333333333333")) < Decimal("1e-15")


def test_provisioned_throughput_adds_nothing_to_the_bill() -> None:
    usage = Usage.of({"input": 100_000}, terms=(("service_tier", "provisioned_throughput"),))
    cost = charge(usage, "vertex/gemini-2.5-pro")
    assert (cost.amount, cost.status, cost.computed) == (Decimal(0), "free", Decimal("0.125"))


def test_terms_of_the_call_lie_over_those_of_the_usage() -> None:
    usage = Usage.of({"input": 100_000}, terms=(("service_tier", "priority"),))
    assert charge(usage, "openai/gpt-5.4").amount == Decimal("0.5")
    assert charge(usage, "openai/gpt-5.4", service_tier="flex").amount == Decimal("0.125")


def test_a_sum_over_calls_does_not_reach_a_tier() -> None:
    summed = Usage.of({"input": 401_000}, flags=("summed_calls",))
    cost = charge(summed, "anthropic/claude-sonnet-4-5")
    assert (cost.amount, cost.flags) == (Decimal("1.203"), ("tier_unknown",))
    known = Usage.of({"input": 401_000}, context_tokens=250_000, flags=("summed_calls",))
    assert charge(known, "anthropic/claude-sonnet-4-5").amount == Decimal("2.406")


def test_the_model_of_the_usage_is_taken_where_none_is_given() -> None:
    usage = Usage.of({"input": 1000}, model="gpt-4o-2024-08-06")
    assert cost_of(usage, provider="openai", at=NOW).amount == Decimal("0.0025")


def test_modalities_take_the_text_rate_where_they_have_none() -> None:
    # Gemini 2.5 Pro lists one input price for text, image and video; audio by it is an assumption.
    image = charge(Usage.of({"input_image": 1000}), "google/gemini-2.5-pro")
    assert (image.amount, image.flags, image.lines[0].note) == (Decimal("0.00125"), (), "rate of input")
    audio = charge(Usage.of({"input_audio": 1000}), "mistral/mistral-large-2512")
    assert (audio.amount, audio.flags) == (Decimal("0.0005"), ("assumed_rate",))


def test_a_cache_without_a_rate_is_input_and_flagged() -> None:
    cost = charge(Usage.of({"cache_read": 1000}), "openai/gpt-4-turbo")
    assert (cost.amount, cost.flags) == (Decimal("0.01"), ("assumed_rate",))


def test_inclusive_counts_are_made_disjoint() -> None:
    usage = usage_from_counts(
        {
            "input_tokens": 1000,
            "cached_tokens": 400,
            "cache_write_tokens": 200,
            "output_tokens": 100,
            "reasoning_tokens": 10,
        }
    )
    assert usage.units == {"input": 400, "cache_read": 400, "cache_write": 200, "output": 90, "reasoning": 10}


@pytest.mark.parametrize(
    "counts",
    [
        {"input_tokens": 10, "cached_tokens": 11},
        {"output_tokens": 1, "reasoning_tokens": 2},
        {"input_tokens": -1},
        {"input_tokens": True},
        {"input_tokens": 1, "cache_read": 1},
        {"input": -1},
    ],
)
def test_counts_that_cannot_be_are_refused(counts: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        usage_from_counts(counts)


def test_other_currencies_stay_what_they_are() -> None:
    text = """
    [[model]]
    provider = "alibaba"
    model = "qwen-cn"
    price = [{ rates = { input = "2" }, currency = "CNY" }]
    """
    book = book_of(text)
    cost = cost_of({"input": 1000}, provider="alibaba", model="qwen-cn", at=NOW, book=book)
    assert (cost.amount, cost.currency) == (Decimal("0.002"), "CNY")


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


def test_a_stated_cost_keeps_what_is_odd_about_ours_where_there_is_one() -> None:
    prices = book_of("""
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


def test_a_stated_cost_of_nothing_counted_has_none_of_ours_beside_it() -> None:
    stated = Usage.of({}, reported_cost=Decimal("0.02"))
    cost = cost_of(stated, provider="openai", model="gpt-4o", at=NOW)
    assert (cost.amount, cost.status, cost.computed) == (Decimal("0.02"), "reported", None)
    counted = Usage.of({"input": 1_000_000}, reported_cost=Decimal("0.02"))
    assert cost_of(counted, provider="openai", model="gpt-4o", at=NOW).computed == Decimal("2.5")


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


def test_a_stated_cost_is_one_line_of_itself() -> None:
    usage = Usage.of({"input": 5}, reported_cost=Decimal("0.25"), reported_currency="EUR")
    cost = cost_of(usage, provider="acme", model="one", at=NOW, book=book_of(MONTHLY))
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
    prices = book_of("""
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
    cost = cost_of(whole, provider="acme", model="one", at=NOW, book=book_of(FLAT))
    assert [(line.unit, line.quantity) for line in cost.lines] == [
        ("input", 1_000_000),
        ("output", 1_000_000),
    ]


def test_a_sum_over_calls_is_unknown_from_the_first_step_on() -> None:
    prices = book_of(STEPS.replace("KIND", "request"))
    usage = Usage.of({"input": 2000}, flags=("summed_calls",))
    cost = cost_of(usage, provider="acme", model="one", at=NOW, book=prices)
    assert (cost.amount, cost.flags) == (Decimal("0.002"), ("tier_unknown",))  # 2000 x 1 a million


def test_a_sum_over_calls_that_comes_to_the_edge_of_a_step_which_begins_there_is_unknown_too() -> None:
    prices = book_of(
        STEPS.replace("KIND", "request").replace("tokens = 1000", "tokens = 1000, at_least = true")
    )
    usage = Usage.of({"input": 1000}, flags=("summed_calls",))
    cost = cost_of(usage, provider="acme", model="one", at=NOW, book=prices)
    assert (cost.amount, cost.flags) == (Decimal("0.001"), ("tier_unknown",))


@pytest.mark.parametrize("said", ["many", "-5", "1.5", ""])
def test_a_month_s_count_that_is_none_counts_as_nothing(said: str) -> None:
    cost = cost_of(
        {"output": 1000},
        provider="acme",
        model="one",
        at=NOW,
        book=book_of(MONTHLY),
        month_output_tokens=said,
    )
    assert cost.amount == Decimal("0.03")  # 1000 x 30 a million, none of them above the thousandth


def test_what_parts_leave_over_is_priced_to_the_last_token() -> None:
    prices = book_of("""
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
    prices = book_of("""
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
    prices = book_of("""
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


def test_a_fee_is_known_where_the_usage_is_not() -> None:
    prices = book_of("""
    [[model]]
    provider = "acme"
    model = "one"
    price = [{ rates = { input = "2", requests = "5" } }]  # a thousand calls
    """)
    cost = cost_of(Usage(reason="no usage in the stream"), provider="acme", model="one", at=NOW, book=prices)
    assert (cost.amount, cost.status) == (Decimal("0.005"), "partial")
    assert cost.reason == "only the fee of the call is known: no usage in the stream"


def test_provisioned_throughput_without_a_rate_stays_unknown() -> None:
    prices = book_of("""
    [[model]]
    provider = "azure"
    model = "only-words"
    own = true
    price = [{ rates = { input = "2" } }]
    """)
    cost = charged(prices, {"pages": 3}, "azure/only-words", service_tier="provisioned_throughput")
    assert (cost.amount, cost.status) == (None, "unpriced")


def test_parts_of_several_currencies_have_no_sum() -> None:
    prices = book_of("""
    [[model]]
    provider = "acme"
    model = "one"
    price = [{ rates = { input = "2" } }]
    [[model]]
    provider = "acme"
    model = "two"
    price = [{ rates = { input = "7" }, currency = "CNY" }]
    """)
    parts = (Usage.of({"input": 5}, model="one"), Usage.of({"input": 5}, model="two"))
    whole = Usage.of({"input": 10}, parts=parts)
    cost = cost_of(whole, provider="acme", model="one", at=NOW, book=prices)
    assert (cost.amount, cost.reason) == (None, "the parts are billed in several currencies")


def test_tokens_of_which_a_least_number_is_charged_are_no_usual_ones() -> None:
    prices = book_of("""
    [[model]]
    provider = "acme"
    model = "least"
    least = { input = 1000 }
    price = [{ rates = { input = "2", output = "4" } }]
    """)
    # 1000 x 2 + 5 x 4 a million
    assert charged(prices, {"input": 10, "output": 5}, "acme/least").amount == Decimal("0.00202")


def test_what_stands_beside_inclusive_counts_stays() -> None:
    usage = usage_from_counts({"input_tokens": 10, "output_tokens": 4, "web_search": 2})
    assert usage.units == {"input": 10, "output": 4, "web_search": 2}


def test_what_parts_leave_is_exact_in_any_decimal_context() -> None:
    part = Usage.of({"audio_seconds": Decimal("0.125")})
    whole = Usage.of({"audio_seconds": Decimal("100.25")}, parts=(part,))
    with localcontext(Context(prec=3, traps=[Inexact])):
        assert _rest(whole) == (("audio_seconds", Decimal("100.125")),)
