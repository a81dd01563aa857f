"""The usual cost: tokens whose rates say all of it, in one go; what depends on more goes the whole way."""

from typing import Any

from outlay.core.cost import Cost, CostLine
from outlay.core.money import EXACT, ZERO
from outlay.core.twins import open_twin
from outlay.core.usage import Usage
from outlay.pricing.calculate import line_of
from outlay.pricing.card import RateCard

_OpenCost = open_twin(Cost)
_add = EXACT.add


def usual_cost(usage: Usage, card: RateCard, model: str | None) -> Cost | None:
    """Price a usage of tokens alone, each with a rate of its own; None where the cost depends on more."""
    rates, items = card.usual, usage.items
    if not items or items[-1][0] not in rates:  # counts, which have no such rate, stand behind tokens
        return None
    if card.tiers and not _is_below(usage, card.tiers[0].tokens):
        return None
    lines: list[CostLine] = []
    amount = ZERO
    for unit, quantity in items:
        rate = rates.get(unit)
        if rate is None:
            return None
        line = line_of(unit, quantity, rate, model)
        amount = _add(amount, line.amount)
        lines.append(line)
    cost: Any = _OpenCost()
    cost.amount = amount
    cost.status = "free" if card.free else "priced"
    cost.currency = card.currency
    cost.lines = tuple(lines)
    cost.price = card.price
    cost.reason = card.reason
    cost.flags = card.flags
    cost.computed = None
    cost.__class__ = Cost
    made: Cost = cost
    return made


def _is_below(usage: Usage, tokens: int) -> bool:
    """Whether a request is below a tier for sure: all of its tokens together are, not its input alone."""
    if usage.context_tokens is not None:
        return False
    return sum([quantity for _, quantity in usage.items]) < tokens
