"""Windows of budgets: the hour, day, week or month of a zone, of 23 or 25 hours where clocks change."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from outlay.core.buckets import bucket, span
from outlay.core.query import zone

Unit = Literal["hour", "day", "week", "month"]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time: from ``start`` on, up to but without ``end``, both aware UTC."""

    label: str
    start: datetime
    end: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at < self.end


def window_of(unit: Unit, at: datetime, tz: str) -> Window:
    """Give the window that an instant falls into; days may have 23 or 25 hours, weeks start on Monday.

    Raises:
        QueryError: there is no such time zone.
    """
    here = zone(tz)
    local = at.astimezone(here)
    if unit == "hour":
        again = f" {local:%z}" if local.fold else ""  # where clocks go back an hour comes twice
        hour = bucket("hour", at.astimezone(UTC), here)
        return Window(f"{local:%Y-%m-%dT%H}h{again}", *span("hour", hour, here))
    first, last, label = _days(unit, local.date())
    return Window(label, _midnight(first, here), _midnight(last, here))


def window_before(unit: Unit, window: Window, tz: str) -> Window:
    """Give the window that ended when this one began."""
    return window_of(unit, window.start - timedelta(microseconds=1), tz)


def _days(unit: Unit, day: date) -> tuple[date, date, str]:
    """Give the first day of a window, the first one after it, and the window's name."""
    if unit == "week":
        first = day - timedelta(days=day.weekday())
        year, week, _ = day.isocalendar()
        return first, first + timedelta(days=7), f"{year:04}-W{week:02}"
    if unit == "month":
        first = day.replace(day=1)
        return first, (first + timedelta(days=31)).replace(day=1), f"{day:%Y-%m}"
    return day, day + timedelta(days=1), day.isoformat()


def _midnight(day: date, here: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=here).astimezone(UTC)
