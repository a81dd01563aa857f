"""Amounts in a journal's line, and costs that were stated: their one line follows from the amount."""

import re
from typing import Any

LINE = ("unit", "quantity", "rate", "per", "amount")
"""The keys of a cost's line, in order; a note and a model may follow."""
_AMOUNT = re.compile(r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{0,17}[1-9])?")
_PLACES = 2  # of a rate, at least


def is_amount(text: str) -> bool:
    """Whether an amount is written as ``core.money`` writes it, with no more digits than a ledger holds."""
    return _AMOUNT.fullmatch(text) is not None


def is_stated(data: dict[str, Any]) -> bool:
    """Whether the one line of a cost says what was stated: rate and amount are then of this call alone."""
    if data["cost_status"] != "reported" or len(data["lines"]) != 1:
        return False
    line = data["lines"][0]
    unit, quantity, rate, per, amount = map(line.get, LINE)
    return (
        tuple(line) == LINE
        and (unit, quantity, per) == ("reported", 1, 1)
        and type(quantity) is type(per) is int
        and amount == data["cost"]
        and rate == _as_rate(amount)
    )


def _as_rate(cost: str) -> str:
    places = len(cost.partition(".")[2])
    return cost if places >= _PLACES else f"{cost}{'' if places else '.'}{'0' * (_PLACES - places)}"
