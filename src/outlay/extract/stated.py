"""Money that a provider states in its response, and how it is meant."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from outlay.core.money import EXACT, LIMIT, ZERO
from outlay.extract.plain import number_of

_LEAST, _MOST = 1e-30, 1e17
_TICK = -10  # docs.x.ai/developers/cost-tracking: a tick is 1e-10 dollars


def stated_cost(usage: Mapping[str, Any], provider: str) -> tuple[Decimal | None, str, tuple[str, ...]]:
    """Read the cost that stands in a usage object, its currency, and flags; None when none is stated.

    Sources: docs.x.ai/developers/cost-tracking, openrouter.ai/docs/use-cases/usage-accounting.
    """
    if "cost_in_usd_ticks" in usage:
        return _ticks(usage, provider), "USD", ()
    if "cost" in usage:
        cost = usage["cost"]
        if type(cost) is not float and isinstance(cost, Mapping):
            return _money(cost.get("total_cost")), _currency(cost), ()
        return _openrouter(usage), "USD", ()
    if "estimated_cost" in usage:
        return _positive(usage["estimated_cost"]), "USD", ("estimated_cost",)
    gateway = usage.get("pydantic_ai_gateway")
    if isinstance(gateway, Mapping):
        return _positive(gateway.get("cost_estimate")), "USD", ("estimated_cost",)
    return None, "USD", ()


STATED = frozenset({"cost_in_usd_ticks", "cost", "estimated_cost", "pydantic_ai_gateway"})
"""The keys of a usage object that may hold money; without one of them there is nothing to read."""


def _ticks(usage: Mapping[str, Any], provider: str) -> Decimal | None:
    ticks = _money(usage["cost_in_usd_ticks"])
    if ticks is None or (ticks == 0 and provider != "xai"):  # a reseller bills it elsewhere, or not in ticks
        return None
    return EXACT.scaleb(ticks, _TICK)


def _openrouter(usage: Mapping[str, Any]) -> Decimal | None:
    cost = _money(usage["cost"])
    if not usage.get("is_byok"):
        return cost
    # Bring your own key: OpenRouter charges its fee, if any, and the key's owner pays the upstream.
    details = usage.get("cost_details")
    upstream = _money(details.get("upstream_inference_cost")) if isinstance(details, Mapping) else None
    return None if upstream is None else EXACT.add(upstream, cost or ZERO)


def _currency(cost: Mapping[str, Any]) -> str:
    currency = cost.get("currency")
    return currency.upper() if isinstance(currency, str) and len(currency) == 3 else "USD"  # noqa: PLR2004 - ISO 4217


def _positive(value: object) -> Decimal | None:
    return _money(value) or None


def _money(value: object) -> Decimal | None:
    if type(value) is float and _LEAST <= value < _MOST:  # most; as below, and nothing to compare exactly
        return EXACT.create_decimal(repr(value))
    amount = number_of(value)
    return amount if amount is not None and 0 <= amount < LIMIT else None
