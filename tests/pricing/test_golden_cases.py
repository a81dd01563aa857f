"""Golden cases of every way of pricing (tests/golden/prices.toml), each sum worked out there by hand."""

import tomllib
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from outlay.core.usage import Usage
from outlay.pricing import Book, cost_of
from outlay.pricing.tables import sheet_from

GOLDEN: dict[str, Any] = tomllib.loads(
    (Path(__file__).parents[1] / "golden" / "prices.toml").read_text("utf-8"), parse_float=Decimal
)
SUNDAY_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_names_are_unique() -> None:
    names = [case["name"] for case in GOLDEN["case"]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("case", GOLDEN["case"], ids=lambda case: case["name"])
def test_golden(case: dict[str, Any]) -> None:
    provider, _, model = case["model"].partition("/")
    own = GOLDEN["books"].get(case.get("book"))
    book = None if own is None else Book.of(sheet_from(own, "golden"))
    counts = {unit: n if isinstance(n, int) else Decimal(n) for unit, n in case["counts"].items()}
    cost = cost_of(
        Usage.of(counts),
        provider=provider,
        model=model,
        at=datetime.fromisoformat(case["at"]) if "at" in case else SUNDAY_NOON,
        book=book,
        **case.get("terms", {}),
    )
    assert cost.amount == Decimal(case["amount"])
    assert cost.currency == case.get("currency", "USD")
    assert (cost.status, list(cost.flags)) == ("priced", case.get("flags", []))
    for line in cost.lines:
        assert Fraction(line.amount) == Fraction(line.quantity) * Fraction(line.rate) / line.per
    assert sum(line.amount for line in cost.lines) == cost.amount
