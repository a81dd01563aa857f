"""Sums over records in plain Python: what every engine's SQL must agree with."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from outlay.core.cost import CostLine
from outlay.core.money import total
from outlay.core.query import LATENCY_BOUNDS_MS, slow_limit
from outlay.core.record import Record
from outlay.core.units import split_unit
from outlay.ledger.totals import Counts, LineSums, Sums

Records = Sequence[Record]
_CACHE = "cache"


def sums_of(records: Records, metrics: Sequence[str] = ()) -> Sums:
    """Add up one group, and reckon the further metrics."""
    latencies = _known(record.latency_ms for record in records)
    return Sums(
        counts=Counts(
            calls=len(records),
            errors=sum(record.status == "error" for record in records),
            known=sum(record.cost is not None for record in records),
            input_tokens=sum(record.input_tokens for record in records),
            cached_tokens=sum(record.cached_tokens for record in records),
            cache_write_tokens=sum(record.cache_write_tokens for record in records),
            output_tokens=sum(record.output_tokens for record in records),
            reasoning_tokens=sum(record.reasoning_tokens for record in records),
        ),
        costs=_costs(records),
        latency=(_mean(latencies), *(percentile(latencies, percent) for percent in (50, 90, 95, 99))),
        more={name: _metric(name, records) for name in metrics if name not in _MONEY},
        money={name: _costs(_MONEY[name](records)) for name in metrics if name in _MONEY},
    )


def _failed(records: Records) -> list[Record]:
    return [record for record in records if record.status == "error"]


def _judged(records: Records) -> list[Record]:
    return [record for record in records if record.correct is not None]


def _unpriced(records: Records) -> int:
    return sum(record.cost is None for record in records)


def _costs(records: Iterable[Record]) -> dict[str, Decimal]:
    costs: defaultdict[str, list[Decimal]] = defaultdict(list)
    for record in records:
        if record.cost is not None:
            costs[record.currency].append(record.cost)
    return {currency: total(amounts) for currency, amounts in costs.items()}


def _known(values: Iterable[float | None]) -> list[float]:
    return sorted(value for value in values if value is not None)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _latencies(records: Records) -> list[float]:
    return _known(record.latency_ms for record in records)


def _first_tokens(records: Records) -> list[float]:
    return _known(record.time_to_first_token_ms for record in records)


def _histogram(records: Records) -> tuple[int, ...]:
    counts = [0] * (len(LATENCY_BOUNDS_MS) + 1)
    for latency in _latencies(records):
        counts[sum(bound < latency for bound in LATENCY_BOUNDS_MS)] += 1
    return tuple(counts)


def _speed(records: Records) -> float | None:
    timed = [each for each in records if each.status != "error" and each.latency_ms and each.latency_ms > 0]
    seconds = sum(each.latency_ms or 0.0 for each in timed) / 1000
    return sum(each.output_tokens for each in timed) / seconds if timed else None


_MONEY: Final[Mapping[str, Callable[[Records], Records]]] = {"error_cost": _failed, "judged_cost": _judged}
_METRICS: Final[Mapping[str, Callable[[Records], Any]]] = {
    "successful_calls": lambda records: len(records) - len(_failed(records)),
    "cached_calls": lambda records: sum(each.cached_tokens > 0 for each in records),
    "timed_calls": lambda records: len(_latencies(records)),
    "min_latency_ms": lambda records: min(_latencies(records), default=None),
    "p90_latency_ms": lambda records: percentile(_latencies(records), 90),
    "max_latency_ms": lambda records: max(_latencies(records), default=None),
    "latency_histogram": _histogram,
    "first_token_calls": lambda records: len(_first_tokens(records)),
    "avg_first_token_ms": lambda records: _mean(_first_tokens(records)),
    "p50_first_token_ms": lambda records: percentile(_first_tokens(records), 50),
    "p90_first_token_ms": lambda records: percentile(_first_tokens(records), 90),
    "p95_first_token_ms": lambda records: percentile(_first_tokens(records), 95),
    "p99_first_token_ms": lambda records: percentile(_first_tokens(records), 99),
    "output_tokens_per_second": _speed,
    "users": lambda records: len({each.user for each in records} - {None}),
    "sessions": lambda records: len({each.session for each in records} - {None}),
    "unpriced_errors": lambda records: _unpriced(_failed(records)),
    "extrapolated_calls": lambda records: sum("extrapolated" in each.charge.flags for each in records),
    "judged_calls": lambda records: len(_judged(records)),
    "correct_calls": lambda records: sum(each.correct is True for each in records),
    "unpriced_judged": lambda records: _unpriced(_judged(records)),
    "quality_scores": lambda records: len(_known(each.quality_score for each in records)),
    "avg_quality_score": lambda records: _mean(_known(each.quality_score for each in records)),
    "user_ratings": lambda records: len(_known(each.user_rating for each in records)),
    "avg_user_rating": lambda records: _mean(_known(each.user_rating for each in records)),
}


def _metric(name: str, records: Records) -> Any:
    limit = slow_limit(name)
    if limit is not None:
        return sum(latency > limit for latency in _latencies(records))
    return _METRICS[name](records)


def percentile(ascending: list[float], percent: int) -> float | None:
    """Give a percentile by linear interpolation between the two nearest values."""
    if not ascending:
        return None
    below, part = divmod(percent * (len(ascending) - 1), 100)
    low = ascending[below]
    return low + (ascending[below + 1] - low) * part / 100 if part else low


def line_sums(records: Iterable[Record]) -> list[LineSums]:
    """Add up the lines of the costs of one group by unit, currency, rate and input rate."""
    found: defaultdict[tuple[Any, ...], list[CostLine]] = defaultdict(list)
    for record in records:
        for line in record.lines if record.cost is not None else ():
            rate = None if line.unit == "reported" else line.rate
            key = (line.unit, record.currency, rate, line.per, input_rate(line, record.lines))
            found[key].append(line)
    return [
        LineSums._make(
            (
                *key,
                len(lines),
                total(Decimal(line.quantity) for line in lines),
                total(line.amount for line in lines),
            )
        )
        for key, lines in found.items()
    ]


def input_rate(line: CostLine, lines: Iterable[CostLine]) -> Decimal | None:
    """Give the least rate that the same call paid the same model for what this line had from a cache."""
    kind, modality = split_unit(line.unit)
    if not kind.startswith(_CACHE):
        return None
    fresh = "input" if modality is None else f"input_{modality}"
    return min((each.rate for each in lines if each.unit == fresh and each.model == line.model), default=None)
