"""Further metrics: the column that SQL gives for each, and how its value is read from there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from operator import itemgetter
from typing import Any, Final

from outlay.core.query import LATENCY_BOUNDS_MS, slow_limit

MONEY: Final[Mapping[str, str]] = {"error_cost": "status = 'error'", "judged_cost": "correct IS NOT NULL"}
"""Sums of known costs, with the condition of the calls that they are of."""

JUDGED: Final = frozenset(
    (
        *("judged_calls", "correct_calls", "judged_cost", "unpriced_judged"),
        *("quality_scores", "avg_quality_score", "user_ratings", "avg_user_rating"),
    )
)
"""Metrics that depend on judgements, which may have come after their calls."""

SHARES = (0.5, 0.9, 0.95, 0.99)  # of every list of percentiles
REPORTED = (0.5, 0.95, 0.99)  # of those, the ones of METRICS
_TIMED = "FILTER (WHERE status <> 'error' AND latency_ms > 0)"


def _count(value: Any) -> int:
    return int(value or 0)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


@dataclass(frozen=True, slots=True)
class Measure:
    """One column; ``{percentiles}``, ``{histogram}``, ``{flagged}``: what engines write differently."""

    sql: str
    read: Callable[[Any], Any] = _count


def _percentile(index: int) -> Callable[[Any], float | None]:
    return lambda values: _number(itemgetter(index)(values)) if values else None


def histogram(value: Mapping[float, int] | Sequence[int] | None) -> tuple[int, ...]:
    """Give the calls of each bucket, by what the engine tells.

    That is the calls of each bucket by its bound, or the calls up to each bound, the last of which is all.
    """
    if value is None or isinstance(value, Mapping):
        return tuple(_count((value or {}).get(bound)) for bound in (*LATENCY_BOUNDS_MS, inf))
    counts = [_count(each) for each in value]
    return tuple(b - a for a, b in zip((0, *counts), counts, strict=False))


_FIRST_TOKEN = "{percentiles:time_to_first_token_ms}"  # noqa: S105  # a column's name
_MEASURES: Final[Mapping[str, Measure]] = {
    "successful_calls": Measure("count(*) FILTER (WHERE status <> 'error')"),
    "cached_calls": Measure("count(*) FILTER (WHERE cached_tokens > 0)"),
    "timed_calls": Measure("count(latency_ms)"),
    "min_latency_ms": Measure("min(latency_ms)", _number),
    "p90_latency_ms": Measure("{percentiles:latency_ms}", _percentile(1)),
    "max_latency_ms": Measure("max(latency_ms)", _number),
    "latency_histogram": Measure("{histogram:latency_ms}", histogram),
    "first_token_calls": Measure("count(time_to_first_token_ms)"),
    "avg_first_token_ms": Measure("avg(time_to_first_token_ms)", _number),
    **{
        f"p{int(share * 100)}_first_token_ms": Measure(_FIRST_TOKEN, _percentile(index))
        for index, share in enumerate(SHARES)
    },
    "output_tokens_per_second": Measure(
        f"1000.0 * sum(output_tokens) {_TIMED} / sum(latency_ms) {_TIMED}", _number
    ),
    "users": Measure('count(DISTINCT "user")'),
    "sessions": Measure("count(DISTINCT session)"),
    "unpriced_errors": Measure("count(*) FILTER (WHERE status = 'error' AND cost IS NULL)"),
    "extrapolated_calls": Measure("{flagged:extrapolated}"),
    "judged_calls": Measure("count(correct)"),
    "correct_calls": Measure("count(*) FILTER (WHERE correct)"),
    "unpriced_judged": Measure("count(*) FILTER (WHERE correct IS NOT NULL AND cost IS NULL)"),
    "quality_scores": Measure("count(quality_score)"),
    "avg_quality_score": Measure("avg(quality_score)", _number),
    "user_ratings": Measure("count(user_rating)"),
    "avg_user_rating": Measure("avg(user_rating)", _number),
}


def measure_of(metric: str) -> Measure:
    """Give the column of a metric that is no sum of money."""
    limit = slow_limit(metric)
    return _MEASURES[metric] if limit is None else Measure(f"count(*) FILTER (WHERE latency_ms > {limit})")


_APART: Final = frozenset(
    (
        *("p90_latency_ms", "avg_first_token_ms", "output_tokens_per_second", "users", "sessions"),
        *(f"p{int(share * 100)}_first_token_ms" for share in SHARES),
        *("avg_quality_score", "avg_user_rating"),
    )
)


def adds_up(metric: str) -> bool:
    """Whether the metric over all groups follows from that of each group."""
    return metric not in _APART


def added(metric: str, values: Sequence[Any]) -> Any:
    """Give the metric over all groups out of that of each, where it adds up."""
    if metric == "latency_histogram":
        return tuple(map(sum, zip(histogram(None), *values, strict=True)))
    least_or_most = {"min_latency_ms": min, "max_latency_ms": max}.get(metric)
    if least_or_most is None:
        return sum(values)
    return least_or_most((value for value in values if value is not None), default=None)


def columns(metrics: Sequence[str]) -> tuple[str, ...]:
    """Give the columns that these metrics need, each once; sums of money are left aside."""
    return tuple(dict.fromkeys(measure_of(name).sql for name in metrics if name not in MONEY))


def money_columns(metrics: Sequence[str]) -> tuple[str, ...]:
    """Give the columns of those metrics that are sums of money."""
    return tuple(map(money_column, money(metrics)))


def money_column(metric: str) -> str:
    """Give the column of a metric that is a sum of money."""
    return f"sum(cost) FILTER (WHERE {MONEY[metric]})"


def read(metrics: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """Read the metrics, sums of money left aside, from the values of their columns."""
    by_column = dict(zip(columns(metrics), values, strict=True))
    measures = {name: measure_of(name) for name in metrics if name not in MONEY}
    return {name: each.read(by_column[each.sql]) for name, each in measures.items()}


def shares_in(columns: Sequence[str], percentiles: str) -> tuple[float, ...]:
    """Say which percentiles are asked for by columns as ``sql.beside_sums`` gives them.

    The second one is the report's own, of latencies without the ninetieth; further metrics may ask for all.
    """
    return SHARES if percentiles in columns[2:] else REPORTED


def money(metrics: Sequence[str]) -> tuple[str, ...]:
    """Give those of the metrics that are sums of money, in the order of their columns."""
    return tuple(dict.fromkeys(name for name in metrics if name in MONEY))
