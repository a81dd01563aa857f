"""PostgreSQL beside its own COPY: how fast calls are kept, what a call takes on disk, how long reports take.

``python -m benchmarks.postgresql [CALLS]``; the server comes out of a wheel, with its settings as they are
but for more shared memory, and syncs to disk.
"""

import gc
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Json
from rich.console import Console
from rich.table import Table
from tests.support.postgres import private

from benchmarks.shipping import journalled, shipped
from outlay.core.ids import uuid7
from outlay.core.query import Query, filters
from outlay.core.record import Record
from outlay.extract import read
from outlay.ledger import PostgresLedger
from outlay.ledger.postgres.rows import RECORD_COLUMNS
from outlay.pricing import cost_of

_COPIED = 50_000  # calls in a paired round
_ROUNDS = 5
_START = datetime(2026, 10, 1, tzinfo=UTC)
_MODELS = (
    ("openai", "gpt-4o-2024-08-06", "chat"),
    ("openai", "gpt-4o-mini-2024-07-18", "chat"),
    ("anthropic", "claude-sonnet-4-5-20250929", "messages"),
    ("anthropic", "claude-haiku-4-5-20251001", "messages"),
)
_QUESTIONS = {
    "total": Query(),
    "by day and model": Query(("day", "model")),
    "by model since a broken hour": Query(("model",), _START + timedelta(days=3, hours=5, minutes=13)),
    "by query type of one provider": Query(("query_type",), where=filters({"provider": "openai"})),
    "by day in Berlin": Query(("day",), tz="Europe/Berlin"),
    "by hour": Query(("hour",)),
    "errors by model": Query(("model", "error_type"), where=filters({"status": "error"})),
    "by user": Query(("user",)),
}


def records(calls: int, days: float = 30.0) -> Iterator[Record]:
    """Make calls as they are: two APIs, four models, a thousand users, raw usages of some 250 bytes."""
    chance = random.Random(1)  # noqa: S311 - only numbers
    for n in range(calls):
        provider, model, api = chance.choice(_MODELS)
        at = _START + timedelta(days=days) * (n / calls)
        usage = read({"model": model, **_body(api, chance)}, provider=provider, api=api)
        yield Record(
            id=uuid7(at),
            at=at,
            provider=provider,
            model=model,
            usage=usage,
            charge=cost_of(usage, provider=provider, model=model, at=at),
            api=api,
            latency_ms=round(chance.lognormvariate(6.8, 0.7), 3),
            user=f"user-{chance.randrange(1000)}",
            session=f"session-{n // 7}",
            query_type=chance.choice(("rag", "chat", "summary", None)),
            tags={"team": chance.choice(("search", "ads", "core"))},
        )


def _body(api: str, chance: random.Random) -> dict[str, Any]:
    fresh, cached = chance.randint(50, 8000), chance.randrange(2) * chance.randint(0, 4000)
    out = chance.randint(9, 900)
    name = f"{chance.getrandbits(160):040x}"
    if api == "messages":
        written = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}
        usage = {"input_tokens": fresh, "cache_creation_input_tokens": 0, "cache_read_input_tokens": cached}
        return {"id": f"msg_{name[:24]}", "usage": {**usage, "cache_creation": written, "output_tokens": out}}
    details = {"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0}
    usage = {"prompt_tokens": fresh + cached, "completion_tokens": out, "total_tokens": fresh + cached + out}
    inside = {"prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0}}
    return {"id": f"chatcmpl-{name[:29]}", "usage": {**usage, **inside, "completion_tokens_details": details}}


def _copy(connection: psycopg.Connection[Any], rows: Sequence[Sequence[Any]]) -> None:
    """Load the very rows by psycopg's COPY into a table without index."""
    names = ", ".join(f'"{name}"' for name in RECORD_COLUMNS)
    connection.execute("TRUNCATE copied")
    with connection.cursor().copy(f"COPY copied ({names}) FROM STDIN".encode()) as copy:
        for row in rows:
            copy.write_row(row)


def _loading(server: str, some: Sequence[Record], home: Path) -> None:
    """Take turns: COPY of the rows as they are stored, records that are added, journals that are shipped."""
    journalled(home, some)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("SET search_path = bench")
        ledger = PostgresLedger(f"{server}&schema=bench")
        ledger.add(some[:1])
        connection.execute("CREATE TABLE copied (LIKE records)")
        ledger.add(some)
        names = ", ".join(f'"{name}"' for name in RECORD_COLUMNS)
        stored = connection.execute(f"SELECT {names} FROM records".encode())  # noqa: S608  # our own names
        rows = [tuple(map(_adapted, row)) for row in stored]
        taken: dict[str, list[tuple[float, float]]] = {
            "PostgresLedger.add": [],
            "the shipper, from a journal": [],
        }
        gc.freeze()  # rows that wait here are no garbage that whoever loads them had to look through
        for n in range(_ROUNDS):
            work: tuple[Callable[[], object], ...] = (
                lambda: ledger.add(some),
                lambda at=n: shipped(home, at, ledger),  # type: ignore[misc]
            )
            for name, act in zip(taken, work, strict=True):
                copied = timed(lambda: _copy(connection, rows))
                connection.execute("TRUNCATE records, hours, latencies, hour_latencies")
                taken[name].append((copied, timed(act)))
        gc.unfreeze()
        ledger.close()
        connection.execute("DROP SCHEMA bench CASCADE")
    for name, pairs in taken.items():
        _tell(name, len(some), pairs)


def _tell(name: str, rows: int, pairs: Sequence[tuple[float, float]]) -> None:
    ratios = [copied / ours for copied, ours in pairs]
    speeds = [statistics.median(rows / seconds for seconds in each) for each in zip(*pairs, strict=True)]
    Console(width=110).print(
        f"{name}: {statistics.median(ratios):.2f} times the speed of psycopg's COPY of the same rows"
        f" ({speeds[1]:,.0f} rows/s beside {speeds[0]:,.0f}), {', '.join(f'{each:.2f}' for each in ratios)}"
    )


def _adapted(value: Any) -> Any:
    return Json(value) if isinstance(value, dict | list) else value


def _asking(server: str, calls: int) -> None:
    ledger = PostgresLedger(f"{server}&schema=asked")
    ledger.add(records(calls))
    size = ledger.info().size_bytes or 0
    table = Table(title=f"{calls:,} calls, {size / calls:,.0f} bytes each on disk", title_justify="left")
    for heading in ("report", "ms, best of 5", "median"):
        table.add_column(heading, justify="right")
    for name, query in _QUESTIONS.items():
        taken = [timed(lambda asked=query: ledger.rows(asked)) * 1000 for _ in range(5)]  # type: ignore[misc]
        table.add_row(name, f"{min(taken):,.0f}", f"{statistics.median(taken):,.0f}")
    ledger.close()
    Console(width=110).print(table)


def timed(work: Callable[[], object]) -> float:
    """Give the seconds that it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(calls: int = 100_000) -> None:
    """Print both tables."""
    settings = ("-c", "shared_buffers=1GB", "-c", "max_wal_size=4GB")
    with private(settings=settings) as server, tempfile.TemporaryDirectory() as home:
        _loading(server.url, list(records(_COPIED)), Path(home))
        _asking(server.url, calls)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
