"""Query: one question to a ledger, checked; and what comes back."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from outlay.core.errors import QueryError

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
Order = Literal["time", "cost", "latency"]
Filter = tuple[str, tuple[str | None, ...]]
_TAG = re.compile(r"tag:.{1,100}", re.DOTALL)


def check_dimension(name: str) -> str:
    """Give the dimension back, if there is one of that name.

    Raises:
        QueryError: there is none; the nearest name is in the message.
    """
    if name in DIMENSIONS or _TAG.fullmatch(name):
        return name
    near = get_close_matches(name, DIMENSIONS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(DIMENSIONS)} and tag:NAME"
    raise QueryError(f"no dimension {name!r:.60}; {hint}")


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
    """
    pairs = where.items() if isinstance(where, Mapping) else (where or ())
    return tuple(sorted((check_dimension(name), _values(value)) for name, value in pairs))


def _values(value: Any) -> tuple[str | None, ...]:
    many = value if isinstance(value, list | tuple | set | frozenset) else (value,)
    return tuple(each if each is None else str(each) for each in many)


@dataclass(frozen=True, slots=True)
class Query:
    """Totals and breakdowns of the calls in a period.

    A call belongs to the period if ``since <= at < until``; buckets of time are those of ``tz``, weeks start
    on Monday. Make one with :func:`query`, which checks everything.
    """

    by: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    where: tuple[Filter, ...] = ()
    tz: str = "UTC"


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
"""One group: its dimensions, then METRICS. Money is Decimal, counts are ints, times are text."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A ledger's answer: the groups in order of their dimensions, and the total over the very same calls."""

    rows: tuple[Row, ...]
    total: Row
