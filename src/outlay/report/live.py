"""Live: what has come in since someone began to watch, added up call by call."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from outlay.core.money import EXACT, ZERO
from outlay.core.record import Entry, Record

MINUTES = 60  # whose calls are counted one by one
_CALLS = 200  # kept to be shown


@dataclass(slots=True)
class Sum:
    """Calls of one kind."""

    calls: int = 0
    errors: int = 0
    unpriced: int = 0
    partial: int = 0  # whose cost is known in part, and in the sum so far
    extrapolated: int = 0  # at the first known price, which is of a later day
    tokens: int = 0
    costs: dict[str, Decimal] = field(default_factory=dict)  # by currency

    def add(self, record: Record) -> None:
        """Count a call."""
        self.calls += 1
        self.errors += not record.success
        self.unpriced += record.cost is None
        self.partial += record.cost_status == "partial"
        self.extrapolated += "extrapolated" in record.charge.flags
        self.tokens += record.total_tokens
        if record.cost is not None:
            before = self.costs.get(record.currency, ZERO)
            self.costs[record.currency] = EXACT.add(before, record.cost)


@dataclass(slots=True)
class Live:
    """The calls since ``since``; amounts of several currencies are never added up."""

    since: datetime
    total: Sum = field(default_factory=Sum)
    models: dict[tuple[str, str | None], Sum] = field(default_factory=dict)
    latest: deque[Record] = field(default_factory=lambda: deque(maxlen=_CALLS))  # the last that came is last
    _minutes: dict[datetime, Sum] = field(default_factory=dict)

    def take(self, entries: Iterable[Entry]) -> int:
        """Add what came; give how many calls it were."""
        calls = [entry for entry in entries if isinstance(entry, Record)]
        for record in calls:
            minute = record.at.replace(second=0, microsecond=0)
            for each in (
                self.total,
                self.models.setdefault((record.provider, record.model), Sum()),
                self._minutes.setdefault(minute, Sum()),
            ):
                each.add(record)
            self.latest.append(record)
        self._forget()
        return len(calls)

    def minutes(self, now: datetime) -> list[tuple[datetime, Sum]]:
        """Give the last hour minute by minute, without gaps, the present minute last."""
        last = now.replace(second=0, microsecond=0)
        starts = [last - timedelta(minutes=back) for back in range(MINUTES - 1, -1, -1)]
        return [(start, self._minutes.get(start, Sum())) for start in starts]

    def dearest(self) -> list[tuple[tuple[str, str | None], Sum]]:
        """Give the models, those that cost most dollars first."""
        return sorted(self.models.items(), key=lambda each: _dearest(each[1]))

    def _forget(self) -> None:
        """Let go of minutes that nobody can ask for any more."""
        for minute in sorted(self._minutes)[: -2 * MINUTES]:
            del self._minutes[minute]


def _dearest(group: Sum) -> tuple[Decimal, int]:
    return group.costs.get("USD", ZERO).copy_negate(), -group.calls
