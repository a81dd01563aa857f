"""Money that providers state: whose it is, in what unit, and when a zero is none."""

from decimal import Decimal
from typing import Any

import pytest

from outlay.core.money import LIMIT
from outlay.extract import read
from outlay.extract.stated import stated_cost


@pytest.mark.parametrize(
    ("usage", "provider", "cost"),
    [
        ({"cost_in_usd_ticks": 1721250}, "xai", "0.000172125"),
        ({"cost_in_usd_ticks": "119540000"}, "xai", "0.011954"),
        ({"cost_in_usd_ticks": 0}, "xai", "0"),
        ({"cost_in_usd_ticks": 0}, "azure", None),
        ({"cost_in_usd_ticks": 1}, "azure", "0.0000000001"),
        ({"cost_in_usd_ticks": None}, "xai", None),
        ({"cost": 0.00132315, "is_byok": False}, "openrouter", "0.00132315"),
        ({"cost": 0, "is_byok": False}, "openrouter", "0"),
        ({"cost": 0.5, "is_byok": True, "cost_details": {"upstream_inference_cost": 2}}, "openrouter", "2.5"),
        ({"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}, "openrouter", None),
        ({"cost": 0, "is_byok": True}, "openrouter", None),
        ({"cost": {"total_cost": 0.00614, "request_cost": 0.006}}, "perplexity", "0.00614"),
        ({"cost": {"input_cost": 1}}, "perplexity", None),
        ({"estimated_cost": 0.0000123}, "deepinfra", "0.0000123"),
        ({"estimated_cost": 0}, "deepinfra", None),
        ({"pydantic_ai_gateway": {"cost_estimate": 0.0000311}}, "pydantic-gateway", "0.0000311"),
        ({"prompt_tokens": 5}, "openai", None),
        ({"cost": -1}, "openrouter", None),
        ({"cost": "much"}, "openrouter", None),
        ({"cost": float("nan")}, "openrouter", None),
        ({"cost": True}, "openrouter", None),
        ({"cost": 10**30}, "openrouter", None),
        ({"cost": str(LIMIT)}, "openrouter", None),
    ],
)
def test_cost(usage: dict[str, Any], provider: str, cost: str | None) -> None:
    assert stated_cost(usage, provider)[0] == (None if cost is None else Decimal(cost))


@pytest.mark.parametrize(
    ("named", "currency"), [("eur", "EUR"), ("USD", "USD"), (None, "USD"), ("euros", "USD")]
)
def test_currency(named: str | None, currency: str) -> None:
    cost = {"total_cost": 1, "currency": named}

    assert stated_cost({"cost": cost}, "perplexity")[1] == currency


def test_an_estimate_is_marked() -> None:
    assert stated_cost({"estimated_cost": 0.1}, "deepinfra")[2] == ("estimated_cost",)
    assert stated_cost({"cost": 0.1}, "openrouter")[2] == ()


def test_a_usage_without_a_stated_cost_has_dollars_as_its_currency() -> None:
    usage = read(
        {"usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 14}},
        provider="openai",
        api="chat",
    )
    assert (usage.reported_cost, usage.reported_currency) == (None, "USD")
