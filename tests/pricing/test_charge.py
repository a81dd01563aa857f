"""Charging: parts, stated costs, missing usage, free models, fees and inclusive counts."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from outlay.core.cost import Cost
from outlay.core.errors import UsageError
from outlay.core.usage import Usage
from outlay.pricing import Book, cost_of, explain, usage_from_counts
from outlay.pricing.rows import USER
from outlay.pricing.tables import sheet_of

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def charge(usage: Usage, model: str, **terms: Any) -> Cost:
    provider, _, name = model.partition("/")
    return cost_of(usage, provider=provider, model=name, at=AT, **terms)


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
    assert cost_of(usage, provider="openai", at=AT).amount == Decimal("0.0025")


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
    book = Book.of(sheet_of(text, "mine.toml", USER))
    cost = cost_of({"input": 1000}, provider="alibaba", model="qwen-cn", at=AT, book=book)
    assert (cost.amount, cost.currency) == (Decimal("0.002"), "CNY")


def test_an_explanation_can_be_reckoned_on_paper() -> None:
    said = explain(charge(Usage.of({"input": 250_000, "output": 1000}), "google/gemini-2.5-pro"))
    assert said[0] == "input: 250000 x 2.50 per million = 0.625 USD (above 200000)"
    assert said[1] == "output: 1000 x 15.00 per million = 0.015 USD (above 200000)"
    assert said[2] == "total 0.64 USD (priced)"


def test_an_explanation_of_the_unknown_says_why() -> None:
    said = explain(charge(Usage.of({"input": 1}), "openai/gpt-99"))
    assert said[0] == "cost unknown (unpriced)"
    assert "gpt-99" in said[1]
