"""ClickHouse's engine in this process: one folder for all tests of the process, a database for each."""

import atexit
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import count

from tests.support.passing import made

from outlay.ledger.clickhouse import ClickHouseLedger
from outlay.ledger.clickhouse.client import Client
from outlay.ledger.clickhouse.place import Place

_numbers = count(1)


@lru_cache(maxsize=1)
def engine() -> Client:
    """Start the engine, which knows only one folder in a process, and keep it until the process ends."""
    folder = made("chdb")
    client = Client(Place(path=str(folder)))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(client.close)
    return client


@contextmanager
def a_database(**fields: str | int) -> Iterator[Place]:
    """Have a database of that engine to oneself."""
    held = engine()
    name = f"test_{next(_numbers)}"
    try:
        yield Place(path=held.place.path, database=name, **fields)  # type: ignore[arg-type]  # fields by name
    finally:
        held.run(f"DROP DATABASE IF EXISTS {name}")


@contextmanager
def an_empty_ledger() -> Iterator[ClickHouseLedger]:
    """Have one and the same ledger, emptied: making tables takes longer than what many tests do with them."""
    ledger = _reused()
    database = ledger.place.database
    for (table,) in engine().all(
        "SELECT name FROM system.tables WHERE database = ? AND name != 'outlay_schema' AND total_rows > 0",
        [database],
    ):
        engine().run(f"TRUNCATE TABLE {database}.{table}")
    yield ledger


@lru_cache(maxsize=1)
def _reused() -> ClickHouseLedger:
    ledger = ClickHouseLedger(Place(path=engine().place.path, database="reused"))
    atexit.register(ledger.close)  # before the engine is
    return ledger
