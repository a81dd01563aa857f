"""Overview: today, the last seven days and this month, day by day, and the models that cost most."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from outlay.core.buckets import bucket, span
from outlay.core.instants import text_of as instant_text
from outlay.core.query import Row, zone
from outlay.report.adding import empty_row, sum_of
from outlay.report.plain import plain
from outlay.report.reader import LedgerReader
from outlay.report.shares import shares_of
from outlay.report.values import Unpriced, unpriced_json

DAYS = 30  # shown one by one
WEEK = 7
_MODELS = 5


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
    unpriced: tuple[Unpriced, ...] = ()  # of this month or the last DAYS days, whichever is longer

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
            "unpriced": unpriced_json(self.unpriced),
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
    found = reader.report("day", since=since, tz=tz, where=where, metrics=("timed_calls",))
    rows = {row["day"]: row for row in found.rows}
    models = reader.report(
        ("provider", "model"),
        since=span("month", month, local)[0],
        tz=tz,
        where=where,
        order="cost",
        limit=_MODELS,
    )
    return Overview(
        now=now.astimezone(UTC),
        tz=tz,
        today=_over([row for day, row in rows.items() if day >= today]),
        week=_over([row for day, row in rows.items() if day >= labels[-WEEK]]),
        month=_over([row for day, row in rows.items() if day[: len(month)] >= month]),
        days=tuple(rows.get(day) or {**empty_row({"day": day}), "timed_calls": 0} for day in labels),
        models=tuple(shares_of(models).rows),
        unpriced=found.unpriced,
    )


def _over(rows: list[Row]) -> Row:
    return sum_of(rows) if rows else {**empty_row(), "timed_calls": 0}


def _day(today: str, back: int) -> str:
    return f"{datetime.fromisoformat(today) - timedelta(days=back):%Y-%m-%d}"
