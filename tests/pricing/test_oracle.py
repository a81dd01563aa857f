"""genai-prices as an oracle: the same usage on every model that both price; differences have a ruling."""

import re
import warnings
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices.data import providers
from genai_prices.types import ModelInfo, Provider

from outlay.core.providers import provider_id
from outlay.pricing import cost_of

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)  # a Sunday: no peak hours

# Where we differ, why, by whose word. A pattern of ``provider/model``.
RULINGS = {
    r"deepseek/deepseek-(chat|reasoner)": "their window of 2025 is stale; the price of today is flat",
    r"deepseek/deepseek-v3\.2(-exp)?": "a reseller's figure there",
    r"x-ai/grok-(code-fast-1|3|4-0709|4(-1)?-fast-.*)": "redirected on 2026-05-15 at the successor's price",
    r"aws/.*(claude-sonnet-4|gpt-5\.[45]).*": "they list no context tier on Bedrock",
    r"(anthropic|google)/claude-(sonnet-4-0|4-sonnet)": "they list no context tier of Sonnet 4",
    r"together/meta-llama/Llama-3\.3-70B-Instruct-Turbo": "Together's page as of 2025 there",
    r"together/mistralai/Mixtral-8x7B-Instruct-v0\.1": "likewise",
    r"together/Qwen/Qwen3\.8-2\.4T-A95B": "Together's own list has 0.25 for cached tokens",
    r"novita/mistralai/mistral-nemo": "the rate of output for both there",
    r"perplexity/.*": "their request fee is that of the largest search context",
}
# … and of calls of before: what they do not date.
RULINGS_THEN = {
    r"aws/global\.openai\.gpt-5\.6-(luna|terra)": "the price of since AWS's cut for the time before it too",
    r"deepseek/deepseek-v4-pro": "the quarter price from the model's first day there",
    r"mistral/devstral-2512": "free of charge until 27 January 2026",
    r"mistral/mistral-medium-latest": "the name of another model until Medium 3 came",
}
SKIPPED = {"openai-decisions", "typesafe", "quicksilverpro"}


def theirs(
    provider: Provider,
    model: ModelInfo,
    at: datetime = AT,
    context: dict[str, str] | None = None,
    **counts: int,
) -> Decimal | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            usage = TheirUsage(**counts)
            return model.calc_price(
                usage, provider, genai_request_timestamp=at, price_context=context
            ).total_price
        except ValueError:
            return None


def named(model: str) -> str:
    """Give the id that is called: ``regional.`` is their word for every profile but the global one."""
    return model.replace("regional.", "us.", 1) if model.startswith("regional.") else model


def compared(
    input_tokens: int, cached: int, output: int, at: datetime = AT
) -> list[tuple[str, Decimal, Decimal | None, tuple[str, ...]]]:
    found = []
    for provider in providers:
        for model in provider.models:
            if provider.id in SKIPPED:
                continue
            expected = theirs(
                provider, model, at, input_tokens=input_tokens, cache_read_tokens=cached, output_tokens=output
            )
            if not expected:  # nothing per token, or nothing known
                continue
            if cached and expected == theirs(
                provider, model, at, input_tokens=input_tokens, output_tokens=output
            ):
                continue  # no rate for cached input there
            counts = {"input": input_tokens - cached, "cache_read": cached, "output": output}
            cost = cost_of(counts, provider=provider.id, model=named(model.id), at=at)
            found.append((f"{provider.id}/{model.id}", expected, cost.amount, cost.flags))
    return found


@pytest.mark.parametrize(
    ("input_tokens", "cached", "output"),
    [(1000, 0, 500), (5000, 3000, 400), (250_000, 0, 1000), (300_000, 50_000, 1000)],
)
def test_the_same_usage_costs_the_same(input_tokens: int, cached: int, output: int) -> None:
    results = compared(input_tokens, cached, output)
    unexplained = [
        (name, str(expected), str(ours))
        for name, expected, ours, flags in results
        if ours != expected
        and "assumed_rate" not in flags
        and not any(re.fullmatch(rule, name) for rule in RULINGS)
    ]
    assert len(results) > 900
    assert unexplained == []


@pytest.mark.parametrize("day", ["2025-05-01", "2025-12-15", "2026-07-01", "2026-09-09", "2026-10-25"])
def test_the_same_usage_cost_the_same_then(day: str) -> None:
    at = datetime.fromisoformat(f"{day}T12:00Z")
    unexplained = [
        (name, str(expected), str(ours))
        for name, expected, ours, flags in compared(1000, 0, 500, at)
        if ours != expected
        and "assumed_rate" not in flags
        and not any(re.fullmatch(rule, name) for rule in (*RULINGS, *RULINGS_THEN))
    ]
    assert unexplained == []


def test_every_ruling_is_needed() -> None:
    results = [*compared(5000, 3000, 400), *compared(250_000, 0, 1000)]
    differing = {name for name, expected, ours, _ in results if ours != expected}
    idle = [rule for rule in RULINGS if not any(re.fullmatch(rule, name) for name in differing)]
    assert idle == []


@pytest.mark.parametrize(
    ("context", "terms"),
    [
        ({"processing": "batch"}, {"batch": "true"}),
        ({"service_tier": "flex"}, {"service_tier": "flex"}),
        ({"service_tier": "priority"}, {"service_tier": "priority"}),
        ({"speed": "fast"}, {"speed": "fast"}),
    ],
)
@pytest.mark.parametrize("input_tokens", [1000, 250_000, 300_000])
def test_tariffs_cost_the_same(context: dict[str, str], terms: dict[str, Any], input_tokens: int) -> None:
    checked = 0
    for provider, model in ((home, model) for home in providers for model in home.models):
        variants = [each for each in model.price_variants or () if context.items() <= each.when.items()]
        if not any(each.prices.__dict__ for each in variants):
            continue
        expected = theirs(provider, model, AT, context, input_tokens=input_tokens, output_tokens=500)
        if expected:
            counts = {"input": input_tokens, "output": 500}
            cost = cost_of(counts, provider=provider.id, model=model.id, at=AT, **terms)
            assert (cost.amount, model.id) == (expected, model.id)
            checked += 1
    assert checked >= 5


def test_providers_are_known_by_their_names_for_them() -> None:
    assert provider_id("x-ai") == "xai"
    assert provider_id("aws") == "bedrock"
