"""A ledger that fails when it is told to: before it keeps entries, after that, or for some of them always."""

from collections.abc import Callable, Iterable

from outlay.core.errors import LedgerError, RefusedEntryError
from outlay.core.record import Entry, Record
from outlay.ledger import MemoryLedger


class FaultyLedger(MemoryLedger):
    """Keeps entries as a ledger in memory does, but for the faults in ``faults``, one an ``add``."""

    def __init__(self, refuses: Callable[[Entry], bool] = lambda _: False) -> None:
        super().__init__()
        self.faults: list[str | None] = []
        self.refuses = refuses
        self.batches: list[int] = []
        self.closed = 0
        self.named = True  # whether it says that an entry is refused, or only that something failed

    def add(self, entries: Iterable[Entry]) -> int:
        """Keep entries, or fail."""
        given = list(entries)
        fault = self.faults.pop(0) if self.faults else None
        if fault == "before":
            raise LedgerError("server closed the connection unexpectedly")
        if any(self.refuses(entry) for entry in given):
            raise (RefusedEntryError if self.named else LedgerError)("a value is out of range")
        self.batches.append(len(given))
        new = super().add(given)
        if fault == "after":
            raise LedgerError("the answer to COMMIT got lost")
        if fault == "kill":
            raise SystemExit
        return new

    def close(self) -> None:
        """Count."""
        self.closed += 1


def of_user(name: str) -> Callable[[Entry], bool]:
    """Say of an entry whether it is a call of this user."""
    return lambda entry: isinstance(entry, Record) and entry.user == name
