"""From sums over a group of calls to the row that a report shows; the same for every ledger."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Context, Decimal
from operator import add
from typing import Any, NamedTuple

from outlay.core.money import text_of, to_ledger_places, total
from outlay.core.query import LEFT_OUT, Query, Row, Rows

_DIVISION = Context(prec=80)
NO_LATENCY = (None, None, None, None, None)


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
    latency: Sequence[float | None] = NO_LATENCY  # the mean, then the percentiles of measures.SHARES
    more: Mapping[str, Any] = field(default_factory=dict)  # further metrics
    money: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)  # further sums, by currency


class LineSums(NamedTuple):
    """What is added up over the cost lines of one group that are of one unit at one rate."""

    unit: str
    currency: str
    rate: Decimal | None
    per: int
    input_rate: Decimal | None
    lines: int
    quantity: Decimal
    amount: Decimal

    @property
    def key(self) -> tuple[Any, ...]:
        """What such rows are sorted by."""
        return self.unit, self.currency, self.rate, self.per, self.input_rate

    def as_row(self) -> Row:
        """Give the row, amounts without the zeros of fixed places."""
        return {
            name: plain(value) if isinstance(value, Decimal) else value
            for name, value in self._asdict().items()
        }


@dataclass(frozen=True, slots=True)
class Timed:
    """How many latencies are known, and their sum in milliseconds."""

    number: int = 0
    total: float = 0.0

    def __add__(self, other: "Timed") -> "Timed":
        return Timed(self.number + other.number, self.total + other.total)


@dataclass(frozen=True, slots=True)
class Rolled:
    """What daily totals add up to over one group of pruned calls."""

    counts: Counts
    costs: Mapping[str, Decimal]  # by currency, of calls whose cost is known
    timed: Timed
    known_errors: int = 0  # failed calls whose cost is known
    error_costs: Mapping[str, Decimal] = field(default_factory=dict)

    def __add__(self, other: "Rolled") -> "Rolled":
        return Rolled(
            _both(self.counts, other.counts),
            _money(self.costs, other.costs),
            self.timed + other.timed,
            self.known_errors + other.known_errors,
            _money(self.error_costs, other.error_costs),
        )


def with_rolled(sums: Sums, timed: Timed, rolled: Rolled) -> Sums:
    """Add pruned calls to the single ones of a group, whose latencies are ``timed``.

    What daily totals do not tell, as a percentile, is None from then on: of a part it would mislead.
    """
    latency = timed + rolled.timed
    mean = latency.total / latency.number if latency.number else None
    counts = rolled.counts
    kept = {
        "successful_calls": counts.calls - counts.errors,
        "timed_calls": rolled.timed.number,
        "unpriced_errors": counts.errors - rolled.known_errors,
    }
    return Sums(
        _both(sums.counts, counts),
        _money(sums.costs, rolled.costs),
        (mean, *NO_LATENCY[1:]),
        more={name: value + kept[name] if name in kept else None for name, value in sums.more.items()},
        money={
            name: _money(amounts, rolled.error_costs) if name == "error_cost" else {}
            for name, amounts in sums.money.items()
        },
    )


def _both(one: Counts, other: Counts) -> Counts:
    return Counts._make(map(add, one, other))


def _money(one: Mapping[str, Decimal], other: Mapping[str, Decimal]) -> dict[str, Decimal]:
    currencies = {*one, *other}
    return {each: total(side[each] for side in (one, other) if each in side) for each in currencies}


def row_of(dimensions: Mapping[str, str | None], sums: Sums) -> Row:
    """Make one row.

    Money of several currencies is not added up: ``cost`` is then None and ``costs`` holds the sum of each.
    ``costs`` also stands beside a cost that is not in USD, so that nobody takes it for dollars. The same
    holds for further sums of money, as ``error_cost`` with ``error_costs``.
    """
    counts = sums.counts
    cost = _single(sums.costs)
    mean, p50, _, p95, p99 = sums.latency
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
    row.update(sums.more)
    row.update(
        {name: None if (sole := _single(by)) is None else plain(sole) for name, by in sums.money.items()}
    )
    for name, amounts in {"cost": sums.costs, **sums.money}.items():
        if set(amounts) - {"USD"}:
            row[f"{name}s"] = {currency: plain(amount) for currency, amount in sorted(amounts.items())}
    return row


def _single(amounts: Mapping[str, Decimal]) -> Decimal | None:
    return next(iter(amounts.values())) if len(amounts) == 1 else None


def plain(amount: Decimal) -> Decimal:
    """Give the same amount without the zeros that a column's fixed places leave at its end."""
    return Decimal(text_of(amount))


def _mean(cost: Decimal, calls: int) -> Decimal:
    return plain(to_ledger_places(_DIVISION.divide(cost, Decimal(calls))))


def as_detailed(answer: Rows, query: Query) -> Rows:
    """Leave out what a question does not want, so that nobody takes a part of it for the whole."""
    absent = dict.fromkeys(LEFT_OUT[query.detail])
    if not absent:
        return answer
    return replace(
        answer, rows=tuple(_without(row, absent) for row in answer.rows), total=_without(answer.total, absent)
    )


def _without(row: Row, absent: Mapping[str, None]) -> Row:
    """Give the row with None for these metrics; amounts by currency go with the cost that they stand for."""
    return {
        name: absent.get(name, value)
        for name, value in row.items()
        if name != "costs" or "cost" not in absent
    }


def in_order(rows: Iterable[tuple[tuple[Any, ...], Row]]) -> tuple[Row, ...]:
    """Sort rows by the keys that stand beside them, ascending, missing last."""
    keyed = sorted(rows, key=lambda pair: tuple((key is None, key) for key in pair[0]))
    return tuple(row for _, row in keyed)
