"""The columns of a report's rows, each with the kind of its values."""

from collections.abc import Iterator, Sequence
from typing import Any

from outlay.core.query import METRICS, Query, Row
from outlay.report.frames import Columns, Kind

_SUMS = ("cost", "error_cost", "judged_cost")  # each has a mapping beside it in a row of other money
_MONEY = {*_SUMS, "avg_cost"}
_NUMBERS = {"cache_hit_rate", "output_tokens_per_second", "avg_quality_score", "avg_user_rating"}


def columns_of(query: Query, rows: Sequence[Row]) -> Columns:
    """Give the columns of a report in order: its dimensions, its metrics, sums by currency if need be."""
    texts: dict[str, Kind] = dict.fromkeys(query.by, "text")
    sums: dict[str, Kind] = {f"{each}s": "json" for each in _SUMS if any(f"{each}s" in row for row in rows)}
    return texts | {name: _kind(name) for name in (*METRICS, *query.metrics)} | sums


def values_of(rows: Sequence[Row], query: Query) -> Iterator[list[Any]]:
    """Give the values of each row in the order of its columns."""
    names = list(columns_of(query, rows))
    return ([row.get(name) for name in names] for row in rows)


def _kind(metric: str) -> Kind:
    if metric in _MONEY:
        return "money"
    if metric == "latency_histogram":
        return "counts"
    return "number" if metric in _NUMBERS or metric.endswith("_ms") else "count"
