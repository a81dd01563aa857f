"""Exact percentiles of very many values: a sample says where they lie, one look at all finds them.

An engine's own percentiles over all calls gather every value in one place and pick from there, on one
thread. Here a small sample gives a stretch that almost surely holds each percentile; one look, which all
threads share, counts what lies below a stretch and keeps what lies in it. If a stretch missed, the engine's
own way is taken.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import ceil, floor, isfinite, sqrt
from typing import Any, Final

from outlay.core.query import Query
from outlay.ledger.dialect import Dialect, Statement
from outlay.ledger.measures import SHARES
from outlay.ledger.sql import chosen_calls
from outlay.ledger.stored import Asked

MANY = 500_000
"""Fewer calls than that are sorted sooner than sampled."""

_ONE_OF = 101  # so many calls is in the sample
SAMPLE: Final = f"rowid % {_ONE_OF} = 0"  # spread over all times, so that no stretch of odd days misleads
COLUMNS: Final = ("latency_ms", "time_to_first_token_ms")
"""Columns of which percentiles are asked."""

_ENOUGH = 2_000  # values of a sample from which percentiles can be told
_WIDE = 6.0  # standard deviations of a sample's rank, to either side
_MOST = 1_000_000  # values that are looked through here; where so many are alike, the engine is sooner
Stretch = tuple[float, float]
"""The least and the greatest value, both included."""


def percentiles(  # a question, how it is written, and what of it is asked
    tables: Asked, query: Query, dialect: Dialect, calls: int, column: str, shares: Sequence[float] = SHARES
) -> dict[str, Any]:
    """Give the mean and the percentiles of a column over all calls of a question, by the SQL for them.

    ``calls`` says how many those are. The percentiles are a list as the engine's own, None at those that are
    not of ``shares``. Nothing where the engine's own way has to be taken.
    """
    if dialect.sample is None or calls < _ENOUGH * _ONE_OF:
        return {}
    every = f"{column} IS NOT NULL"
    asked = Statement(f"quantile_disc({column}, [{_ends(shares, calls / _ONE_OF)}])")
    (ends,) = _one(tables, query, dialect, f"{every} AND {dialect.sample}", asked)
    if ends is None or not all(map(isfinite, ends)):
        return {}
    stretches = list(zip(ends[::2], ends[1::2], strict=True))
    count, mean, kept, *below = _one(tables, query, dialect, every, _looking(column, stretches))
    if kept is None:
        return {}
    found = dict(_found(count, kept, zip(shares, stretches, below, strict=True)))
    if len(found) < len(shares):
        return {}
    listed = [found.get(share) for share in SHARES]
    return {dialect.percentiles.format(column=column): listed, f"avg({column})": mean}


def _one(tables: Asked, query: Query, dialect: Dialect, condition: str, what: Statement) -> tuple[Any, ...]:
    chosen, _ = chosen_calls(replace(query, by=()), None, dialect, condition)
    asked = Statement("SELECT") + what + Statement("FROM (") + chosen + Statement(") AS chosen")
    return tables.all(asked.text, asked.parameters)[0]


def _looking(column: str, stretches: Sequence[Stretch]) -> Statement:
    """Ask for the count, the mean, the values in the stretches in order, and how many lie below each."""
    within = " OR ".join(f"{column} BETWEEN CAST(? AS DOUBLE) AND CAST(? AS DOUBLE)" for _ in stretches)
    kept = f"list({column}) FILTER (WHERE {within})"
    below = "".join(f", count_if({column} < CAST(? AS DOUBLE))" for _ in stretches)
    ends = [end for stretch in stretches for end in stretch]
    return Statement(
        f"count({column}), avg({column}), CASE WHEN len({kept}) <= {_MOST} THEN list_sort({kept}) END{below}",
        [*ends, *ends, *(least for least, _ in stretches)],
    )


def _ends(shares: Sequence[float], sampled: float) -> str:
    """List the ends of the stretches in which the percentiles lie, all but surely, as shares of all."""
    offs = (_WIDE * sqrt(share * (1 - share) / sampled) for share in shares)
    ends = ((share - off, share + off) for share, off in zip(shares, offs, strict=True))
    return ", ".join(f"{min(1.0, max(0.0, end)):.9f}" for pair in ends for end in pair)


def _found(
    count: int, kept: Sequence[float], wanted: Iterable[tuple[float, Stretch, int]]
) -> Iterator[tuple[float, float]]:
    """Find each percentile among the values that were kept, in order; none of a stretch that missed it."""
    for share, (least, greatest), below in wanted:
        rank = (count - 1) * share
        start = bisect_left(kept, least) - below  # where the value of rank 0 would stand
        if floor(rank) >= below and start + ceil(rank) < bisect_right(kept, greatest):
            low, high = kept[start + floor(rank)], kept[start + ceil(rank)]
            part = rank - floor(rank)
            yield share, low * (1.0 - part) + high * part if part else low
