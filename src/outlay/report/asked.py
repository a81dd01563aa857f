"""The parts of a question as people write them, checked: dimensions, filters, a limit, an order."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from outlay.core.buckets import span
from outlay.core.errors import QueryError
from outlay.core.money import ZERO
from outlay.core.period import moment
from outlay.core.query import METRICS, Query, Row, check_dimension, zone
from outlay.report.money import amounts

Where = Mapping[str, Any] | Iterable[tuple[str, Any]] | None


def dimensions(by: str | Iterable[str]) -> tuple[str, ...]:
    """Read ``"day,model"`` or a list as checked dimensions, each once.

    Raises:
        QueryError: a dimension that does not exist.
    """
    names = by.split(",") if isinstance(by, str) else by
    return tuple(dict.fromkeys(check_dimension(name.strip()) for name in names if name.strip()))


def scope_of(question: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a question says of time alone, to ask another one of the same time."""
    return {name: value for name, value in question.items() if name in {"since", "until", "tz"}}


def since_back(span: str, question: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Give a question without a beginning one that is so long before its end, or before now.

    Raises:
        QueryError: its end or its time zone cannot be.
    """
    local = zone(question["tz"])
    end = moment(question["until"], now, local) or now
    if question["since"]:
        return dict(question)
    try:
        return {**question, "since": moment(span, min(end, now), local)}
    except QueryError:  # so long before that end there is no calendar
        return {**question, "since": question["until"]}


def conditions(where: Where) -> list[tuple[str, Any]]:
    """Give filters as a list, to which more can be added."""
    return list(where.items() if isinstance(where, Mapping) else where or ())


def check_limit(limit: int | None) -> int | None:
    """Give the limit back, if it is None or a whole number that is not negative.

    Raises:
        QueryError: it is not.
    """
    if limit is None or (type(limit) is int and limit >= 0):
        return limit
    raise QueryError(f"limit must be a whole number, 0 or more, not {limit!r:.40}")


def sort_key(order: str, query: Query) -> Callable[[Row], Any]:
    """Sort by a metric, largest first and unknown last, or by a dimension, missing last.

    Raises:
        QueryError: it is neither.
    """
    metrics = [name for name in (*METRICS, *query.metrics) if name != "latency_histogram"]
    if order == "cost":
        return _by_cost
    if order in metrics:
        return lambda row: (row[order] is None, _negative(row[order] or 0))
    if order == "hour" and order in query.by:  # its name's text would turn the hour around that comes twice
        return lambda row: (row[order] is None, row[order] and span("hour", row[order], zone(query.tz))[0])
    if order in query.by:
        return lambda row: (row[order] is None, row[order] or "")
    raise QueryError(f"no order {order!r:.60}; there are {', '.join((*query.by, *metrics))}")


def _negative(value: Decimal | float) -> Decimal | float:
    return value.copy_negate() if isinstance(value, Decimal) else -value  # -value rounds as the program says


def _by_cost(row: Row) -> tuple[bool, Decimal]:
    """Put the dearest first, the unknown last; of several currencies the dollars count, else the most."""
    known = amounts(row)
    dearest = known["USD"] if "USD" in known else max(known.values(), default=ZERO)
    return not known, dearest.copy_negate()
