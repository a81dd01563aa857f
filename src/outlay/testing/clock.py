"""A clock that moves only when told to."""

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)  # a Sunday, the last day of the ISO week 47


class FixedClock:
    """A clock that moves only when told to; a ``core.ports.Clock``."""

    def __init__(self, at: datetime = NOON) -> None:
        self._at = at
        self._seconds = 0.0

    def now(self) -> datetime:
        """Give the instant at which it stands."""
        return self._at

    def monotonic(self) -> float:
        """Give the seconds that it was moved by."""
        return self._seconds

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self._at += timedelta(seconds=seconds)
        self._seconds += seconds
