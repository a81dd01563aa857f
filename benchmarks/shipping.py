"""A home's journals to a ledger, as `outlay ship` does it: what the benchmarks of servers have in common."""

from collections.abc import Iterable
from pathlib import Path

from outlay.core.ports import Ledger
from outlay.core.record import Record
from outlay.journal import Journal
from outlay.ledger.ship import Offsets, Shipper


def journalled(home: Path, some: Iterable[Record]) -> None:
    """Write records as programs do."""
    journal = Journal(home / "journal")
    for n, record in enumerate(some):
        journal.append(record)
        if not n % 5_000:
            journal.flush()
    journal.close()


def shipped(home: Path, nth: int, ledger: Ledger) -> None:
    """Ship all of a home's journals to a ledger, as if nothing of them had been shipped before.

    Raises:
        RuntimeError: it does not take them, or had some of them.
    """
    url = f"postgresql://localhost/round-{nth}"
    done = Shipper(home / "journal", Offsets(home, url), lambda: ledger).run()
    if done.error or done.dead or done.new != done.entries:
        raise RuntimeError(done)
