"""Figures of recorded responses, three of each provider and API where so many are recorded, billed by hand.

tests/golden/by_hand.jsonl has what their usage says (counts and names of fields alone) and the bill that
follows from the rules of the provider and the list of the day: unit, quantity, rate, per. No figure of it was
made by the code.
"""

import json
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from outlay.core.cost import Cost
from outlay.core.usage import Usage
from outlay.extract import read
from outlay.pricing import cost_of

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "golden" / "by_hand.jsonl").read_text("utf-8").splitlines()
]
PAIRS = 78  # of provider and API in the recordings
_FEE = "requests"  # a flat fee of the call: no response counts it


def billed(case: dict[str, Any]) -> tuple[Usage, Cost]:
    body = case["events"] if "events" in case else case["response"]
    usage = read(body, provider=case["provider"], api=case["api"])
    model, at = case.get("model") or usage.model, datetime.fromisoformat(case["at"])
    return usage, cost_of(usage, provider=case["provider"], model=model, at=at)


def counted(usage: Usage) -> dict[str, Decimal]:
    """Give the units of a response; those of its parts add up to them."""
    units: defaultdict[str, Decimal] = defaultdict(Decimal)
    for part in usage.parts or (usage,):
        for unit, quantity in part.items:
            units[unit] += quantity
    return dict(units)


def known(amount: str | None) -> Decimal | None:
    return None if amount is None else Decimal(amount)


def test_every_provider_and_api_is_there() -> None:
    assert len({(case["provider"], case["api"]) for case in CASES}) == PAIRS
    assert len({case["id"] for case in CASES}) == len(CASES) == 181


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: "-".join((case["id"], case["provider"], case["api"]))
)
def test_by_hand(case: dict[str, Any]) -> None:
    usage, cost = billed(case)
    assert counted(usage) == {unit: Decimal(n) for unit, n, *_ in case["bill"] if unit != _FEE}
    assert (cost.amount, cost.status) == (known(case["cost"]), case["status"])
    if cost.status == "reported":
        assert cost.computed == known(case["computed"])
        return
    lines = {line.unit: (line.quantity, Fraction(line.rate) / line.per) for line in cost.lines}
    assert lines == {
        unit: (Decimal(n), Fraction(rate[0]) / rate[1]) for unit, n, *rate in case["bill"] if rate
    }
