"""Buckets of time in a zone: their labels, the instants they hold, and the zone's offsets over a period."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from outlay.core.errors import QueryError

_FORMS = {
    "hour": "2026-11-22T14:00:00+01:00",
    "day": "2026-11-22",
    "week": "2026-W47",
    "month": "2026-11",
}
_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_STEP = timedelta(days=1)  # no zone changes its offset twice within a day
_FIRST = datetime(1900, 1, 1, tzinfo=UTC)  # clocks were local before; calls are not as old
_LAST = datetime(2200, 1, 1, tzinfo=UTC)
_QUARTER = timedelta(minutes=15)  # all offsets and their changes are whole quarters of an hour


def label(unit: str, local: datetime, offset: timedelta) -> str:
    """Name the bucket of a local time, in one of the forms above.

    An hour carries the zone's offset, so that the hour that comes twice when clocks go back is two buckets.
    """
    if unit == "hour":
        hour = local.replace(minute=0, second=0, microsecond=0)
        return f"{hour:%Y-%m-%dT%H:%M:%S}{_offset_text(offset)}"
    if unit == "week":
        year, week, _ = local.isocalendar()
        return f"{year:04}-W{week:02}"
    return f"{local:%Y-%m-%d}" if unit == "day" else f"{local:%Y-%m}"


def _offset_text(offset: timedelta) -> str:
    seconds = int(offset.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
    text = f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}"
    return f"{text}:{seconds % 60:02}" if seconds % 60 else text


def bucket(unit: str, at: datetime, zone: ZoneInfo) -> str:
    """Name the bucket that an instant falls into."""
    local = at.astimezone(zone)
    return label(unit, local.replace(tzinfo=None), local.utcoffset() or timedelta())


def span(unit: str, text: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Give the instants of a bucket by its name: from the first on, up to but without the second.

    Raises:
        QueryError: that is no name of such a bucket.
    """
    try:
        return _hour(text, zone) if unit == "hour" else _days(unit, text, zone)
    except (ValueError, OverflowError):
        raise QueryError(f"{text!r:.60} is no {unit}; write it as {_FORMS[unit]}") from None


def _days(unit: str, text: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    if unit == "week" and (week := _WEEK.fullmatch(text)):
        start = datetime.fromisocalendar(int(week[1]), int(week[2]), 1)
        end = start + timedelta(days=7)
    elif unit == "month" and (month := _MONTH.fullmatch(text)):
        start = datetime(int(month[1]), int(month[2]), 1)  # noqa: DTZ001  # local; the zone comes in below
        end = (start + timedelta(days=31)).replace(day=1)
    elif unit == "day" and _DAY.fullmatch(text):
        start = datetime.fromisoformat(text)
        end = start + timedelta(days=1)
    else:
        raise ValueError(text)
    return start.replace(tzinfo=zone).astimezone(UTC), end.replace(tzinfo=zone).astimezone(UTC)


def _hour(text: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    moment = datetime.fromisoformat(text)
    if moment.minute or moment.second or moment.microsecond:
        raise ValueError(text)
    if moment.tzinfo is None:  # both hours of that name, where clocks go back
        first = moment.replace(tzinfo=zone, fold=0).astimezone(UTC)
        last = moment.replace(tzinfo=zone, fold=1).astimezone(UTC)
        return first, last + timedelta(hours=1)
    start = moment.astimezone(UTC)
    end = start + timedelta(hours=1)
    while start < end and start.astimezone(zone).utcoffset() != moment.utcoffset():
        start += _QUARTER
    while start < end and (end - _QUARTER).astimezone(zone).utcoffset() != moment.utcoffset():
        end -= _QUARTER
    return start, end


def offsets(zone: ZoneInfo, first: datetime, last: datetime) -> list[tuple[datetime, int]]:
    """Give the zone's offsets from UTC in seconds between two instants, each with the instant it begins.

    The first one holds from ever on. Whoever groups by local time needs no tables of zones of their own.
    """
    at, last = max(first, _FIRST), min(last, _LAST)
    found = [(at, _seconds(zone, at))]
    while at < last:
        later = min(at + _STEP, last)
        if _seconds(zone, later) != found[-1][1]:
            found.append(_change(zone, at, later))
        at = later
    return found


def _seconds(zone: ZoneInfo, at: datetime) -> int:
    return int((at.astimezone(zone).utcoffset() or timedelta()).total_seconds())


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> tuple[datetime, int]:
    """Find the second at which the zone's offset changes between two instants."""
    offset = _seconds(zone, after)
    low, high = int(before.timestamp()), -int(-after.timestamp() // 1)
    while high - low > 1:
        middle = (low + high) // 2
        if _seconds(zone, datetime.fromtimestamp(middle, UTC)) == offset:
            high = middle
        else:
            low = middle
    return datetime.fromtimestamp(high, UTC), offset
