"""Golden cases of extraction: small bodies of our own, and all that each says must be read of it."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from outlay.core.usage import Usage
from outlay.extract import read

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "golden" / "extract.jsonl").read_text("utf-8").splitlines()
]


def units_of(usage: Usage) -> dict[str, Decimal]:
    return {unit: Decimal(quantity) for unit, quantity in usage.items}


def expected(units: dict[str, Any]) -> dict[str, Decimal]:
    return {unit: Decimal(str(quantity)) for unit, quantity in units.items()}


def check(case: dict[str, Any]) -> None:
    """Read the body of a case, and compare everything that the case states."""
    body = case.get("response", case.get("events", case.get("sse")))
    usage = read(body, provider=case["provider"], api=case["api"])

    assert units_of(usage) == expected(case["usage"])
    assert list(usage.flags) == case.get("flags", [])
    if case.get("reason") is None:
        assert usage.reason is None
    else:
        assert usage.reason is not None
        assert case["reason"] in usage.reason
    if "totals" in case:
        assert [usage.input_tokens, usage.output_tokens] == case["totals"]
    if "reported_cost" in case:
        stated = case["reported_cost"]
        assert usage.reported_cost == (None if stated is None else Decimal(stated))
    for name in ("model", "response_id", "context_tokens"):
        if name in case:
            assert getattr(usage, name) == case[name]
    if "terms" in case:
        assert dict(usage.terms) == case["terms"]
    assert [(part.model, units_of(part)) for part in usage.parts] == [
        (part["model"], expected(part["usage"])) for part in case.get("parts", [])
    ]
