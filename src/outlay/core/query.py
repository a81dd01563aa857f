"""Query: one question to a ledger, checked; and what comes back."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from outlay.core.cost import CostStatus
from outlay.core.errors import QueryError
from outlay.core.record import Status

TIME_DIMENSIONS = ("hour", "day", "week", "month")
DIMENSIONS = (
    *TIME_DIMENSIONS,
    "provider",
    "model",
    "operation",
    "user",
    "session",
    "query_type",
    "agent",
    "action",
    "workspace",
    "status",
    "error_type",
    "currency",
    "cost_status",
)
_KNOWN = {"status": get_args(Status), "cost_status": get_args(CostStatus)}
"""All values that some dimensions may have."""
METRICS = (
    "calls",
    "errors",
    "unpriced_calls",
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "total_tokens",
    "cost",
    "avg_cost",
    "avg_latency_ms",
    "p50_latency_ms",
    "p95_latency_ms",
    "p99_latency_ms",
    "cache_hit_rate",
)
MORE_METRICS = (
    "successful_calls",
    "cached_calls",  # with input that was read from a cache
    "timed_calls",  # whose latency is known
    "min_latency_ms",
    "p90_latency_ms",
    "max_latency_ms",
    "latency_histogram",  # calls by latency: up to each of LATENCY_BOUNDS_MS, and beyond the last
    "first_token_calls",  # whose time to first token is known
    "avg_first_token_ms",
    "p50_first_token_ms",
    "p90_first_token_ms",
    "p95_first_token_ms",
    "p99_first_token_ms",
    "output_tokens_per_second",  # of timed successful calls: their output by the whole time they took
    "users",  # distinct ones that are known
    "sessions",
    "error_cost",  # the known cost of failed calls
    "unpriced_errors",
    "extrapolated_calls",  # at the first known price of their model, which is of a later day than they are
    "judged_calls",  # said to be correct or not
    "correct_calls",
    "judged_cost",  # the known cost of judged calls
    "unpriced_judged",
    "quality_scores",  # calls that have one
    "avg_quality_score",
    "user_ratings",
    "avg_user_rating",
)
"""Metrics that a row has only where a question names them, beside ``slow:MS``: calls that took longer."""

LATENCY_BOUNDS_MS = (
    *(10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1_000, 1_500, 2_000, 3_000, 5_000, 7_000),
    *(10_000, 15_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000),
)
Order = Literal["time", "cost", "latency"]
Detail = Literal["counts", "sums", "all"]
_PERCENTILES = ("p50_latency_ms", "p95_latency_ms", "p99_latency_ms")
LEFT_OUT: Mapping[Detail, tuple[str, ...]] = {
    "counts": tuple(name for name in METRICS if name not in ("calls", "errors", "unpriced_calls")),
    "sums": _PERCENTILES,
    "all": (),
}
"""Metrics that are None in every row of a question that asks for that much, in any currency.

What a question names beside them (``Query.metrics``) stands in its rows all the same.
"""
Filter = tuple[str, tuple[str | None, ...]]
_TAG = re.compile(r"tag:.{1,100}", re.DOTALL)
_SLOW = re.compile(r"slow:(\d{1,9})")


def check_dimension(name: str, others: Sequence[str] = ()) -> str:
    """Give the dimension back, if there is one of that name; ``others`` are words that are known beside them.

    Raises:
        QueryError: there is none; the nearest name is in the message.
    """
    if name in DIMENSIONS or _TAG.fullmatch(name):
        return name
    known = (*others, *DIMENSIONS)
    near = get_close_matches(name, known, n=1)
    tag = name if name.isidentifier() else "NAME"
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}; a tag is tag:{tag}"
    raise QueryError(f"no dimension {name!r:.60}; {hint}")


def check_metric(name: str) -> str:
    """Give the further metric back, if there is one of that name.

    Raises:
        QueryError: there is none; the nearest name is in the message.
    """
    if name in MORE_METRICS or _SLOW.fullmatch(name):
        return name
    near = get_close_matches(name, MORE_METRICS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(MORE_METRICS)} and slow:MS"
    raise QueryError(f"no further metric {name!r:.60}; {hint}")


def slow_limit(metric: str) -> int | None:
    """Give the milliseconds of ``slow:MS``; None for any other metric."""
    found = _SLOW.fullmatch(metric)
    return None if found is None else int(found[1])


def zone(name: str) -> ZoneInfo:
    """Give the time zone of that IANA name.

    Raises:
        QueryError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise QueryError(
            f"no time zone {name!r:.60}; write an IANA name such as Europe/Berlin or UTC"
        ) from None


