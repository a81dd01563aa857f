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
_DAY_LONG, _MONTH_LONG = len("2026-11-22"), len("2026-11")
_STEP = timedelta(days=1)  # no zone changes its offset twice within a day
_FIRST = datetime(1900, 1, 1, tzinfo=UTC)  # clocks were local before; calls are not as old
_LAST = datetime(2200, 1, 1, tzinfo=UTC)
_ENDS = (datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
"""Of the calendar: beyond, a local time may lie in no year that there is, and days are those of UTC."""
_NEVER = datetime.max.replace(tzinfo=UTC)
_HOUR = timedelta(hours=1)
_MONTHS, _LONGEST = 12, 31
_QUARTER = timedelta(minutes=15)  # all offsets and their changes are whole quarters of an hour


def label(unit: str, local: datetime, offset: timedelta) -> str:
    """Name the bucket of a local time, in one of the forms above.

    An hour carries the zone's offset, so that the hour that comes twice when clocks go back is two buckets.
    """
    if unit == "hour":
        hour = local.replace(minute=0, second=0, microsecond=0)
        return f"{hour.isoformat()}{_offset_text(offset)}"
    if unit == "week":
        year, week, _ = local.isocalendar()
        return f"{year:04}-W{week:02}"
    return local.isoformat()[: _DAY_LONG if unit == "day" else _MONTH_LONG]


def _offset_text(offset: timedelta) -> str:
    seconds = int(offset.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
    text = f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}"
    return f"{text}:{seconds % 60:02}" if seconds % 60 else text


def bucket(unit: str, at: datetime, zone: ZoneInfo) -> str:
    """Name the bucket that an instant falls into."""
    offset = timedelta(seconds=_seconds(zone, at))
    return label(unit, (at + offset).replace(tzinfo=None), offset)


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
        start, days = datetime.fromisocalendar(int(week[1]), int(week[2]), 1), 7
    elif unit == "month" and (month := _MONTH.fullmatch(text)):
        start = datetime(int(month[1]), int(month[2]), 1)  # noqa: DTZ001  # local; the zone comes in below
        last_one = start.month == _MONTHS
        days = _LONGEST if last_one else (start.replace(month=start.month + 1) - start).days
    elif unit == "day" and _DAY.fullmatch(text):
        start, days = datetime.fromisoformat(text), 1
    else:
        raise ValueError(text)
    try:
        end = _instant(start + timedelta(days=days), zone)
    except OverflowError:  # the last one that there is
        end = _NEVER
    return _instant(start, zone), end


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Give the instant of a local time without a zone, by the offsets of :func:`_seconds`."""
    as_if = local.replace(tzinfo=UTC)
    if _FIRST <= as_if < _LAST:
        return local.replace(tzinfo=zone).astimezone(UTC)
    offset = timedelta(seconds=_seconds(zone, as_if))
    return max(as_if - offset, _ENDS[0]) if offset else as_if


def hour_begins(local: datetime, offset: timedelta, zone: ZoneInfo) -> datetime:
    """Give the instant at which a local hour begins: behind its name where clocks change within it."""
    named = local.replace(tzinfo=UTC) - offset
    quarters = (named + part * _QUARTER for part in range(_HOUR // _QUARTER))
    return next((each for each in quarters if _seconds(zone, each) == offset.total_seconds()), named)


def _hour(text: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    moment = datetime.fromisoformat(text)
    if moment.minute or moment.second or moment.microsecond:
        raise ValueError(text)
    if moment.tzinfo is None:  # both hours of that name, where clocks go back
        first = moment.replace(tzinfo=zone, fold=0).astimezone(UTC)
        last = moment.replace(tzinfo=zone, fold=1).astimezone(UTC)
        return first, last + _HOUR
    named, offset = moment.astimezone(UTC), moment.utcoffset() or timedelta()
    end = _NEVER if _NEVER - named < _HOUR else named + _HOUR
    start = hour_begins(moment.replace(tzinfo=None), offset, zone)
    while start < end and _seconds(zone, end - _QUARTER) != offset.total_seconds():
        end -= _QUARTER
    return start, end


def offsets(zone: ZoneInfo, first: datetime, last: datetime) -> list[tuple[datetime, int]]:
    """Give the zone's offsets from UTC in seconds between two instants, each with the instant it begins.

    The first one holds from ever on. Whoever groups by local time needs no tables of zones of their own.
    """
    at, end = max(first, _FIRST), min(last, _LAST)
    found = [(at, _seconds(zone, at))]
    while at < end:
        later = min(at + _STEP, end)
        if _seconds(zone, later) != found[-1][1]:
            found.append(_change(zone, at, later))
        at = later
    if first < _ENDS[0]:
        found[:1] = [(first, 0), (_ENDS[0], found[0][1])]
    return [*found, (_ENDS[1], 0)] if last >= _ENDS[1] > found[-1][0] else found


def _seconds(zone: ZoneInfo, at: datetime) -> int:
    """Give the offset at an instant; beyond the years in which zones are known, that of the nearest one."""
    if not _ENDS[0] <= at < _ENDS[1]:
        return 0
    known = min(max(at, _FIRST), _LAST)
    return int((known.astimezone(zone).utcoffset() or timedelta()).total_seconds())


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
