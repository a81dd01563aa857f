"""Forecast: the month to date, its end with an interval, and the days that stand out with what drove them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from outlay.core.buckets import bucket, span
from outlay.core.instants import text_of as instant_text
from outlay.core.money import EXACT, ZERO, total
from outlay.core.query import Query, Row, zone
from outlay.report import series
from outlay.report.drivers import Drivers, drivers_of
from outlay.report.money import amounts
from outlay.report.plain import plain
from outlay.report.reader import LedgerReader
from outlay.report.rolled import rolled_json
from outlay.report.values import PriceGap, price_gaps_json

HISTORY = 120  # days that are looked at
WATCHED = 30  # complete days that are judged
_EXPLAINED = 3  # unusual days whose drivers are asked for
_PLACES = Decimal("0.000001")
_WIDE = Context(prec=60)


@dataclass(frozen=True, slots=True)
class Day:
    """One complete day beside what was expected of it; bounds are None where too little was known."""

    day: str
    cost: Decimal
    expected: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    stands_out: bool = False


@dataclass(frozen=True, slots=True)
class MonthEnd:
    """One currency's month: what was spent, what it will come to, and its days.

    ``forecast`` is ``to_date`` and what the rest of today and the days up to the end are expected to cost.
    ``low`` and ``high`` hold the true sum in about four of five months (docs/reports.md has the measurement);
    they are None, with a ``reason``, where too little is known.
    """

    currency: str
    to_date: Decimal
    today: Decimal  # the part of to_date that was spent today
    last_month: Decimal  # what all of the month before cost
    forecast: Decimal | None
    low: Decimal | None
    high: Decimal | None
    reason: str | None
    days: tuple[Day, ...]  # the last WATCHED complete ones


@dataclass(frozen=True, slots=True)
class Forecast:
    """The month by currency, and the unusual days with their drivers, the newest first."""

    now: datetime
    tz: str
    month: str
    days_left: int  # whole days after today
    currencies: tuple[MonthEnd, ...]
    unusual: tuple[Drivers, ...]
    query: Query  # of the days that were looked at
    price_gaps: tuple[PriceGap, ...] = ()  # of the days that were looked at
    rolled: int = 0  # calls that were pruned
    rolled_unknown: int = 0  # further ones, of which nobody knows whether they were asked for

    def to_dict(self) -> dict[str, Any]:
        """Give the forecast as a JSON object; money is a plain decimal string."""
        return {
            "now": instant_text(self.now),
            "tz": self.tz,
            "month": self.month,
            "days_left": self.days_left,
            "currencies": [
                {
                    **{name: plain(getattr(each, name)) for name in _MONTH},
                    "days": [{name: plain(getattr(day, name)) for name in _DAY} for day in each.days],
                }
                for each in self.currencies
            ],
            "unusual": [each.to_dict() for each in self.unusual],
            **price_gaps_json(self.price_gaps),
            **rolled_json(self),
        }


_MONTH = ("currency", "to_date", "today", "last_month", "forecast", "low", "high", "reason")
_DAY = ("day", "cost", "expected", "low", "high", "stands_out")


def forecast_of(
    reader: LedgerReader, *, tz: str = "UTC", where: Any = None, least: Decimal = ZERO
) -> Forecast:
    """Ask for the forecast of this month, and for the drivers of its newest unusual days.

    Days that are off by less than ``least`` (money) do not stand out.

    Raises:
        QueryError: a filter or time zone that cannot be.
    """
    now, local = reader.now(), zone(tz)
    today, month = bucket("day", now, local), bucket("month", now, local)
    before = bucket("month", span("month", month, local)[0] - timedelta(hours=1), local)
    since = min(span("month", before, local)[0], span("day", _later(today, -HISTORY), local)[0])
    found = reader.report("day", since=since, tz=tz, where=where, detail="sums")
    end = span("month", month, local)[1]
    left = (_date(bucket("day", end - timedelta(hours=1), local)) - _date(today)).days
    stand = (today, month, before, left)
    by_currency = {name: _month_end(name, costs, stand, least) for name, costs in _costs(found.rows).items()}
    unusual = sorted(
        ((day.day, each.currency) for each in by_currency.values() for day in each.days if day.stands_out),
        reverse=True,
    )[:_EXPLAINED]
    return Forecast(
        now=now.astimezone(UTC),
        tz=tz,
        month=month,
        days_left=left,
        currencies=tuple(by_currency.values()),
        unusual=tuple(
            drivers_of(reader, day, currency=currency, tz=tz, where=where) for day, currency in unusual
        ),
        price_gaps=found.price_gaps,
        rolled=found.rolled,
        rolled_unknown=found.rolled_unknown,
        query=found.query,
    )


def unusual_of(
    reader: LedgerReader, since: datetime, until: datetime, *, tz: str = "UTC", where: Any = None
) -> tuple[Drivers, ...]:
    """Ask which complete days of a period, of WATCHED days at most, stand out and why, the newest first.

    Raises:
        QueryError: a filter or time zone that cannot be.
    """
    local = zone(tz)
    first, present = bucket("day", since, local), bucket("day", min(until, reader.now()), local)
    found = reader.rows(
        "day", since=_long_before(first, local), until=until, tz=tz, where=where, detail="sums"
    )
    unusual = (
        (day.day, currency)
        for currency, costs in _costs(found.rows).items()
        for day in _judged(list(_filled(costs, present)), ZERO)
        if day.stands_out and day.day >= first
    )
    return tuple(
        drivers_of(reader, day, currency=currency, tz=tz, where=where)
        for day, currency in sorted(unusual, reverse=True)
    )


def _long_before(day: str, local: ZoneInfo) -> datetime | None:
    try:
        return span("day", _later(day, -HISTORY), local)[0]
    except OverflowError:  # before all times
        return None


def _costs(rows: Sequence[Row]) -> dict[str, dict[str, Decimal]]:
    """Give what each day cost, by currency; a currency is one that something was paid in."""
    found: dict[str, dict[str, Decimal]] = {}
    for row in rows:
        for currency, amount in amounts(row).items():
            found.setdefault(currency, {})[row["day"]] = amount
    return dict(sorted(found.items()))


Stand = tuple[str, str, str, int]  # today, this month, the month before, whole days left


def _month_end(currency: str, costs: dict[str, Decimal], stand: Stand, least: Decimal) -> MonthEnd:
    today, month, before, left = stand
    history = list(_filled(costs, today))
    values = [float(cost) for _, cost in history]
    spent = {
        name: total(cost for day, cost in costs.items() if day.startswith(name)) for name in (month, before)
    }
    so_far = costs.get(today, ZERO)
    told = series.forecast(values, left + 1)
    factors = series.interval(values, left + 1)
    settled = EXACT.subtract(spent[month], so_far)
    bounds = (
        [None, None]
        if factors is None
        else [EXACT.add(settled, max(_money(sum(told) * each), so_far)) for each in factors]
    )
    return MonthEnd(
        currency=currency,
        to_date=spent[month],
        today=so_far,
        last_month=spent[before],
        forecast=total((settled, max(_money(told[0]), so_far), _money(sum(told[1:])))) if told else None,
        low=bounds[0],
        high=bounds[1],
        reason=None if factors is not None else _too_little(len(history), left + 1),
        days=tuple(_judged(history, least)),
    )


def _too_little(days: int, ahead: int) -> str:
    """Say why there is no interval, or no forecast at all."""
    needed = series.needed(ahead)
    if not days:
        wanted = f"a forecast needs one complete day since the first cost, its interval {needed}"
        return f"{wanted}; there is none yet"
    if days < needed:
        return f"an interval needs {needed} complete days since the first cost; there are {days}"
    return "an interval needs more days with a cost"


def _filled(costs: dict[str, Decimal], today: str) -> Iterator[tuple[str, Decimal]]:
    """Give every complete day from the first one with a cost on."""
    day = min(costs)
    while day < today:
        yield day, costs.get(day, ZERO)
        day = _later(day, 1)


def _judged(history: Sequence[tuple[str, Decimal]], least: Decimal) -> Iterator[Day]:
    values = [float(cost) for _, cost in history]
    for place in range(max(0, len(history) - WATCHED), len(history)):
        day, cost = history[place]
        told = series.expected(values[:place])
        if told is None:
            yield Day(day, cost)
            continue
        value = _money(told.value)
        out = told.stands_out(values[place]) and EXACT.subtract(cost, value).copy_abs() >= least
        yield Day(day, cost, value, _money(told.low), _money(told.high), out)


def _money(estimate: float) -> Decimal:
    return _WIDE.quantize(_WIDE.create_decimal_from_float(estimate), _PLACES)


def _date(day: str) -> datetime:
    return datetime.fromisoformat(day)


def _later(day: str, days: int) -> str:
    return f"{_date(day) + timedelta(days=days):%Y-%m-%d}"
