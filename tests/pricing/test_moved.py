"""Prices that moved: each holds from its day, by which word is in the overlay, and the past keeps its own."""

from decimal import Decimal

import pytest

from outlay.core.instants import instant
from outlay.core.usage import Usage
from outlay.pricing import cost_of

BEFORE, AFTER = "2026-11-19T23:59:59Z", "2026-11-20T00:00:00Z"
AUTUMN = ("2026-09-05T23:59:59Z", "2026-09-06T00:00:00Z")


# One million each of fresh input and output, by the rates of litellm 1.109.1 and of 1.110.2.
@pytest.mark.parametrize(
    ("provider", "model", "days", "amounts"),
    [
        ("wandb", "deepseek-ai/DeepSeek-V3.1", (BEFORE, AFTER), ("2.20", "2.00")),  # 0.55 + 1.65, 0.50 + 1.50
        ("wandb", "zai-org/GLM-5.3", (BEFORE, AFTER), ("5.20", "3.75")),  # 1.20 + 4, 0.75 + 3
        ("deepinfra", "google/gemma-4-31B-it", (BEFORE, AFTER), ("0.51", "0.60")),  # 0.13 + 0.38, 0.20 + 0.40
        ("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo", AUTUMN, ("1.76", "2.08")),
        ("fireworks", "deepseek-v4-flash-0731", AUTUMN, ("0.42", "0.88")),  # 0.14 + 0.28, 0.22 + 0.66
        ("fireworks", "accounts/fireworks/models/deepseek-v4-flash-0731", AUTUMN, ("0.42", "0.88")),
    ],
)
def test_a_new_price_does_not_reprice_the_past(
    provider: str, model: str, days: tuple[str, str], amounts: tuple[str, str]
) -> None:
    costs = [
        cost_of({"input": 10**6, "output": 10**6}, provider=provider, model=model, at=instant(day))
        for day in days
    ]
    assert [cost.amount for cost in costs] == [Decimal(amount) for amount in amounts]
    assert {cost.status for cost in costs} == {"priced"}
    assert not any(cost.flags for cost in costs)
    assert costs[1].price is not None
    assert costs[1].price.effective_from == instant(days[1])


@pytest.mark.parametrize("at", ["2025-06-01", "2026-11-26"])
def test_what_was_a_fault_of_a_list_is_right_for_the_past_too(at: str) -> None:
    # Jais costs 3.20 and 9.71: a list had the price of a thousand tokens as that of one.
    jais = cost_of({"input": 1000, "output": 1000}, provider="azure", model="jais-30b-chat", at=instant(at))
    assert jais.amount == Decimal("0.01291")
    # Anthropic's own 0.10 for cached tokens, a twentieth of 2, where Perplexity sells the model.
    cached = cost_of(
        {"cache_read": 10**6}, provider="perplexity", model="anthropic/claude-sonnet-5-5", at=instant(at)
    )
    assert cached.amount == Decimal("0.10")


@pytest.mark.parametrize(
    ("provider", "model", "amount"),
    [
        ("azure", "Phi-3.5-MoE-instruct", "0.16"),
        ("azure", "gpt-4-32k", "60"),
        ("cerebras", "llama3.1-70b", "0.60"),
        ("together", "google/gemma-2-27b-it", "0.8"),
    ],
)
def test_a_model_that_lists_dropped_keeps_its_price(provider: str, model: str, amount: str) -> None:
    at = instant("2025-03-01T00:00:00Z")
    assert cost_of({"input": 10**6}, provider=provider, model=model, at=at).amount == Decimal(amount)


# Fable 5: 10 from anywhere, a tenth more in every geography, a fifth more in the government's regions.
@pytest.mark.parametrize(
    ("name", "amount"),
    [
        ("anthropic.claude-fable-5", "10"),
        ("global.anthropic.claude-fable-5-v1:0", "10"),
        *((f"{place}.anthropic.claude-fable-5", "11") for place in ("us", "eu", "apac", "jp", "au", "ca")),
        ("jp.anthropic.claude-fable-5-v1:0", "11"),
        ("us-gov.anthropic.claude-fable-5", "12"),
    ],
)
def test_every_geography_of_bedrock_has_its_price(name: str, amount: str) -> None:
    cost = cost_of({"input": 10**6}, provider="bedrock", model=name, at=instant("2026-11-26"))
    assert (cost.amount, cost.flags) == (Decimal(amount), ())


def test_a_place_without_a_price_is_said_aloud() -> None:
    at = instant("2026-11-26")
    cost = cost_of({"input": 10**6}, provider="bedrock", model="sa.anthropic.claude-opus-4-8", at=at)
    assert cost.flags == ("assumed_place",)
    assert cost.reason == "no rate for region sa is known; the one without a region was taken"
    asked = cost_of(
        Usage.of({"input": 10**6}), provider="bedrock", model="cohere.embed-english-v3", at=at, region="us"
    )
    assert asked.flags == ()  # one price everywhere: nothing is assumed


def test_two_government_regions_with_prices_of_their_own() -> None:
    at, model = instant("2026-11-26"), "meta.llama3-8b-instruct-v1:0"
    east, west = (
        cost_of({"output": 10**6}, provider="bedrock", model=model, at=at, region=f"us-gov-{side}-1").amount
        for side in ("east", "west")
    )
    assert (east, west) == (Decimal("2.65"), Decimal("0.60"))
