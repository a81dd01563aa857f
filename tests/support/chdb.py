"""ClickHouse's engine in this process: one folder for all tests of the process, a database for each."""

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from pathlib import Path

from outlay.ledger.clickhouse.client import Client
from outlay.ledger.clickhouse.place import Place

_numbers = count(1)


@lru_cache(maxsize=1)
def engine() -> Client:
    """Start the engine, which knows only one folder in a process, and keep it until the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="outlay-chdb-"))
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
