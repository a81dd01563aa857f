"""The columns of a report's rows, each with the kind of its values."""

from collections.abc import Iterator, Sequence
from typing import Any

from outlay.core.query import METRICS, Query, Row
from outlay.report.frames import Columns, Kind

_MONEY = {"cost", "avg_cost", "error_cost", "judged_cost"}
_NUMBERS = {"cache_hit_rate", "output_tokens_per_second", "avg_quality_score", "avg_user_rating"}


def columns_of(query: Query) -> Columns:
    """Give the columns of a report in order: its dimensions, then its metrics."""
    texts: dict[str, Kind] = dict.fromkeys(query.by, "text")
    return texts | {name: _kind(name) for name in (*METRICS, *query.metrics)}


def values_of(rows: Sequence[Row], query: Query) -> Iterator[list[Any]]:
    """Give the values of each row in the order of its columns."""
    names = list(columns_of(query))
    return ([row[name] for name in names] for row in rows)


def _kind(metric: str) -> Kind:
    if metric in _MONEY:
        return "money"
    if metric == "latency_histogram":
        return "counts"
    return "number" if metric in _NUMBERS or metric.endswith("_ms") else "count"
