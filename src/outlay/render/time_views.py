"""Reports about time, laid out for people: trend, pattern, forecast."""

from collections.abc import Iterator
from itertools import pairwise

from outlay.core.query import Row
from outlay.render import cells
from outlay.render.reports import NO_CALLS, PERIOD_FIGURES, price_gap_notes
from outlay.render.rolled import rolled_notes
from outlay.render.sheets import Field, Sheet, View
from outlay.render.sparks import spark
from outlay.report.drivers import NAMES, Drivers
from outlay.report.forecast import Day, Forecast, MonthEnd
from outlay.report.money import amounts, by_currency
from outlay.report.pattern import Pattern
from outlay.report.trend import Trend

_NO_HOURS = "nobody knows their hours"


def trend_view(found: Trend) -> View:
    """Lay a trend out, a row a bucket, with bars of the cost in the head."""
    unknown = set(_of_unknown_change(found))
    fields = (
        Field("label", found.unit, "text"),
        *PERIOD_FIGURES,
        Field("cost_change", "change", "change", spare=2, owed=lambda row: row.get(found.unit) in unknown),
        Field("cost_change_rate", "in percent", "rate", spare=1),
        Field("calls_change_rate", "calls change", "rate", spare=4),
    )
    rows = [{**row, "label": _label(row, found.unit)} for row in found.rows]
    return View(
        (Sheet(fields, rows, found.total),),
        (
            *_in_part(found),
            *rolled_notes(found, _NO_HOURS if found.unit == "hour" else ""),
            *_against_before(found),
            *price_gap_notes(found.price_gaps),
        ),
        (_bars(found),) if len(rows) > 1 else (),
        empty=None if found.rows else NO_CALLS,
    )


def _of_unknown_change(found: Trend) -> Iterator[str]:
    """Give the times that cost more or less than the one before, nobody knows how much."""
    for before, row in pairwise(each for each in found.rows if each[found.unit] is not None):
        if any(each["calls"] and not amounts(each) for each in (before, row)):
            yield row[found.unit]


def _bars(found: Trend) -> str:
    """Draw the costs; where most are not known, or in several currencies, the calls."""
    drawn = by_currency(found.rows)
    costs = next(iter(drawn.values())) if len(drawn) == 1 else []
    if 2 * costs.count(None) < len(costs):
        return f"cost by {found.unit}  {spark([None if each is None else float(each) for each in costs])}"
    return f"calls by {found.unit}  {spark([float(row['calls']) for row in found.rows])}"


def _in_part(found: Trend) -> Iterator[str]:
    if not all(row["complete"] for row in found.rows):
        yield f"* not a whole {found.unit}"


def _label(row: Row, unit: str) -> str:
    return f"{cells.name(row[unit])}{'' if row['complete'] else ' *'}"


def _against_before(found: Trend) -> Iterator[str]:
    if found.change is None or found.before is None:
        return
    before = cells.sums(found.before["cost"], found.before.get("costs"))
    rate = found.change["cost_change_rate"]
    said = "" if rate is None else f", {rate:+.1%}"
    calls = cells.many(found.before["calls"], "call")
    yield f"the period before, as long as this one, cost {before} in {calls}{said}"


def pattern_view(found: Pattern) -> View:
    """Lay the pattern of days and weeks out."""
    figures = (
        *PERIOD_FIGURES,
        Field("share", "share of calls", "share"),
        Field("avg_latency_ms", "avg", "ms", spare=1),
    )
    bars = spark([float(row["calls"]) for row in found.hours])
    return View(
        (
            Sheet(
                (Field("hour_of_day", "hour", "text"), *figures), found.hours, title="By the hour of the day"
            ),
            Sheet((Field("weekday", "weekday", "text"), *figures), found.weekdays, title="By weekday"),
        ),
        (*rolled_notes(found, _NO_HOURS), *price_gap_notes(found.price_gaps)),
        (f"calls from 00 to 23 o'clock, {found.query.tz}  {bars}",),
        empty=None if found.total["calls"] else NO_CALLS,
    )


def forecast_view(found: Forecast) -> View:
    """Lay the month out by currency, its unusual days and what drove them."""
    fields = (
        Field("month", "month", "text"),
        Field("to_date", "to date", "price"),
        Field("forecast", "at its end", "price"),
        Field("low", "from", "price", spare=1),
        Field("high", "to", "price", spare=1),
        Field("last_month", "last month", "price", spare=2),
    )
    unusual = (
        Field("day", "unusual day", "text"),
        Field("cost", "cost", "price"),
        Field("expected", "expected", "price", spare=1),
        Field("change", "beside usual", "change"),
        Field("driver", "mostly by", "text"),
        *(Field(name, name.replace("_", " "), "change", spare=9 - at) for at, name in enumerate(NAMES)),
    )
    days = {(day.day, each.currency): day for each in found.currencies for day in each.days}
    return View(
        (
            Sheet(fields, [_month_row(each, found.month) for each in found.currencies]),
            Sheet(unusual, [_unusual_row(each, days) for each in found.unusual]),
        ),
        (*_reasons(found), *rolled_notes(found), *price_gap_notes(found.price_gaps)),
        tuple(
            f"{cells.name(each.currency)} a day  {spark([float(day.cost) for day in each.days])}"
            for each in found.currencies
            if each.days
        ),
        empty=None if found.currencies else "nothing has been spent in the last 120 days, as far as is known",
    )


def _month_row(each: MonthEnd, month: str) -> Row:
    names = ("currency", "to_date", "forecast", "low", "high", "last_month")
    return {"month": month, **{name: getattr(each, name) for name in names}}


def _unusual_row(each: Drivers, days: dict[tuple[str, str], Day]) -> Row:
    day = days.get((each.day, each.currency))
    return {
        "day": each.day,
        "currency": each.currency,
        "cost": each.cost,
        "expected": None if day is None else day.expected,
        "change": each.change,
        "driver": (each.driver or "").replace("_", " "),
        **dict(each.effects),
    }


def _reasons(found: Forecast) -> Iterator[str]:
    judged = max((sum(day.expected is not None for day in each.days) for each in found.currencies), default=0)
    if judged and not found.unusual:
        yield f"no day of the {judged} that could be judged stands out"
    yield from dict.fromkeys(each.reason for each in found.currencies if each.reason)
