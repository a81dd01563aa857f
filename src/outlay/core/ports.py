"""The ports: what the rooms above promise each other, small enough to fake in a test."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Protocol, runtime_checkable

from outlay.core.query import CallQuery, Query, Rows
from outlay.core.record import Entry, Record, Revision


class Clock(Protocol):
    """Gives the time; handed in so that tests can stop it."""

    def now(self) -> datetime:
        """Give the current instant, aware UTC."""
        ...

    def monotonic(self) -> float:
        """Give seconds that never run backwards, for measuring how long something took."""
        ...


class Sink(Protocol):
    """Takes what was recorded; must neither wait nor raise."""

    def append(self, entry: Entry) -> None:
        """Take one entry."""
        ...

    def flush(self, timeout: float | None = None) -> bool:
        """Return when all that was appended is kept; False if that took longer than ``timeout`` seconds."""
        ...


@runtime_checkable
class Ledger(Protocol):
    """Keeps entries, each once, and answers questions about them."""

    def add(self, entries: Iterable[Entry]) -> int:
        """Keep entries whose id is new, all or none; give how many records were new.

        The same id with other content is set aside and reported by ``conflicts``, never overwritten.
        """
        ...

    def rows(self, query: Query) -> Rows:
        """Answer with one row a group; the rows add up to the total, a missing dimension is None."""
        ...

    def calls(self, query: CallQuery) -> Iterator[Record]:
        """Give single calls in the order asked for, scores and revisions applied."""
        ...

    def get(self, record_id: str) -> Record | None:
        """Give one call by its id, or by the start of it if only one matches."""
        ...

    def revisions(self, record_id: str) -> tuple[Revision, ...]:
        """Give every cost that a call has had, the recorded one first; empty if there is no such call."""
        ...

    def conflicts(self) -> int:
        """Count the entries that were set aside because their id was taken by other content."""
        ...

    def close(self) -> None:
        """Let go of files and connections; calling it twice is harmless."""
        ...
