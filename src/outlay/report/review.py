"""Review: one week beside the one before: what it cost, what changed and why, what is dear or slow."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from outlay.core.buckets import bucket, span
from outlay.core.money import EXACT, ZERO
from outlay.core.query import Row, zone
from outlay.core.record import Record
from outlay.report.drivers import Drivers
from outlay.report.errors import Errors, errors_of
from outlay.report.forecast import unusual_of
from outlay.report.latency import Latency, call_json, latency_of
from outlay.report.money import amounts, money, sole, sole_currency
from outlay.report.plain import plain
from outlay.report.reader import LedgerReader
from outlay.report.savings import Compare, Savings, savings_of
from outlay.report.top import top_of
from outlay.report.trend import Trend, earlier, trend_of
from outlay.report.values import Report

_WORDS = ("this", "last")
_DEAREST = 5
_GROUPS = 5


@dataclass(frozen=True, slots=True)
class Review:
    """A week's letter.

    ``movers`` has a row for each provider and model of this week or the one before: ``calls``, ``cost``,
    ``calls_before``, ``cost_before`` and ``cost_change`` (in ``currency``; None where a cost is unknown or of
    another currency), the greatest change first. ``unusual`` are days of the week that stand out, with what
    drove them.
    """

    week: str  # ISO 8601, as 2026-W47
    complete: bool  # whether the week is over
    trend: Trend  # by day; its total and change are the week's
    movers: tuple[Row, ...]
    features: Report
    users: Report
    dearest: tuple[Record, ...]
    latency: Latency
    errors: Errors
    unusual: tuple[Drivers, ...]
    savings: Savings | None  # None where nobody prices calls elsewhere

    def to_dict(self) -> dict[str, Any]:
        """Give the review as a JSON object; money is a plain decimal string."""
        return {
            "week": self.week,
            "complete": self.complete,
            "trend": self.trend.to_dict(),
            "movers": plain(self.movers),
            "features": self.features.to_dict(),
            "users": self.users.to_dict(),
            "dearest": [call_json(record) for record in self.dearest],
            "latency": self.latency.to_dict(),
            "errors": self.errors.to_dict(),
            "unusual": [each.to_dict() for each in self.unusual],
            "savings": None if self.savings is None else self.savings.to_dict(),
        }


def review_of(
    reader: LedgerReader,
    week: str = "last",
    *,
    tz: str = "UTC",
    where: Any = None,
    compare: Compare | None = None,
) -> Review:
    """Ask for a week: ``this``, ``last``, or one such as ``2026-W47``.

    Raises:
        QueryError: no such week, or a filter or time zone that cannot be.
    """
    local, now = zone(tz), reader.now()
    label = _label(week, bucket("week", now, local), local)
    start, end = span("week", label, local)
    question = {"since": start, "until": end, "tz": tz, "where": where}
    trend = trend_of(reader, "day", **question)
    return Review(
        week=label,
        complete=end <= now,
        trend=trend,
        movers=tuple(_movers(reader, question)),
        features=top_of(reader, "features", limit=_GROUPS, **question),
        users=top_of(reader, "users", limit=_GROUPS, **question),
        dearest=tuple(reader.calls(_DEAREST, "cost", **question)),
        latency=latency_of(reader, "model", **question),
        errors=errors_of(reader, **question),
        unusual=unusual_of(reader, start, end, tz=tz, where=where) if trend.rows else (),
        savings=None if compare is None else savings_of(reader, compare, **question),
    )


def _label(week: str, present: str, local: Any) -> str:
    if week not in _WORDS:
        return week
    if week == "this":
        return present
    return bucket("week", span("week", present, local)[0] - timedelta(days=1), local)


def _movers(reader: LedgerReader, question: dict[str, Any]) -> Iterator[Row]:
    by = ("provider", "model")
    start, end = question["since"], question["until"]
    before = {**question, "since": earlier(start, end, question["tz"]), "until": start}
    now, then = (
        {(row["provider"], row["model"]): row for row in reader.rows(by, detail="sums", **asked).rows}
        for asked in (question, before)
    )
    rows = [_mover(key, now.get(key), then.get(key)) for key in {**now, **then}]
    yield from sorted(rows, key=_greatest_first)


def _greatest_first(row: Row) -> tuple[bool, Decimal]:
    change: Decimal = row["cost_change"] or ZERO
    return row["cost_change"] is None, change.copy_abs().copy_negate()


def _mover(key: tuple[str | None, str | None], now: Row | None, before: Row | None) -> Row:
    known = [None if row is None else amounts(row) for row in (now, before)]
    currency = sole_currency(each for each in known if each)
    nothing = {currency or "USD": ZERO}
    costs, costs_before = (nothing if each is None else each for each in known)
    cost, cost_before = sole(costs), sole(costs_before)
    same = len({*costs, *costs_before}) <= 1
    change = None if cost is None or cost_before is None or not same else EXACT.subtract(cost, cost_before)
    return {
        "provider": key[0],
        "model": key[1],
        "calls": 0 if now is None else now["calls"],
        **money(costs),
        "calls_before": 0 if before is None else before["calls"],
        **money(costs_before, "cost_before"),
        "cost_change": change,
        "currency": currency,
    }
