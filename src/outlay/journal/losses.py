"""What could not be written down, counted by reason, told once, and written as soon as writing works."""

import threading
from collections import Counter
from datetime import datetime

from outlay.core.record import Loss
from outlay.journal.telling import warn


class Losses:
    """Counts of lost entries by reason: all of this process, and those that no journal tells of yet.

    Most batches find it empty, and then take no lock; what comes in that moment is told with the next one.
    """

    def __init__(self) -> None:
        # A garbage collection within may end a stream, whose entry may be lost too.
        self._lock = threading.RLock()
        self._all: Counter[str] = Counter()
        self._untold: Counter[str] = Counter()
        self._said = 0  # how many the log was told of

    def add(self, count: int, why: str) -> None:
        """Count entries as lost."""
        with self._lock:
            self._all[why] += count
            self._untold[why] += count

    @property
    def by_reason(self) -> tuple[tuple[str, int], ...]:
        """Every reason with its count, in the order of their first time."""
        with self._lock:
            return tuple(self._all.items())

    def warn_once(self) -> None:
        """Say in the log, at the first loss only, that calls are being lost."""
        if not self._all:
            return
        with self._lock:
            if self._said:
                return
            why, count = next(iter(self._all.items()))
            self._said = count
        warn("%d recorded call(s) could not be written to the journal and are lost: %s", count, why)

    def warn_of_rest(self) -> None:
        """Say in the log, at the end, how many are lost in all, if no journal and no line of it tells so."""
        with self._lock:
            lost = self._all.total()
            if not self._untold or lost == self._said:
                return
            self._said = lost
        warn("%d recorded call(s) in all could not be written to the journal and are lost", lost)

    def untold(self, at: datetime) -> list[Loss]:
        """Give what no journal tells of yet."""
        if not self._untold:
            return []
        with self._lock:
            return [Loss(at=at, count=count, why=why) for why, count in self._untold.items()]

    def told(self, losses: list[Loss]) -> None:
        """Take note that these now stand in a journal."""
        with self._lock:
            self._untold -= Counter({loss.why: loss.count for loss in losses})
