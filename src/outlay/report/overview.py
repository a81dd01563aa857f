"""Overview: today, the last seven days and this month, day by day, and the models that cost most."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from outlay.core.buckets import bucket, span
from outlay.core.instants import text_of as instant_text
from outlay.core.money import ZERO
from outlay.core.query import Row, zone
from outlay.report.adding import empty_row, sum_of
from outlay.report.money import ratio
from outlay.report.plain import plain
from outlay.report.reader import LedgerReader
from outlay.report.values import PriceGap, price_gaps_json

DAYS = 30  # shown one by one
WEEK = 7
_MODELS = 5
_BY = ("day", "provider", "model", "cost_status")
_NOT_PRICED = ("unpriced", "partial")


@dataclass(frozen=True, slots=True)
class Overview:
    """The figures of three periods, which are sums of the ledger's rows by day.

    ``today``, ``week`` (today and the six days before) and ``month`` (since its first day) have counts,
    ``cost``, ``avg_cost``, ``cache_hit_rate`` and ``avg_latency_ms``; ``days`` has a row for each of the last
    DAYS days, today last, without gaps; ``models`` are those that cost most this month, with ``share``.
    """

    now: datetime
    tz: str
    today: Row
    week: Row
    month: Row
    days: tuple[Row, ...]
    models: tuple[Row, ...]
    price_gaps: tuple[PriceGap, ...] = ()  # of this month or the last DAYS days, whichever is longer

    def to_dict(self) -> dict[str, Any]:
        """Give the overview as a JSON object; money is a plain decimal string."""
        return {
            "now": instant_text(self.now),
            "tz": self.tz,
            "today": plain(self.today),
            "week": plain(self.week),
            "month": plain(self.month),
            "days": plain(self.days),
            "models": plain(self.models),
            **price_gaps_json(self.price_gaps),
        }


def overview_of(reader: LedgerReader, *, tz: str = "UTC", where: Any = None) -> Overview:
    """Ask for the overview of the days up to now, in a time zone.

    Raises:
        QueryError: a filter or time zone that cannot be.
    """
    now, local = reader.now(), zone(tz)
    today = bucket("day", now, local)
    labels = [_day(today, back) for back in range(DAYS - 1, -1, -1)]
    month = bucket("month", now, local)
    since = min(span("day", labels[0], local)[0], span("month", month, local)[0])
    # One question for all of it: who types the bare command waits for the answer.
    found = reader.rows(_BY, since=since, tz=tz, where=where, metrics=("timed_calls",), detail="sums").rows
    days = _grouped(found, "day")
    this_month = [row for row in found if row["day"] >= f"{month}-01"]
    return Overview(
        now=now.astimezone(UTC),
        tz=tz,
        today=_over([row for row in found if row["day"] >= today]),
        week=_over([row for row in found if row["day"] >= labels[-WEEK]]),
        month=_over(this_month),
        days=tuple({"day": day, **_over(days.get((day,), []))} for day in labels),
        models=tuple(_models(this_month)),
        price_gaps=(*_unpriced(found), *reader.extrapolated(since=since, tz=tz, where=where)),
    )


def _grouped(rows: Iterable[Row], *names: str) -> dict[tuple[Any, ...], list[Row]]:
    groups: defaultdict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in names)].append(row)
    return dict(groups)


def _models(rows: list[Row]) -> list[Row]:
    """Give the models that cost most, each with its share of what is known."""
    whole = _over(rows)
    groups = _grouped(rows, "provider", "model")
    summed = [sum_of(within, {"provider": name, "model": model}) for (name, model), within in groups.items()]
    summed.sort(key=lambda row: (row["cost"] is None, (row["cost"] or ZERO).copy_negate(), -row["calls"]))
    return [{**row, "share": ratio(row["cost"], whole["cost"])} for row in summed[:_MODELS]]


def _unpriced(rows: Iterable[Row]) -> list[PriceGap]:
    groups = _grouped((row for row in rows if row["cost_status"] in _NOT_PRICED), "provider", "model")
    found = [
        PriceGap(
            provider,
            model,
            sum(row["calls"] for row in within),
            errors=sum(row["errors"] for row in within),
        )
        for (provider, model), within in groups.items()
    ]
    return sorted(found, key=lambda each: -each.calls)


def _over(rows: list[Row]) -> Row:
    return sum_of(rows) if rows else {**empty_row(), "timed_calls": 0}


def _day(today: str, back: int) -> str:
    return f"{datetime.fromisoformat(today) - timedelta(days=back):%Y-%m-%d}"