def filters(where: Mapping[str, Any] | Iterable[Filter] | None) -> tuple[Filter, ...]:
    """Bring filters into their checked form: a dimension and the values that it may have.

    A value is text, None (the dimension is missing), or a list of them; other values are read as text.

    Raises:
        QueryError: there is no such dimension, or none of its calls can have that value.
    """
    pairs = where.items() if isinstance(where, Mapping) else (where or ())
    checked = [(check_dimension(name), _values(value)) for name, value in pairs]
    for name, values in checked:
        known = _KNOWN.get(name, values)
        for value in values:
            if value is not None and value not in known:
                raise QueryError(f"no {name} {value!r:.60}; there are {', '.join(known)}")
    return tuple(sorted(checked, key=_place))


def _place(wanted: Filter) -> tuple[str, tuple[tuple[bool, str], ...]]:
    """Sort by name, then by value: a dimension may have several conditions, a missing value among them."""
    name, values = wanted
    return name, tuple((value is None, value or "") for value in values)


def _values(value: Any) -> tuple[str | None, ...]:
    many = value if isinstance(value, list | tuple | set | frozenset) else (value,)
    return tuple(each if each is None else str(each) for each in many)


@dataclass(frozen=True, slots=True)
class Query:
    """Totals and breakdowns of the calls in a period.

    A call belongs to the period if ``since <= at < until``; buckets of time are those of ``tz``, weeks start
    on Monday. Nothing is checked here: :func:`check_dimension`, :func:`check_metric`, :func:`filters` and
    :func:`zone` do that, before one is made.
    """

    by: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    where: tuple[Filter, ...] = ()
    tz: str = "UTC"
    metrics: tuple[str, ...] = ()  # beyond METRICS, out of MORE_METRICS
    detail: Detail = "all"  # how much of METRICS is wanted; the less, the sooner comes the answer


@dataclass(frozen=True, slots=True)
class CallQuery:
    """Single calls in a period: newest first, or dearest, or slowest."""

    since: datetime | None = None
    until: datetime | None = None
    where: tuple[Filter, ...] = ()
    tz: str = "UTC"  # of filters on hour, day, week and month
    order: Order = "time"
    limit: int | None = 100


Row = dict[str, Any]
"""One group: its dimensions, METRICS, then what else was asked for; money is Decimal, times are text."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A ledger's answer: the groups in order of their dimensions, and the total over the very same calls.

    ``rolled`` of these calls have been pruned: they count in UTC days, their hour and session is None, and a
    row with any of them has no percentiles. Of ``rolled_unknown`` further pruned calls nobody knows whether
    they were asked for, since the filters are about what daily totals do not have; they are in no figure.
    """

    rows: tuple[Row, ...]
    total: Row
    rolled: int = 0
    rolled_unknown: int = 0  # counted by who asks, see report.rolled
    pruned_before: datetime | None = None  # where the period reaches into the time of daily totals


@dataclass(frozen=True, slots=True)
class Selected:
    """The answer to SQL of one's own."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def check_texts(query: Query | CallQuery) -> None:
    """See that an engine can be asked for it: half a surrogate pair is no text to any.

    Raises:
        QueryError: a dimension or a value is none.
    """
    by = query.by if isinstance(query, Query) else ()
    for text in (*by, *(each for name, values in query.where for each in (name, *values))):
        try:
            (text or "").encode()
        except UnicodeEncodeError:
            raise QueryError(f"{text!a:.60} is no text in UTF-8; write one that is") from None
