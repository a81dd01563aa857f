"""Periods as people write them: ``30d``, ``24h``, ``today``, ``month``, ``2026-11-01``."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from outlay.core.errors import QueryError
from outlay.core.instants import to_utc

_SPAN = re.compile(r"(\d{1,6})\s*(m|min|h|d|w)")
_LENGTH = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_HOW = "write 30d, 24h, 2w, today, yesterday, week, month, year, 2026-11, 2026-11-01 or 2026-11-01T12:00:00Z"
_MONTH = re.compile(r"(\d{4})-(\d{2})")


def moment(text: str | datetime | None, now: datetime, tz: ZoneInfo) -> datetime | None:
    """Read one end of a period as an instant; words and bare dates are local to ``tz``.

    A span counts back from ``now``; a word gives the start of today, yesterday, this week, month or year.

    Raises:
        QueryError: the text is no period.
    """
    if text is None or isinstance(text, datetime):
        return None if text is None else to_utc(text, tz)
    word = text.strip().lower()
    try:
        if span := _SPAN.fullmatch(word):
            return now - timedelta(**{_LENGTH[span[2]]: int(span[1])})
        if start := _start_of(word, now.astimezone(tz)):
            return start.astimezone(UTC)
        if month := _MONTH.fullmatch(word):
            return datetime(int(month[1]), int(month[2]), 1, tzinfo=tz).astimezone(UTC)
        return to_utc(datetime.fromisoformat(text.strip()), tz)
    except (ValueError, OverflowError):
        raise QueryError(f"{text!r:.60} is no period; {_HOW}") from None


def ends(
    since: str | datetime | None, until: str | datetime | None, now: datetime, tz: ZoneInfo
) -> tuple[datetime | None, datetime | None]:
    """Read both ends of a period as instants; a period that ends when it begins is empty.

    Raises:
        QueryError: one of them is no period, or the first comes after the last.
    """
    first, last = moment(since, now, tz), moment(until, now, tz)
    if first is not None and last is not None and first > last:
        raise QueryError(f"since {since!s:.60} comes after until {until!s:.60}")
    return first, last


def _start_of(word: str, local: datetime) -> datetime | None:
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    starts = {
        "now": local,
        "today": midnight,
        "yesterday": midnight - timedelta(days=1),
        "week": midnight - timedelta(days=midnight.weekday()),
        "month": midnight.replace(day=1),
        "year": midnight.replace(month=1, day=1),
    }
    return starts.get(word)
