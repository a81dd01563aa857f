"""Rows added up, and the row of no calls: what can be added is, what cannot be is left unknown."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from outlay.core.query import METRICS, Row
from outlay.report.money import added, amounts, money, per, ratio

COUNTS = (
    "calls",
    "errors",
    "unpriced_calls",
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "total_tokens",
)


def empty_row(dimensions: Mapping[str, Any] | None = None) -> Row:
    """Give the row of a group without calls: it cost nothing, and its averages are unknown."""
    counts = dict.fromkeys(COUNTS, 0)
    return {**(dimensions or {}), **{name: counts.get(name) for name in METRICS}, "cost": Decimal(0)}


def sum_of(rows: Iterable[Row], dimensions: Mapping[str, Any] | None = None) -> Row:
    """Add rows of disjoint groups of calls; percentiles, which nobody can add up, are left out.

    The mean latency stands only where the rows have ``timed_calls``.
    """
    many = list(rows)
    counts = {name: sum(row[name] for row in many) for name in COUNTS}
    cost = money(
        added(amounts(row) for row in many if row["calls"]) if counts["calls"] else {"USD": Decimal(0)}
    )
    found = {**(dimensions or {}), **counts, **cost}
    found["avg_cost"] = per(found["cost"], counts["calls"] - counts["unpriced_calls"])
    found["cache_hit_rate"] = ratio(counts["cached_tokens"], counts["input_tokens"])
    if all("timed_calls" in row for row in many):
        timed = sum(row["timed_calls"] for row in many)
        whole = sum(row["avg_latency_ms"] * row["timed_calls"] for row in many if row["timed_calls"])
        found |= {"timed_calls": timed, "avg_latency_ms": whole / timed if timed else None}
    return found
