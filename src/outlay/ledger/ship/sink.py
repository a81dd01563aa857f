"""Where a process with a server's ledger records: into its journal, with a courier behind it."""

from outlay.core.ports import Pending, Sink, hand_on
from outlay.core.record import Entry
from outlay.ledger.ship.courier import Courier


class ShippedSink:
    """Appends to a journal, and has a courier ship what stands there; a ``core.ports.Sink``."""

    def __init__(self, journal: Sink, courier: Courier) -> None:
        self._journal = journal
        self._courier = courier

    def append(self, entry: Entry) -> None:
        """Take one entry; never waits, never raises."""
        self._journal.append(entry)
        self._go()

    def defer(self, pending: Pending) -> None:
        """Take what will be an entry; likewise."""
        hand_on(pending, self._journal)
        self._go()

    def _go(self) -> None:
        if not self._courier.running:  # at the first entry, and at the first one in a forked child
            self._courier.start()

    def flush(self, timeout: float | None = None) -> bool:
        """Return when all that was appended is in the journal on disk; shipping goes on behind it."""
        return self._journal.flush(timeout)
