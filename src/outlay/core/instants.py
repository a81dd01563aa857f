"""Instants: aware UTC datetimes, and their one way to and from text."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from outlay.core.errors import QueryError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY = _EPOCH.toordinal()


class _Here(tzinfo):
    """This machine's zone: how far its clocks are ahead at the time in question, not now."""

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        return None if dt is None else dt.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, dt: datetime | None) -> None:  # noqa: ARG002 - the class's signature
        return None

    def tzname(self, dt: datetime | None) -> None:  # noqa: ARG002 - the class's signature
        return None


HERE = _Here()


def to_utc(moment: datetime, naive: tzinfo = UTC) -> datetime:
    """Give the same instant in UTC; a datetime without a zone is read in ``naive``."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=naive)
    return aware if aware.tzinfo is UTC else aware.astimezone(UTC)


def instant(value: datetime | str | float, naive: tzinfo = UTC) -> datetime:
    """Read an instant from a datetime, ISO 8601 text (a date alone too), or Unix seconds.

    Raises:
        QueryError: the text is no date or time.
    """
    try:
        if isinstance(value, str):
            return to_utc(datetime.fromisoformat(value.strip()), naive)
        if isinstance(value, datetime):
            return to_utc(value, naive)
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError, TypeError):
        raise QueryError(f"{value!r:.60} is no time; write 2026-11-01 or 2026-11-01T12:00:00Z") from None


def text_of(moment: datetime) -> str:
    """Write an instant as ISO 8601 in UTC with microseconds and ``Z``, so that text sorts as time does."""
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    return f"{_second(since.days, since.seconds)}{since.microseconds:06d}Z"


@lru_cache(maxsize=256)
def _second(days: int, seconds: int) -> str:
    """Write a second: many calls begin in the same one, and writing it takes longer than looking it up."""
    # No timedelta is made: on Python 3.13 that is a crash while the interpreter is torn down.
    day = date.fromordinal(_FIRST_DAY + days)
    return f"{day.isoformat()}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}."


def midnight(moment: datetime) -> datetime:
    """Give the start of an instant's day in UTC."""
    return to_utc(moment).replace(hour=0, minute=0, second=0, microsecond=0)
