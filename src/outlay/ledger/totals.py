"""From sums over a group of calls to the row that a report shows; the same for every ledger."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, NamedTuple

from outlay.core.money import text_of, to_ledger_places
from outlay.core.query import Row

_DIVISION = Context(prec=80)
NO_LATENCY = (None, None, None, None)


class Counts(NamedTuple):
    """What is counted over one group of calls."""

    calls: int = 0
    errors: int = 0
    known: int = 0  # calls whose cost is known
    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Sums:
    """What an engine adds up over one group."""

    counts: Counts
    costs: Mapping[str, Decimal]  # by currency, of calls whose cost is known
    latency: Sequence[float | None] = NO_LATENCY  # the mean and the three percentiles


def row_of(dimensions: Mapping[str, str | None], sums: Sums) -> Row:
    """Make one row.

    Money of several currencies is not added up: ``cost`` is then None and ``costs`` holds the sum of each.
    ``costs`` also stands beside a cost that is not in USD, so that nobody takes it for dollars.
    """
    counts = sums.counts
    cost = next(iter(sums.costs.values())) if len(sums.costs) == 1 else None
    mean, p50, p95, p99 = sums.latency
    row: dict[str, Any] = {
        **dimensions,
        "calls": counts.calls,
        "errors": counts.errors,
        "unpriced_calls": counts.calls - counts.known,
        "input_tokens": counts.input_tokens,
        "cached_tokens": counts.cached_tokens,
        "cache_write_tokens": counts.cache_write_tokens,
        "output_tokens": counts.output_tokens,
        "reasoning_tokens": counts.reasoning_tokens,
        "total_tokens": counts.input_tokens + counts.output_tokens,
        "cost": None if cost is None else plain(cost),
        "avg_cost": None if cost is None else _mean(cost, counts.known),
        "avg_latency_ms": mean,
        "p50_latency_ms": p50,
        "p95_latency_ms": p95,
        "p99_latency_ms": p99,
        "cache_hit_rate": counts.cached_tokens / counts.input_tokens if counts.input_tokens else None,
    }
    if set(sums.costs) - {"USD"}:
        row["costs"] = {currency: plain(amount) for currency, amount in sorted(sums.costs.items())}
    return row


def plain(amount: Decimal) -> Decimal:
    """Give the same amount without the zeros that a column's fixed places leave at its end."""
    return Decimal(text_of(amount))


def _mean(cost: Decimal, calls: int) -> Decimal:
    return plain(to_ledger_places(_DIVISION.divide(cost, Decimal(calls))))


def in_order(rows: Iterable[tuple[tuple[Any, ...], Row]]) -> tuple[Row, ...]:
    """Sort rows by the keys that stand beside them, ascending, missing last."""
    keyed = sorted(rows, key=lambda pair: tuple((key is None, key) for key in pair[0]))
    return tuple(row for _, row in keyed)
