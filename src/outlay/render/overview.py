"""The overview, laid out for people: three periods, thirty days as bars, the dearest models."""

from collections.abc import Iterator

from outlay.core.query import Row
from outlay.render import cells
from outlay.render.reports import PERIOD_FIGURES, owed_each, price_gap_notes
from outlay.render.sheets import Field, Sheet, View
from outlay.render.sparks import spark
from outlay.report.money import by_currency
from outlay.report.overview import WEEK, Overview

START = "outlay run PROGRAM records the calls of a program, outlay demo those of a mock provider"
HINT = "outlay --help lists the commands; outlay report --by model, outlay trend, outlay forecast say more"


def overview_view(found: Overview) -> View:
    """Lay the overview out: three periods, thirty days as bars, the dearest models."""
    periods = [
        {"period": "today", **found.today},
        {"period": f"last {WEEK} days", **found.week},
        {"period": "this month", **found.month},
    ]
    fields = (
        Field("period", "", "text"),
        *PERIOD_FIGURES,
        Field("avg_cost", "avg cost", "price", spare=4, owed=owed_each("calls")),
        Field("cache_hit_rate", "cached", "percent", spare=5),
        Field("avg_latency_ms", "avg", "ms", spare=6),
    )
    models = (
        Field("model", "model this month", "text"),
        Field("calls", "calls", spare=1),
        Field("cost", "cost", "money"),
        Field("share", "share", "share"),
    )
    any_call = any(row["calls"] for row in (*periods, *found.days))
    return View(
        (
            Sheet(fields, periods),
            Sheet(_BARS, list(_bars(found))),
            Sheet(models, found.models),
        ),
        (*price_gap_notes(found.price_gaps), HINT) if any_call else (START, HINT),
        empty=None if any_call else "no calls in the last 30 days",
    )


_BARS = (
    Field("figure", "a day", "text"),
    Field("bars", "last 30 days", "spark"),
    Field("span", "from least to most", "text", spare=1),
)


def _bars(found: Overview) -> Iterator[Row]:
    """Draw the costs, each currency by itself, for several have no common measure; and the calls."""
    for currency, costs in by_currency(found.days).items():
        known = [each for each in costs if each is not None]
        yield {
            "figure": "cost" if currency == "USD" else f"cost {currency}",
            "bars": spark([None if each is None else float(each) for each in costs]),
            "span": f"{cells.dollars(min(known), currency)} to {cells.dollars(max(known), currency)}",
        }
    calls = [row["calls"] for row in found.days]
    yield {
        "figure": "calls",
        "bars": spark([float(each) for each in calls]),
        "span": f"{min(calls):,} to {max(calls):,}",
    }
