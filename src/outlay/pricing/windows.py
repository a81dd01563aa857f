"""Windows: the hours of the day, in UTC, in which a price holds; on weekdays, and not on holidays."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from outlay.core.errors import PriceBookError

_DAYS = frozenset(range(1, 8))
_KEYS = frozenset({"from", "to", "days", "except"})


@dataclass(frozen=True, slots=True)
class Window:
    """Hours ``start <= t < end`` in UTC, over midnight where end is not after start; equal ends mean all day.

    ``days`` are ISO weekdays (1 is Monday) of the UTC date on which the window's hours lie;
    ``closed`` are UTC dates on which it never holds.
    """

    start: time
    end: time
    days: frozenset[int] = _DAYS
    closed: frozenset[date] = frozenset()

    def holds(self, at: datetime) -> bool:
        """Whether an instant, aware UTC, lies in the window."""
        clock = at.time()
        if self.start < self.end:
            inside = self.start <= clock < self.end
        else:
            inside = clock >= self.start or clock < self.end
        return inside and at.isoweekday() in self.days and at.date() not in self.closed


def read_window(data: Mapping[str, Any], where: str) -> Window:
    """Read a window from ``{from, to, days, except}``; hours are ``"HH:MM"`` in UTC.

    Raises:
        PriceBookError: an hour, weekday or key that does not exist; ``where`` says in which row.
    """
    if unknown := sorted(set(data) - _KEYS):
        raise PriceBookError(
            f"{where}: a window has no key {unknown[0]!r}; it has {', '.join(sorted(_KEYS))}"
        )
    given = data.get("days", _DAYS)
    days = list(given) if isinstance(given, (list, frozenset)) else [given]
    if not days or any(type(day) is not int or day not in _DAYS for day in days):
        raise PriceBookError(f"{where}: days are 1 (Monday) to 7, not {sorted(days, key=str)}")
    return Window(
        start=_hour(data.get("from"), where),
        end=_hour(data.get("to"), where),
        days=frozenset(days),
        closed=frozenset(_date(day, where) for day in _listed(data.get("except", ()))),
    )


def _listed(value: object) -> Iterable[object]:
    return value if isinstance(value, (list, tuple)) else (value,)


def _hour(text: object, where: str) -> time:
    try:
        hour = text if isinstance(text, time) else time.fromisoformat(str(text))
    except ValueError:
        raise PriceBookError(f"{where}: {text!r} is no hour of the day; write 16:30") from None
    if hour.utcoffset():
        raise PriceBookError(f"{where}: {text!r} is of another zone; write the hour in UTC, as 16:30")
    return hour.replace(tzinfo=None)  # "16:30Z" says no more than that


def _date(day: object, where: str) -> date:
    if isinstance(day, date) and not isinstance(day, datetime):  # which equals no date, and would never hold
        return day
    try:
        return date.fromisoformat(str(day))
    except ValueError:
        raise PriceBookError(f"{where}: {day!r} is no date; write 2026-10-01") from None
