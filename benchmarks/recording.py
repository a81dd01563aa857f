"""Recording calls to the journal beside one-row commits of the same fields to SQLite, by its three habits.

Then what it takes of the caller's thread to hand a record that is made to the journal.
"""

import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.timing import show, take_turns
from outlay.capture import Recorder, SystemClock
from outlay.core.codec import record_json
from outlay.core.record import Record
from outlay.journal import Journal
from outlay.pricing import cost_of

CALLS = 2000
CALL: dict[str, Any] = {
    "provider": "openai",
    "model": "gpt-4o",
    "input_tokens": 1000,
    "output_tokens": 500,
    "user": "u1",
}
COLUMNS = ("id", "at", "provider", "model", "status", "input_tokens", "output_tokens", "cost", "user")


def journal(folder: Path) -> Callable[[], float]:
    """Record, price and journal; the clock stops when all is synced to disk."""

    def run() -> float:
        kept = Journal(folder)
        recorder = Recorder(kept, clock=SystemClock(), price=cost_of)
        start = time.perf_counter()
        for _ in range(CALLS):
            recorder.record(**CALL)
        recorder.flush()
        taken = time.perf_counter() - start
        kept.close()
        return taken / CALLS * 1e6

    return run


def sqlite(folder: Path, mode: str, sync: str) -> Callable[[], float]:
    """Commit one row a call, without pricing anything."""
    file = folder / f"{mode}-{sync}.sqlite"
    with sqlite3.connect(file) as database:
        database.execute(f"PRAGMA journal_mode={mode}")
        database.execute(f"CREATE TABLE calls ({', '.join(COLUMNS)})")
    database.close()
    insert = f"INSERT INTO calls VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 - our own columns
    row = tuple(record_json(made())[name] for name in COLUMNS)

    def run() -> float:
        database = sqlite3.connect(file, isolation_level=None)
        database.execute(f"PRAGMA synchronous={sync}")
        start = time.perf_counter()
        for _ in range(CALLS):
            database.execute(insert, row)
        taken = time.perf_counter() - start
        database.close()
        return taken / CALLS * 1e6

    return run


def made() -> Record:
    """Make the record of a call, which is kept nowhere."""

    class Nowhere:
        def append(self, entry: object) -> None: ...
        def flush(self, timeout: float | None = None) -> bool:
            return True

    return Recorder(Nowhere(), clock=SystemClock(), price=cost_of).record(**CALL)


def handed(folder: Path) -> Callable[[], float]:
    """Hand over records that are made; the journal's own thread is not counted."""
    record = made()

    def run() -> float:
        kept = Journal(folder)
        start = time.thread_time()
        for _ in range(CALLS):
            kept.append(record)
        taken = time.thread_time() - start
        kept.close()
        return taken / CALLS * 1e6

    return run


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        variants = {
            "outlay: price, record, journal": journal(folder / "journal"),
            "sqlite3, as it comes": sqlite(folder, "DELETE", "FULL"),
            "sqlite3, WAL, FULL": sqlite(folder, "WAL", "FULL"),
            "sqlite3, WAL, NORMAL": sqlite(folder, "WAL", "NORMAL"),
        }
        show(
            f"Recording {CALLS:,} calls, wall clock a call",
            take_turns(variants, 7),
            "sqlite3, as it comes",
        )
        timings = take_turns({"Journal.append": handed(folder / "handed")}, 7)
    show("Handing a record over, CPU of the caller's thread", timings, "Journal.append")


if __name__ == "__main__":
    main()
