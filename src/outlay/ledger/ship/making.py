"""A shipper and a courier as a home's settings want them."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from outlay.core.ports import Ledger
from outlay.journal import remove_taken
from outlay.ledger.ship.courier import Courier
from outlay.ledger.ship.offsets import Offsets, taken_by_all
from outlay.ledger.ship.shipper import Shipper
from outlay.ledger.ship.turns import Turn
from outlay.ledger.urls import open_ledger

_log = logging.getLogger("outlay")
_EMBEDDED = "ledger.duckdb"


def shipper_of(home: Path, url: str, opened: Callable[[], Ledger] | None = None) -> Shipper:
    """Make the shipper from a home's journals to the ledger of that URL."""
    return Shipper(
        home / "journal",
        Offsets(home, url),
        opened or (lambda: open_ledger(url, home=home)),
        hold=not url.lower().startswith("chdb:"),  # one process at a time has its folder open
    )


def courier_of(
    home: Path, url: str, flushed: Callable[[float], object] = lambda _: None, keep: timedelta | None = None
) -> Courier:
    """Make the courier; with ``keep`` it removes the journals that every ledger has after that time."""
    offsets = Offsets(home, url)
    return Courier(
        shipper_of(home, url),
        offsets.target,
        flushed=flushed,
        after=lambda: remove_shipped(home, offsets, keep),
    )


def shipping_first(courier: Courier, seconds: float) -> Callable[[], bool]:
    """Give what is done before a question: ship for so long at most, and say in the log what is missing.

    It gives whether nothing is.

    That is said once, and again when all had been there in the meantime: a command asks several questions.
    """
    said = False

    def ship() -> bool:
        nonlocal said
        missing = courier.catch_up(seconds)
        if missing is not None and not said:
            _log.warning("%s", missing, extra={"beside_answer": True})  # which may fail for the same reason
        said = missing is not None
        return not said

    return ship


def remove_shipped(home: Path, offsets: Offsets, keep: timedelta | None) -> list[str]:
    """Remove segments that this target, and every other that was ever shipped to, has; give their names.

    None where the home has an embedded ledger too: that one removes what it needs no more itself. None either
    while another process ships: it writes the offsets, and removes them when it has done so.
    """
    turn = Turn(offsets.lock)
    if keep is None or (home / _EMBEDDED).exists() or not turn.take():
        return []
    try:
        taken = taken_by_all(home, offsets.read().taken)
        removed = remove_taken(home / "journal", taken, datetime.now(UTC) - keep)
        offsets.forget(removed)
    finally:
        turn.give()
    return removed
